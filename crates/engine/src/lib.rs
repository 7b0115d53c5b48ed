//! Micro-batch queries on Arrow and DataFusion.
