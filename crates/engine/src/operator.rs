//! What runs between the plans: operators with state.

pub(crate) mod aggregate;
