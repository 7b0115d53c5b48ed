//! Sessions: settings, artifacts, interruption, errors.

use std::collections::BTreeMap;

use crate::wire::types::Absent;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UserContext {
    #[prost(string, tag = "1")]
    pub(crate) user_id: String,
    #[prost(string, tag = "2")]
    pub(crate) user_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DetailedError {
    #[prost(string, repeated, tag = "1")]
    pub(crate) error_type_hierarchy: Vec<String>,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) stack_trace: Vec<DetailedStackTraceElement>,
    #[prost(int32, optional, tag = "4")]
    pub(crate) cause_idx: Option<i32>,
    #[prost(message, optional, tag = "5")]
    pub(crate) spark_throwable: Option<DetailedSparkThrowable>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DetailedStackTraceElement {
    #[prost(string, tag = "1")]
    pub(crate) declaring_class: String,
    #[prost(string, tag = "2")]
    pub(crate) method_name: String,
    #[prost(string, optional, tag = "3")]
    pub(crate) file_name: Option<String>,
    #[prost(int32, tag = "4")]
    pub(crate) line_number: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DetailedSparkThrowable {
    #[prost(string, optional, tag = "1")]
    pub(crate) error_class: Option<String>,
    #[prost(btree_map = "string, string", tag = "2")]
    pub(crate) message_parameters: BTreeMap<String, String>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) query_contexts: Vec<DetailedQueryContext>,
    #[prost(string, optional, tag = "4")]
    pub(crate) sql_state: Option<String>,
    #[prost(message, optional, tag = "5")]
    pub(crate) breaking_change_info: Option<Absent>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DetailedQueryContext {
    #[prost(int32, tag = "10")]
    pub(crate) context_type: i32,
    #[prost(string, tag = "1")]
    pub(crate) object_type: String,
    #[prost(string, tag = "2")]
    pub(crate) object_name: String,
    #[prost(int32, tag = "3")]
    pub(crate) start_index: i32,
    #[prost(int32, tag = "4")]
    pub(crate) stop_index: i32,
    #[prost(string, tag = "5")]
    pub(crate) fragment: String,
    #[prost(string, tag = "6")]
    pub(crate) call_site: String,
    #[prost(string, tag = "7")]
    pub(crate) summary: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, optional, tag = "8")]
    pub(crate) client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(message, optional, tag = "3")]
    pub(crate) operation: Option<ConfigOperation>,
    #[prost(string, optional, tag = "4")]
    pub(crate) client_type: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigOperation {
    #[prost(oneof = "ConfigOp", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub(crate) op_type: Option<ConfigOp>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum ConfigOp {
    #[prost(message, tag = "1")]
    Set(ConfigSet),
    #[prost(message, tag = "2")]
    Get(ConfigGet),
    #[prost(message, tag = "3")]
    GetWithDefault(ConfigGetWithDefault),
    #[prost(message, tag = "4")]
    GetOption(ConfigGetOption),
    #[prost(message, tag = "5")]
    GetAll(ConfigGetAll),
    #[prost(message, tag = "6")]
    Unset(ConfigUnset),
    #[prost(message, tag = "7")]
    IsModifiable(ConfigIsModifiable),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigSet {
    #[prost(message, repeated, tag = "1")]
    pub(crate) pairs: Vec<KeyValue>,
    #[prost(bool, optional, tag = "2")]
    pub(crate) silent: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(string, optional, tag = "2")]
    pub(crate) value: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigGet {
    #[prost(string, repeated, tag = "1")]
    pub(crate) keys: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigGetWithDefault {
    #[prost(message, repeated, tag = "1")]
    pub(crate) pairs: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigGetOption {
    #[prost(string, repeated, tag = "1")]
    pub(crate) keys: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigGetAll {
    #[prost(string, optional, tag = "1")]
    pub(crate) prefix: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigUnset {
    #[prost(string, repeated, tag = "1")]
    pub(crate) keys: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigIsModifiable {
    #[prost(string, repeated, tag = "1")]
    pub(crate) keys: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigResponse {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, tag = "4")]
    pub(crate) server_side_session_id: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) pairs: Vec<KeyValue>,
    #[prost(string, repeated, tag = "3")]
    pub(crate) warnings: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AddArtifactsRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, optional, tag = "7")]
    pub(crate) client_observed_server_side_session_id: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub(crate) client_type: Option<String>,
    #[prost(oneof = "Payload", tags = "3, 4, 5")]
    pub(crate) payload: Option<Payload>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Payload {
    #[prost(message, tag = "3")]
    Batch(Batch),
    #[prost(message, tag = "4")]
    BeginChunk(BeginChunkedArtifact),
    #[prost(message, tag = "5")]
    Chunk(ArtifactChunk),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Batch {
    #[prost(message, repeated, tag = "1")]
    pub(crate) artifacts: Vec<SingleChunkArtifact>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SingleChunkArtifact {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) data: Option<ArtifactChunk>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ArtifactChunk {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) data: bytes::Bytes,
    #[prost(int64, tag = "2")]
    pub(crate) crc: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BeginChunkedArtifact {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(int64, tag = "2")]
    pub(crate) total_bytes: i64,
    #[prost(int64, tag = "3")]
    pub(crate) num_chunks: i64,
    #[prost(message, optional, tag = "4")]
    pub(crate) initial_chunk: Option<ArtifactChunk>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AddArtifactsResponse {
    #[prost(string, tag = "2")]
    pub(crate) session_id: String,
    #[prost(string, tag = "3")]
    pub(crate) server_side_session_id: String,
    #[prost(message, repeated, tag = "1")]
    pub(crate) artifacts: Vec<ArtifactSummary>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ArtifactSummary {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bool, tag = "2")]
    pub(crate) is_crc_successful: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ArtifactStatusesRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, optional, tag = "5")]
    pub(crate) client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub(crate) client_type: Option<String>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) names: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ArtifactStatusesResponse {
    #[prost(string, tag = "2")]
    pub(crate) session_id: String,
    #[prost(string, tag = "3")]
    pub(crate) server_side_session_id: String,
    #[prost(btree_map = "string, message", tag = "1")]
    pub(crate) statuses: BTreeMap<String, ArtifactStatus>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ArtifactStatus {
    #[prost(bool, tag = "1")]
    pub(crate) exists: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct InterruptRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, optional, tag = "7")]
    pub(crate) client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub(crate) client_type: Option<String>,
    #[prost(int32, tag = "4")]
    pub(crate) interrupt_type: i32,
    #[prost(oneof = "InterruptBy", tags = "5, 6")]
    pub(crate) interrupt: Option<InterruptBy>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum InterruptBy {
    #[prost(string, tag = "5")]
    OperationTag(String),
    #[prost(string, tag = "6")]
    OperationId(String),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct InterruptResponse {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, tag = "3")]
    pub(crate) server_side_session_id: String,
    #[prost(string, repeated, tag = "2")]
    pub(crate) interrupted_ids: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReleaseSessionRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub(crate) client_type: Option<String>,
    #[prost(bool, tag = "4")]
    pub(crate) allow_reconnect: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReleaseSessionResponse {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, tag = "2")]
    pub(crate) server_side_session_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FetchErrorDetailsRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, optional, tag = "5")]
    pub(crate) client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, tag = "3")]
    pub(crate) error_id: String,
    #[prost(string, optional, tag = "4")]
    pub(crate) client_type: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FetchErrorDetailsResponse {
    #[prost(string, tag = "3")]
    pub(crate) server_side_session_id: String,
    #[prost(string, tag = "4")]
    pub(crate) session_id: String,
    #[prost(int32, optional, tag = "1")]
    pub(crate) root_error_idx: Option<i32>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) errors: Vec<DetailedError>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CloneSessionRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, optional, tag = "5")]
    pub(crate) client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub(crate) client_type: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(crate) new_session_id: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CloneSessionResponse {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, tag = "2")]
    pub(crate) server_side_session_id: String,
    #[prost(string, tag = "3")]
    pub(crate) new_session_id: String,
    #[prost(string, tag = "4")]
    pub(crate) new_server_side_session_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetStatusRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub(crate) client_type: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(crate) client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "5")]
    pub(crate) operation_status: Option<GetStatusRequestOperationStatusRequest>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetStatusRequestOperationStatusRequest {
    #[prost(string, repeated, tag = "1")]
    pub(crate) operation_ids: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetStatusResponse {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, tag = "2")]
    pub(crate) server_side_session_id: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) operation_statuses: Vec<GetStatusResponseOperationStatus>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetStatusResponseOperationStatus {
    #[prost(string, tag = "1")]
    pub(crate) operation_id: String,
    #[prost(int32, tag = "2")]
    pub(crate) state: i32,
}
