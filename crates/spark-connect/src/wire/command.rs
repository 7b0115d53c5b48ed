//! Commands: what does something instead of being a DataFrame.

use std::collections::BTreeMap;

use crate::wire::expression::{Expression, InlineFunction, Literal};
use crate::wire::function::TableFunction;
use crate::wire::local::CachedRemoteRelation;
use crate::wire::relation::Relation;
use crate::wire::streaming::{
    StreamingQueryCommand, StreamingQueryListenerBusCommand, StreamingQueryManagerCommand,
    WriteStreamOperationStart,
};
use crate::wire::types::Absent;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Command {
    #[prost(
        oneof = "CommandType",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19"
    )]
    pub(crate) command_type: Option<CommandType>,
}

#[expect(clippy::large_enum_variant, reason = "one per call, and gone with it")]
#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum CommandType {
    #[prost(message, tag = "1")]
    RegisterFunction(InlineFunction),
    #[prost(message, tag = "2")]
    WriteOperation(WriteOperation),
    #[prost(message, tag = "3")]
    CreateDataframeView(CreateDataFrameViewCommand),
    #[prost(message, tag = "4")]
    WriteOperationV2(WriteOperationV2),
    #[prost(message, tag = "5")]
    SqlCommand(SqlCommand),
    #[prost(message, tag = "6")]
    WriteStreamOperationStart(WriteStreamOperationStart),
    #[prost(message, tag = "7")]
    StreamingQueryCommand(StreamingQueryCommand),
    #[prost(message, tag = "8")]
    GetResourcesCommand(Absent),
    #[prost(message, tag = "9")]
    StreamingQueryManagerCommand(StreamingQueryManagerCommand),
    #[prost(message, tag = "10")]
    RegisterTableFunction(TableFunction),
    #[prost(message, tag = "11")]
    StreamingQueryListenerBusCommand(StreamingQueryListenerBusCommand),
    #[prost(message, tag = "12")]
    RegisterDataSource(DataSource),
    #[prost(message, tag = "13")]
    CreateResourceProfileCommand(CreateResourceProfileCommand),
    #[prost(message, tag = "14")]
    CheckpointCommand(CheckpointCommand),
    #[prost(message, tag = "15")]
    RemoveCachedRemoteRelationCommand(RemoveCachedRemoteRelationCommand),
    #[prost(message, tag = "16")]
    MergeIntoTableCommand(Absent),
    #[prost(message, tag = "17")]
    MlCommand(Absent),
    #[prost(message, tag = "18")]
    ExecuteExternalCommand(Absent),
    #[prost(message, tag = "19")]
    PipelineCommand(Absent),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CreateResourceProfileCommand {
    #[prost(message, optional, tag = "1")]
    pub(crate) profile: Option<ResourceProfile>,
}

/// What tasks need; what executors need says nothing here.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ResourceProfile {
    #[prost(btree_map = "string, message", tag = "2")]
    pub(crate) task_resources: BTreeMap<String, TaskResourceRequest>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TaskResourceRequest {
    #[prost(double, tag = "2")]
    pub(crate) amount: f64,
}

/// A data source of Python.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataSource {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) python_data_source: Option<PythonDataSource>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PythonDataSource {
    /// The pickled class.
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) command: bytes::Bytes,
    #[prost(string, tag = "2")]
    pub(crate) python_ver: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WriteOperation {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, optional, tag = "2")]
    pub(crate) source: Option<String>,
    #[prost(oneof = "SaveType", tags = "3, 4")]
    pub(crate) save_type: Option<SaveType>,
    #[prost(int32, tag = "5")]
    pub(crate) mode: i32,
    #[prost(string, repeated, tag = "6")]
    pub(crate) sort_column_names: Vec<String>,
    #[prost(string, repeated, tag = "7")]
    pub(crate) partitioning_columns: Vec<String>,
    #[prost(message, optional, tag = "8")]
    pub(crate) bucket_by: Option<WriteOperationBucketBy>,
    #[prost(btree_map = "string, string", tag = "9")]
    pub(crate) options: BTreeMap<String, String>,
    #[prost(string, repeated, tag = "10")]
    pub(crate) clustering_columns: Vec<String>,
    #[prost(bool, tag = "11")]
    pub(crate) with_schema_evolution: bool,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum SaveType {
    #[prost(string, tag = "3")]
    Path(String),
    #[prost(message, tag = "4")]
    Table(SaveTable),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WriteOperationBucketBy {
    #[prost(string, repeated, tag = "1")]
    pub(crate) bucket_column_names: Vec<String>,
    #[prost(int32, tag = "2")]
    pub(crate) num_buckets: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SaveTable {
    #[prost(string, tag = "1")]
    pub(crate) table_name: String,
    #[prost(int32, tag = "2")]
    pub(crate) save_method: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CreateDataFrameViewCommand {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(bool, tag = "3")]
    pub(crate) is_global: bool,
    #[prost(bool, tag = "4")]
    pub(crate) replace: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WriteOperationV2 {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, tag = "2")]
    pub(crate) table_name: String,
    #[prost(string, optional, tag = "3")]
    pub(crate) provider: Option<String>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) partitioning_columns: Vec<Expression>,
    #[prost(btree_map = "string, string", tag = "5")]
    pub(crate) options: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "6")]
    pub(crate) table_properties: BTreeMap<String, String>,
    #[prost(int32, tag = "7")]
    pub(crate) mode: i32,
    #[prost(message, optional, boxed, tag = "8")]
    pub(crate) overwrite_condition: Option<Box<Expression>>,
    #[prost(string, repeated, tag = "9")]
    pub(crate) clustering_columns: Vec<String>,
    #[prost(bool, tag = "10")]
    pub(crate) with_schema_evolution: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SqlCommand {
    #[prost(string, tag = "1")]
    pub(crate) sql: String,
    #[prost(btree_map = "string, message", tag = "2")]
    pub(crate) args: BTreeMap<String, Literal>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) pos_args: Vec<Literal>,
    #[prost(btree_map = "string, message", tag = "4")]
    pub(crate) named_arguments: BTreeMap<String, Expression>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) pos_arguments: Vec<Expression>,
    #[prost(message, optional, boxed, tag = "6")]
    pub(crate) input: Option<Box<Relation>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CheckpointCommand {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) relation: Option<Box<Relation>>,
    #[prost(bool, tag = "2")]
    pub(crate) local: bool,
    #[prost(bool, tag = "3")]
    pub(crate) eager: bool,
    #[prost(message, optional, tag = "4")]
    pub(crate) storage_level: Option<Absent>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RemoveCachedRemoteRelationCommand {
    #[prost(message, optional, tag = "1")]
    pub(crate) relation: Option<CachedRemoteRelation>,
}
