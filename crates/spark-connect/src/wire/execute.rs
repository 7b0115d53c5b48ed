//! Running plans: `ExecutePlan`, `ReattachExecute`, `ReleaseExecute`.

use crate::wire::command::Command;
use crate::wire::expression::Literal;
use crate::wire::local::CachedRemoteRelation;
use crate::wire::relation::Relation;
use crate::wire::session::{DetailedError, UserContext};
use crate::wire::streaming::{
    StreamingQueryCommandResult, StreamingQueryListenerEventsResult, StreamingQueryManagerCommandResult,
    WriteStreamOperationStartResult,
};
use crate::wire::types::{Absent, DataType};

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecutePlanRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, optional, tag = "8")]
    pub(crate) client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, optional, tag = "6")]
    pub(crate) operation_id: Option<String>,
    #[prost(message, optional, tag = "3")]
    pub(crate) plan: Option<Plan>,
    #[prost(string, optional, tag = "4")]
    pub(crate) client_type: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) request_options: Vec<RequestOption>,
    #[prost(string, repeated, tag = "7")]
    pub(crate) tags: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Plan {
    #[prost(oneof = "OpType", tags = "1, 2, 3")]
    pub(crate) op_type: Option<OpType>,
}

#[expect(clippy::large_enum_variant, reason = "one per call, and gone with it")]
#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum OpType {
    #[prost(message, boxed, tag = "1")]
    Root(Box<Relation>),
    #[prost(message, tag = "2")]
    Command(Command),
    #[prost(message, tag = "3")]
    CompressedOperation(CompressedOperation),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CompressedOperation {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) data: bytes::Bytes,
    #[prost(int32, tag = "2")]
    pub(crate) op_type: i32,
    #[prost(int32, tag = "3")]
    pub(crate) compression_codec: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RequestOption {
    #[prost(oneof = "RequestOptionKind", tags = "1, 2")]
    pub(crate) request_option: Option<RequestOptionKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum RequestOptionKind {
    #[prost(message, tag = "1")]
    ReattachOptions(ReattachOptions),
    #[prost(message, tag = "2")]
    ResultChunkingOptions(ResultChunkingOptions),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReattachOptions {
    #[prost(bool, tag = "1")]
    pub(crate) reattachable: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ResultChunkingOptions {
    #[prost(bool, tag = "1")]
    pub(crate) allow_arrow_batch_chunking: bool,
    #[prost(int64, optional, tag = "2")]
    pub(crate) preferred_arrow_chunk_size: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecutePlanResponse {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, tag = "15")]
    pub(crate) server_side_session_id: String,
    #[prost(string, tag = "12")]
    pub(crate) operation_id: String,
    #[prost(string, tag = "13")]
    pub(crate) response_id: String,
    #[prost(oneof = "ResponseType", tags = "2, 5, 8, 9, 10, 11, 16, 14, 17, 18, 19, 20, 21, 22, 23")]
    pub(crate) response_type: Option<ResponseType>,
    #[prost(message, optional, tag = "4")]
    pub(crate) metrics: Option<Metrics>,
    #[prost(message, repeated, tag = "6")]
    pub(crate) observed_metrics: Vec<ObservedMetrics>,
    #[prost(message, optional, boxed, tag = "7")]
    pub(crate) schema: Option<Box<DataType>>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum ResponseType {
    #[prost(message, tag = "2")]
    ArrowBatch(ArrowBatch),
    #[prost(message, tag = "5")]
    SqlCommandResult(SqlCommandResult),
    #[prost(message, tag = "8")]
    WriteStreamOperationStartResult(WriteStreamOperationStartResult),
    #[prost(message, tag = "9")]
    StreamingQueryCommandResult(StreamingQueryCommandResult),
    #[prost(message, tag = "10")]
    GetResourcesCommandResult(Absent),
    #[prost(message, tag = "11")]
    StreamingQueryManagerCommandResult(StreamingQueryManagerCommandResult),
    #[prost(message, tag = "16")]
    StreamingQueryListenerEventsResult(StreamingQueryListenerEventsResult),
    #[prost(message, tag = "14")]
    ResultComplete(ResultComplete),
    #[prost(message, tag = "17")]
    CreateResourceProfileCommandResult(CreateResourceProfileCommandResult),
    #[prost(message, tag = "18")]
    ExecutionProgress(ExecutionProgress),
    #[prost(message, tag = "19")]
    CheckpointCommandResult(CheckpointCommandResult),
    #[prost(message, tag = "20")]
    MlCommandResult(Absent),
    #[prost(message, tag = "21")]
    PipelineEventResult(Absent),
    #[prost(message, tag = "22")]
    PipelineCommandResult(Absent),
    #[prost(message, tag = "23")]
    PipelineQueryFunctionExecutionSignal(Absent),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Metrics {
    #[prost(message, repeated, tag = "1")]
    pub(crate) metrics: Vec<Absent>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ObservedMetrics {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) values: Vec<Literal>,
    #[prost(string, repeated, tag = "3")]
    pub(crate) keys: Vec<String>,
    #[prost(int64, tag = "4")]
    pub(crate) plan_id: i64,
    #[prost(int32, optional, tag = "5")]
    pub(crate) root_error_idx: Option<i32>,
    #[prost(message, repeated, tag = "6")]
    pub(crate) errors: Vec<DetailedError>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ArrowBatch {
    #[prost(int64, tag = "1")]
    pub(crate) row_count: i64,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) data: bytes::Bytes,
    #[prost(int64, optional, tag = "3")]
    pub(crate) start_offset: Option<i64>,
    #[prost(int64, optional, tag = "4")]
    pub(crate) chunk_index: Option<i64>,
    #[prost(int64, optional, tag = "5")]
    pub(crate) num_chunks_in_batch: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SqlCommandResult {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) relation: Option<Box<Relation>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ResultComplete {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecutionProgress {
    #[prost(message, repeated, tag = "1")]
    pub(crate) stages: Vec<StageInfo>,
    #[prost(int64, tag = "2")]
    pub(crate) num_inflight_tasks: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StageInfo {
    #[prost(int64, tag = "1")]
    pub(crate) stage_id: i64,
    #[prost(int64, tag = "2")]
    pub(crate) num_tasks: i64,
    #[prost(int64, tag = "3")]
    pub(crate) num_completed_tasks: i64,
    #[prost(int64, tag = "4")]
    pub(crate) input_bytes_read: i64,
    #[prost(bool, tag = "5")]
    pub(crate) done: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CreateResourceProfileCommandResult {
    #[prost(int32, tag = "1")]
    pub(crate) profile_id: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CheckpointCommandResult {
    #[prost(message, optional, tag = "1")]
    pub(crate) relation: Option<CachedRemoteRelation>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReattachExecuteRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, optional, tag = "6")]
    pub(crate) client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, tag = "3")]
    pub(crate) operation_id: String,
    #[prost(string, optional, tag = "4")]
    pub(crate) client_type: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub(crate) last_response_id: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReleaseExecuteRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, optional, tag = "7")]
    pub(crate) client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, tag = "3")]
    pub(crate) operation_id: String,
    #[prost(string, optional, tag = "4")]
    pub(crate) client_type: Option<String>,
    #[prost(oneof = "Release", tags = "5, 6")]
    pub(crate) release: Option<Release>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Release {
    #[prost(message, tag = "5")]
    ReleaseAll(ReleaseAll),
    #[prost(message, tag = "6")]
    ReleaseUntil(ReleaseUntil),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReleaseAll {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReleaseUntil {
    #[prost(string, tag = "1")]
    pub(crate) response_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReleaseExecuteResponse {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, tag = "3")]
    pub(crate) server_side_session_id: String,
    #[prost(string, optional, tag = "2")]
    pub(crate) operation_id: Option<String>,
}
