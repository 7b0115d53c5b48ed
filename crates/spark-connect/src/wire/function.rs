//! Relations that a Python function makes.

use crate::wire::expression::{Expression, InlineFunction};
use crate::wire::relation::Relation;
use crate::wire::types::{Absent, DataType};

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct MapPartitions {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, optional, tag = "2")]
    pub(crate) func: Option<InlineFunction>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) is_barrier: Option<bool>,
    #[prost(int32, optional, tag = "4")]
    pub(crate) profile_id: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GroupMap {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) grouping_expressions: Vec<Expression>,
    #[prost(message, optional, tag = "3")]
    pub(crate) func: Option<InlineFunction>,
    #[prost(message, optional, boxed, tag = "5")]
    pub(crate) initial_input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "6")]
    pub(crate) initial_grouping_expressions: Vec<Expression>,
    #[prost(bool, optional, tag = "7")]
    pub(crate) is_map_groups_with_state: Option<bool>,
    #[prost(string, optional, tag = "8")]
    pub(crate) output_mode: Option<String>,
    #[prost(message, optional, tag = "11")]
    pub(crate) transform_with_state_info: Option<TransformWithStateInfo>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TransformWithStateInfo {
    #[prost(string, tag = "1")]
    pub(crate) time_mode: String,
    #[prost(string, tag = "2")]
    pub(crate) event_time_column_name: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) output_schema: Option<Absent>,
}

/// A call of a table function: no client sends another than one of Python.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TableFunction {
    #[prost(string, tag = "1")]
    pub(crate) function_name: String,
    #[prost(bool, tag = "2")]
    pub(crate) deterministic: bool,
    #[prost(message, repeated, tag = "3")]
    pub(crate) arguments: Vec<Expression>,
    #[prost(message, optional, tag = "4")]
    pub(crate) python_udtf: Option<PythonTableFunction>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PythonTableFunction {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) return_type: Option<Box<DataType>>,
    #[prost(int32, tag = "2")]
    pub(crate) eval_type: i32,
    #[prost(bytes = "bytes", tag = "3")]
    pub(crate) command: bytes::Bytes,
    #[prost(string, tag = "4")]
    pub(crate) python_ver: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CoGroupMap {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) input_grouping_expressions: Vec<Expression>,
    #[prost(message, optional, boxed, tag = "3")]
    pub(crate) other: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) other_grouping_expressions: Vec<Expression>,
    #[prost(message, optional, tag = "5")]
    pub(crate) func: Option<InlineFunction>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ApplyInPandasWithState {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) grouping_expressions: Vec<Expression>,
    #[prost(message, optional, tag = "3")]
    pub(crate) func: Option<InlineFunction>,
    #[prost(string, tag = "4")]
    pub(crate) output_schema: String,
    #[prost(string, tag = "5")]
    pub(crate) state_schema: String,
    #[prost(string, tag = "6")]
    pub(crate) output_mode: String,
    #[prost(string, tag = "7")]
    pub(crate) timeout_conf: String,
}
