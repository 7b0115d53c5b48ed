//! The contract every learner must pass.
