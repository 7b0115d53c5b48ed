//! Commands of streaming queries.

use std::collections::BTreeMap;

use crate::wire::expression::PythonUdf;
use crate::wire::relation::Relation;
use crate::wire::types::Absent;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WriteStreamOperationStart {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, tag = "2")]
    pub(crate) format: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub(crate) options: BTreeMap<String, String>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) partitioning_column_names: Vec<String>,
    #[prost(oneof = "Trigger", tags = "5, 6, 7, 8, 100")]
    pub(crate) trigger: Option<Trigger>,
    #[prost(string, tag = "9")]
    pub(crate) output_mode: String,
    #[prost(string, tag = "10")]
    pub(crate) query_name: String,
    #[prost(oneof = "SinkDestination", tags = "11, 12")]
    pub(crate) sink_destination: Option<SinkDestination>,
    #[prost(message, optional, tag = "13")]
    pub(crate) foreach_writer: Option<StreamingForeachFunction>,
    #[prost(message, optional, tag = "14")]
    pub(crate) foreach_batch: Option<StreamingForeachFunction>,
    #[prost(string, repeated, tag = "15")]
    pub(crate) clustering_column_names: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Trigger {
    #[prost(string, tag = "5")]
    ProcessingTimeInterval(String),
    #[prost(bool, tag = "6")]
    AvailableNow(bool),
    #[prost(bool, tag = "7")]
    Once(bool),
    #[prost(string, tag = "8")]
    ContinuousCheckpointInterval(String),
    #[prost(string, tag = "100")]
    RealTimeBatchDuration(String),
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum SinkDestination {
    #[prost(string, tag = "11")]
    Path(String),
    #[prost(string, tag = "12")]
    TableName(String),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamingForeachFunction {
    #[prost(oneof = "ForeachFunction", tags = "1, 2")]
    pub(crate) function: Option<ForeachFunction>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum ForeachFunction {
    #[prost(message, tag = "1")]
    PythonFunction(PythonUdf),
    #[prost(message, tag = "2")]
    ScalaFunction(Absent),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamingQueryCommand {
    #[prost(message, optional, tag = "1")]
    pub(crate) query_id: Option<StreamingQueryInstanceId>,
    #[prost(oneof = "QueryAsk", tags = "2, 3, 4, 5, 6, 7, 8, 9")]
    pub(crate) command: Option<QueryAsk>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum QueryAsk {
    #[prost(bool, tag = "2")]
    Status(bool),
    #[prost(bool, tag = "3")]
    LastProgress(bool),
    #[prost(bool, tag = "4")]
    RecentProgress(bool),
    #[prost(bool, tag = "5")]
    Stop(bool),
    #[prost(bool, tag = "6")]
    ProcessAllAvailable(bool),
    #[prost(message, tag = "7")]
    Explain(ExplainCommand),
    #[prost(bool, tag = "8")]
    Exception(bool),
    #[prost(message, tag = "9")]
    AwaitTermination(AwaitTerminationCommand),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamingQueryInstanceId {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) run_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExplainCommand {
    #[prost(bool, tag = "1")]
    pub(crate) extended: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AwaitTerminationCommand {
    #[prost(int64, optional, tag = "2")]
    pub(crate) timeout_ms: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamingQueryManagerCommand {
    #[prost(oneof = "ManagerAsk", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub(crate) command: Option<ManagerAsk>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum ManagerAsk {
    #[prost(bool, tag = "1")]
    Active(bool),
    #[prost(string, tag = "2")]
    GetQuery(String),
    #[prost(message, tag = "3")]
    AwaitAnyTermination(AwaitAnyTerminationCommand),
    #[prost(bool, tag = "4")]
    ResetTerminated(bool),
    #[prost(message, tag = "5")]
    AddListener(StreamingQueryListenerCommand),
    #[prost(message, tag = "6")]
    RemoveListener(StreamingQueryListenerCommand),
    #[prost(bool, tag = "7")]
    ListListeners(bool),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AwaitAnyTerminationCommand {
    #[prost(int64, optional, tag = "1")]
    pub(crate) timeout_ms: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamingQueryListenerCommand {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) listener_payload: bytes::Bytes,
    #[prost(message, optional, tag = "2")]
    pub(crate) python_listener_payload: Option<PythonUdf>,
    #[prost(string, tag = "3")]
    pub(crate) id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamingQueryListenerBusCommand {
    #[prost(oneof = "BusAsk", tags = "1, 2")]
    pub(crate) command: Option<BusAsk>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum BusAsk {
    #[prost(bool, tag = "1")]
    AddListenerBusListener(bool),
    #[prost(bool, tag = "2")]
    RemoveListenerBusListener(bool),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WriteStreamOperationStartResult {
    #[prost(message, optional, tag = "1")]
    pub(crate) query_id: Option<StreamingQueryInstanceId>,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(string, optional, tag = "3")]
    pub(crate) query_started_event_json: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamingQueryCommandResult {
    #[prost(message, optional, tag = "1")]
    pub(crate) query_id: Option<StreamingQueryInstanceId>,
    #[prost(oneof = "QueryResult", tags = "2, 3, 4, 5, 6")]
    pub(crate) result_type: Option<QueryResult>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum QueryResult {
    #[prost(message, tag = "2")]
    Status(StatusResult),
    #[prost(message, tag = "3")]
    RecentProgress(RecentProgressResult),
    #[prost(message, tag = "4")]
    Explain(ExplainResult),
    #[prost(message, tag = "5")]
    Exception(ExceptionResult),
    #[prost(message, tag = "6")]
    AwaitTermination(AwaitTerminationResult),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StatusResult {
    #[prost(string, tag = "1")]
    pub(crate) status_message: String,
    #[prost(bool, tag = "2")]
    pub(crate) is_data_available: bool,
    #[prost(bool, tag = "3")]
    pub(crate) is_trigger_active: bool,
    #[prost(bool, tag = "4")]
    pub(crate) is_active: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RecentProgressResult {
    #[prost(string, repeated, tag = "5")]
    pub(crate) recent_progress_json: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExplainResult {
    #[prost(string, tag = "1")]
    pub(crate) result: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExceptionResult {
    #[prost(string, optional, tag = "1")]
    pub(crate) exception_message: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) error_class: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) stack_trace: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AwaitTerminationResult {
    #[prost(bool, tag = "1")]
    pub(crate) terminated: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamingQueryManagerCommandResult {
    #[prost(oneof = "ManagerResult", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub(crate) result_type: Option<ManagerResult>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum ManagerResult {
    #[prost(message, tag = "1")]
    Active(ActiveResult),
    #[prost(message, tag = "2")]
    Query(StreamingQueryInstance),
    #[prost(message, tag = "3")]
    AwaitAnyTermination(AwaitAnyTerminationResult),
    #[prost(bool, tag = "4")]
    ResetTerminated(bool),
    #[prost(bool, tag = "5")]
    AddListener(bool),
    #[prost(bool, tag = "6")]
    RemoveListener(bool),
    #[prost(message, tag = "7")]
    ListListeners(ListStreamingQueryListenerResult),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ActiveResult {
    #[prost(message, repeated, tag = "1")]
    pub(crate) active_queries: Vec<StreamingQueryInstance>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamingQueryInstance {
    #[prost(message, optional, tag = "1")]
    pub(crate) id: Option<StreamingQueryInstanceId>,
    #[prost(string, optional, tag = "2")]
    pub(crate) name: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AwaitAnyTerminationResult {
    #[prost(bool, tag = "1")]
    pub(crate) terminated: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ListStreamingQueryListenerResult {
    #[prost(string, repeated, tag = "1")]
    pub(crate) listener_ids: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamingQueryListenerEventsResult {
    #[prost(message, repeated, tag = "1")]
    pub(crate) events: Vec<StreamingQueryListenerEvent>,
    #[prost(bool, optional, tag = "2")]
    pub(crate) listener_bus_listener_added: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamingQueryListenerEvent {
    #[prost(string, tag = "1")]
    pub(crate) event_json: String,
    #[prost(int32, tag = "2")]
    pub(crate) event_type: i32,
}
