//! What happens to rows beyond plain expressions: prediction, learning, signatures; and operators that remember:
//! aggregation.

pub(crate) mod aggregate;
pub(crate) mod answer;
pub(crate) mod ask;
pub(crate) mod earlier;
pub(crate) mod evaluate;
pub(crate) mod features;
pub(crate) mod join;
pub(crate) mod keyed;
pub(crate) mod learn;
pub(crate) mod network;
pub(crate) mod over;
pub(crate) mod rows;
pub(crate) mod scope;
pub(crate) mod stateful;
