//! Questions about plans: `AnalyzePlan`.

use crate::wire::execute::Plan;
use crate::wire::relation::Relation;
use crate::wire::session::UserContext;
use crate::wire::types::{DataType, StorageLevel};

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AnalyzePlanRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, optional, tag = "17")]
    pub(crate) client_observed_server_side_session_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(crate) user_context: Option<UserContext>,
    #[prost(string, optional, tag = "3")]
    pub(crate) client_type: Option<String>,
    #[prost(oneof = "Analyze", tags = "4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18")]
    pub(crate) analyze: Option<Analyze>,
}

#[expect(clippy::large_enum_variant, reason = "one per call, and gone with it")]
#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Analyze {
    #[prost(message, tag = "4")]
    Schema(AskSchema),
    #[prost(message, tag = "5")]
    Explain(AskExplain),
    #[prost(message, tag = "6")]
    TreeString(AskTreeString),
    #[prost(message, tag = "7")]
    IsLocal(AskIsLocal),
    #[prost(message, tag = "8")]
    IsStreaming(AskIsStreaming),
    #[prost(message, tag = "9")]
    InputFiles(AskInputFiles),
    #[prost(message, tag = "10")]
    SparkVersion(AskSparkVersion),
    #[prost(message, tag = "11")]
    DdlParse(AskDDLParse),
    #[prost(message, tag = "12")]
    SameSemantics(AskSameSemantics),
    #[prost(message, tag = "13")]
    SemanticHash(AskSemanticHash),
    #[prost(message, tag = "14")]
    Persist(AskPersist),
    #[prost(message, tag = "15")]
    Unpersist(AskUnpersist),
    #[prost(message, tag = "16")]
    GetStorageLevel(AskGetStorageLevel),
    #[prost(message, tag = "18")]
    JsonToDdl(AskJsonToDDL),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskSchema {
    #[prost(message, optional, tag = "1")]
    pub(crate) plan: Option<Plan>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskExplain {
    #[prost(message, optional, tag = "1")]
    pub(crate) plan: Option<Plan>,
    #[prost(int32, tag = "2")]
    pub(crate) explain_mode: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskTreeString {
    #[prost(message, optional, tag = "1")]
    pub(crate) plan: Option<Plan>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) level: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskIsLocal {
    #[prost(message, optional, tag = "1")]
    pub(crate) plan: Option<Plan>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskIsStreaming {
    #[prost(message, optional, tag = "1")]
    pub(crate) plan: Option<Plan>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskInputFiles {
    #[prost(message, optional, tag = "1")]
    pub(crate) plan: Option<Plan>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskSparkVersion {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskDDLParse {
    #[prost(string, tag = "1")]
    pub(crate) ddl_string: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskSameSemantics {
    #[prost(message, optional, tag = "1")]
    pub(crate) target_plan: Option<Plan>,
    #[prost(message, optional, tag = "2")]
    pub(crate) other_plan: Option<Plan>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskSemanticHash {
    #[prost(message, optional, tag = "1")]
    pub(crate) plan: Option<Plan>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskPersist {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) relation: Option<Box<Relation>>,
    #[prost(message, optional, tag = "2")]
    pub(crate) storage_level: Option<StorageLevel>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskUnpersist {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) relation: Option<Box<Relation>>,
    #[prost(bool, optional, tag = "2")]
    pub(crate) blocking: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskGetStorageLevel {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) relation: Option<Box<Relation>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AskJsonToDDL {
    #[prost(string, tag = "1")]
    pub(crate) json_string: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AnalyzePlanResponse {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(string, tag = "15")]
    pub(crate) server_side_session_id: String,
    #[prost(oneof = "Analyzed", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16")]
    pub(crate) result: Option<Analyzed>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Analyzed {
    #[prost(message, tag = "2")]
    Schema(ToldSchema),
    #[prost(message, tag = "3")]
    Explain(ToldExplain),
    #[prost(message, tag = "4")]
    TreeString(ToldTreeString),
    #[prost(message, tag = "5")]
    IsLocal(ToldIsLocal),
    #[prost(message, tag = "6")]
    IsStreaming(ToldIsStreaming),
    #[prost(message, tag = "7")]
    InputFiles(ToldInputFiles),
    #[prost(message, tag = "8")]
    SparkVersion(ToldSparkVersion),
    #[prost(message, tag = "9")]
    DdlParse(ToldDDLParse),
    #[prost(message, tag = "10")]
    SameSemantics(ToldSameSemantics),
    #[prost(message, tag = "11")]
    SemanticHash(ToldSemanticHash),
    #[prost(message, tag = "12")]
    Persist(ToldPersist),
    #[prost(message, tag = "13")]
    Unpersist(ToldUnpersist),
    #[prost(message, tag = "14")]
    GetStorageLevel(ToldGetStorageLevel),
    #[prost(message, tag = "16")]
    JsonToDdl(ToldJsonToDDL),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldSchema {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) schema: Option<Box<DataType>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldExplain {
    #[prost(string, tag = "1")]
    pub(crate) explain_string: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldTreeString {
    #[prost(string, tag = "1")]
    pub(crate) tree_string: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldIsLocal {
    #[prost(bool, tag = "1")]
    pub(crate) is_local: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldIsStreaming {
    #[prost(bool, tag = "1")]
    pub(crate) is_streaming: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldInputFiles {
    #[prost(string, repeated, tag = "1")]
    pub(crate) files: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldSparkVersion {
    #[prost(string, tag = "1")]
    pub(crate) version: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldDDLParse {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) parsed: Option<Box<DataType>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldSameSemantics {
    #[prost(bool, tag = "1")]
    pub(crate) result: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldSemanticHash {
    #[prost(int32, tag = "1")]
    pub(crate) result: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldPersist {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldUnpersist {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldGetStorageLevel {
    #[prost(message, optional, tag = "1")]
    pub(crate) storage_level: Option<StorageLevel>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToldJsonToDDL {
    #[prost(string, tag = "1")]
    pub(crate) ddl_string: String,
}
