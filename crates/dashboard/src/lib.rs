//! The HTTP door: the live page, its data, metrics.
