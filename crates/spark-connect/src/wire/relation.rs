//! Relations: what a DataFrame is made by.

use std::collections::BTreeMap;

use crate::wire::expression::{Alias, Expression, Literal, SortOrder};
use crate::wire::function::{ApplyInPandasWithState, CoGroupMap, GroupMap, MapPartitions, TableFunction};
use crate::wire::local::{
    CachedLocalRelation, CachedRemoteRelation, ChunkedCachedLocalRelation, LocalRelation, Range,
};
use crate::wire::statistics::{
    Catalog, CollectMetrics, HtmlString, NADrop, NAFill, NAReplace, Sample, SampleBy, ShowString,
    StatApproxQuantile, StatCorr, StatCov, StatCrosstab, StatDescribe, StatFreqItems, StatSummary, Unpivot,
};
use crate::wire::types::{Absent, DataType, Origin};

/// Its way to bytes and back stands in `deep`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Relation {
    pub(crate) common: Option<RelationCommon>,
    pub(crate) rel_type: Option<RelType>,
}

impl RelType {
    /// The numbers of all kinds.
    pub(super) const TAGS: &'static [u32] = &[
        2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
        29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 90, 91, 92, 100, 101,
        102, 103, 104, 105, 106, 107, 200, 300, 999,
    ];
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum RelType {
    #[prost(message, boxed, tag = "2")]
    Read(Box<Read>),
    #[prost(message, boxed, tag = "3")]
    Project(Box<Project>),
    #[prost(message, boxed, tag = "4")]
    Filter(Box<Filter>),
    #[prost(message, boxed, tag = "5")]
    Join(Box<Join>),
    #[prost(message, boxed, tag = "6")]
    SetOp(Box<SetOperation>),
    #[prost(message, boxed, tag = "7")]
    Sort(Box<Sort>),
    #[prost(message, boxed, tag = "8")]
    Limit(Box<Limit>),
    #[prost(message, boxed, tag = "9")]
    Aggregate(Box<Aggregate>),
    #[prost(message, boxed, tag = "10")]
    Sql(Box<Sql>),
    #[prost(message, boxed, tag = "11")]
    LocalRelation(Box<LocalRelation>),
    #[prost(message, boxed, tag = "12")]
    Sample(Box<Sample>),
    #[prost(message, boxed, tag = "13")]
    Offset(Box<Offset>),
    #[prost(message, boxed, tag = "14")]
    Deduplicate(Box<Deduplicate>),
    #[prost(message, boxed, tag = "15")]
    Range(Box<Range>),
    #[prost(message, boxed, tag = "16")]
    SubqueryAlias(Box<SubqueryAlias>),
    #[prost(message, boxed, tag = "17")]
    Repartition(Box<Repartition>),
    #[prost(message, boxed, tag = "18")]
    ToDf(Box<ToDf>),
    #[prost(message, boxed, tag = "19")]
    WithColumnsRenamed(Box<WithColumnsRenamed>),
    #[prost(message, boxed, tag = "20")]
    ShowString(Box<ShowString>),
    #[prost(message, boxed, tag = "21")]
    Drop(Box<Drop>),
    #[prost(message, boxed, tag = "22")]
    Tail(Box<Tail>),
    #[prost(message, boxed, tag = "23")]
    WithColumns(Box<WithColumns>),
    #[prost(message, boxed, tag = "24")]
    Hint(Box<Hint>),
    #[prost(message, boxed, tag = "25")]
    Unpivot(Box<Unpivot>),
    #[prost(message, boxed, tag = "26")]
    ToSchema(Box<ToSchema>),
    #[prost(message, boxed, tag = "27")]
    RepartitionByExpression(Box<RepartitionByExpression>),
    #[prost(message, boxed, tag = "28")]
    MapPartitions(Box<MapPartitions>),
    #[prost(message, boxed, tag = "29")]
    CollectMetrics(Box<CollectMetrics>),
    #[prost(message, tag = "30")]
    Parse(Absent),
    #[prost(message, boxed, tag = "31")]
    GroupMap(Box<GroupMap>),
    #[prost(message, boxed, tag = "32")]
    CoGroupMap(Box<CoGroupMap>),
    #[prost(message, boxed, tag = "33")]
    WithWatermark(Box<WithWatermark>),
    #[prost(message, boxed, tag = "34")]
    ApplyInPandasWithState(Box<ApplyInPandasWithState>),
    #[prost(message, boxed, tag = "35")]
    HtmlString(Box<HtmlString>),
    #[prost(message, boxed, tag = "36")]
    CachedLocalRelation(Box<CachedLocalRelation>),
    #[prost(message, boxed, tag = "37")]
    CachedRemoteRelation(Box<CachedRemoteRelation>),
    #[prost(message, tag = "38")]
    TableFunction(TableFunction),
    #[prost(message, tag = "39")]
    AsOfJoin(Absent),
    #[prost(message, tag = "40")]
    CommonInlineUserDefinedDataSource(Absent),
    #[prost(message, boxed, tag = "41")]
    WithRelations(Box<WithRelations>),
    #[prost(message, tag = "42")]
    Transpose(Absent),
    #[prost(message, boxed, tag = "43")]
    UnresolvedTableValuedFunction(Box<UnresolvedTableValuedFunction>),
    #[prost(message, boxed, tag = "44")]
    LateralJoin(Box<LateralJoin>),
    #[prost(message, boxed, tag = "45")]
    ChunkedCachedLocalRelation(Box<ChunkedCachedLocalRelation>),
    #[prost(message, tag = "46")]
    RelationChanges(Absent),
    #[prost(message, tag = "47")]
    NearestByJoin(Absent),
    #[prost(message, boxed, tag = "90")]
    FillNa(Box<NAFill>),
    #[prost(message, boxed, tag = "91")]
    DropNa(Box<NADrop>),
    #[prost(message, boxed, tag = "92")]
    Replace(Box<NAReplace>),
    #[prost(message, boxed, tag = "100")]
    Summary(Box<StatSummary>),
    #[prost(message, boxed, tag = "101")]
    Crosstab(Box<StatCrosstab>),
    #[prost(message, boxed, tag = "102")]
    Describe(Box<StatDescribe>),
    #[prost(message, boxed, tag = "103")]
    Cov(Box<StatCov>),
    #[prost(message, boxed, tag = "104")]
    Corr(Box<StatCorr>),
    #[prost(message, boxed, tag = "105")]
    ApproxQuantile(Box<StatApproxQuantile>),
    #[prost(message, boxed, tag = "106")]
    FreqItems(Box<StatFreqItems>),
    #[prost(message, boxed, tag = "107")]
    SampleBy(Box<SampleBy>),
    #[prost(message, boxed, tag = "200")]
    Catalog(Box<Catalog>),
    #[prost(message, tag = "300")]
    MlRelation(Absent),
    #[prost(message, tag = "999")]
    Unknown(Absent),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RelationCommon {
    #[prost(int64, optional, tag = "2")]
    pub(crate) plan_id: Option<i64>,
    #[prost(message, optional, tag = "3")]
    pub(crate) origin: Option<Origin>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Read {
    #[prost(oneof = "ReadType", tags = "1, 2")]
    pub(crate) read_type: Option<ReadType>,
    #[prost(bool, tag = "3")]
    pub(crate) is_streaming: bool,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum ReadType {
    #[prost(message, tag = "1")]
    NamedTable(ReadNamedTable),
    #[prost(message, tag = "2")]
    DataSource(ReadDataSource),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadNamedTable {
    #[prost(string, tag = "1")]
    pub(crate) unparsed_identifier: String,
    #[prost(btree_map = "string, string", tag = "2")]
    pub(crate) options: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadDataSource {
    #[prost(string, optional, tag = "1")]
    pub(crate) format: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) schema: Option<String>,
    #[prost(btree_map = "string, string", tag = "3")]
    pub(crate) options: BTreeMap<String, String>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) paths: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    pub(crate) predicates: Vec<String>,
    #[prost(string, optional, tag = "6")]
    pub(crate) source_name: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Project {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) expressions: Vec<Expression>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Filter {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub(crate) condition: Option<Box<Expression>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Join {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) left: Option<Box<Relation>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub(crate) right: Option<Box<Relation>>,
    #[prost(message, optional, boxed, tag = "3")]
    pub(crate) join_condition: Option<Box<Expression>>,
    #[prost(int32, tag = "4")]
    pub(crate) join_type: i32,
    #[prost(string, repeated, tag = "5")]
    pub(crate) using_columns: Vec<String>,
    #[prost(message, optional, tag = "6")]
    pub(crate) join_data_type: Option<JoinDataType>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct JoinDataType {
    #[prost(bool, tag = "1")]
    pub(crate) is_left_struct: bool,
    #[prost(bool, tag = "2")]
    pub(crate) is_right_struct: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct LateralJoin {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) left: Option<Box<Relation>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub(crate) right: Option<Box<Relation>>,
    #[prost(message, optional, boxed, tag = "3")]
    pub(crate) join_condition: Option<Box<Expression>>,
    #[prost(int32, tag = "4")]
    pub(crate) join_type: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SetOperation {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) left_input: Option<Box<Relation>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub(crate) right_input: Option<Box<Relation>>,
    #[prost(int32, tag = "3")]
    pub(crate) set_op_type: i32,
    #[prost(bool, optional, tag = "4")]
    pub(crate) is_all: Option<bool>,
    #[prost(bool, optional, tag = "5")]
    pub(crate) by_name: Option<bool>,
    #[prost(bool, optional, tag = "6")]
    pub(crate) allow_missing_columns: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Sort {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) order: Vec<SortOrder>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) is_global: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Limit {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub(crate) limit: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Aggregate {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub(crate) group_type: i32,
    #[prost(message, repeated, tag = "3")]
    pub(crate) grouping_expressions: Vec<Expression>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) aggregate_expressions: Vec<Expression>,
    #[prost(message, optional, tag = "5")]
    pub(crate) pivot: Option<AggregatePivot>,
    #[prost(message, repeated, tag = "6")]
    pub(crate) grouping_sets: Vec<AggregateGroupingSets>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AggregatePivot {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) col: Option<Box<Expression>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) values: Vec<Literal>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AggregateGroupingSets {
    #[prost(message, repeated, tag = "1")]
    pub(crate) grouping_set: Vec<Expression>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Sql {
    #[prost(string, tag = "1")]
    pub(crate) query: String,
    #[prost(btree_map = "string, message", tag = "2")]
    pub(crate) args: BTreeMap<String, Literal>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) pos_args: Vec<Literal>,
    #[prost(btree_map = "string, message", tag = "4")]
    pub(crate) named_arguments: BTreeMap<String, Expression>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) pos_arguments: Vec<Expression>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Offset {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub(crate) offset: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Deduplicate {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) column_names: Vec<String>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) all_columns_as_keys: Option<bool>,
    #[prost(bool, optional, tag = "4")]
    pub(crate) within_watermark: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SubqueryAlias {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, tag = "2")]
    pub(crate) alias: String,
    #[prost(string, repeated, tag = "3")]
    pub(crate) qualifier: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Repartition {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub(crate) num_partitions: i32,
    #[prost(bool, optional, tag = "3")]
    pub(crate) shuffle: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToDf {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) column_names: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WithColumnsRenamed {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) renames: Vec<WithColumnsRenamedRename>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WithColumnsRenamedRename {
    #[prost(string, tag = "1")]
    pub(crate) col_name: String,
    #[prost(string, tag = "2")]
    pub(crate) new_col_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Drop {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) columns: Vec<Expression>,
    #[prost(string, repeated, tag = "3")]
    pub(crate) column_names: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Tail {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub(crate) limit: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WithColumns {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) aliases: Vec<Alias>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Hint {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) parameters: Vec<Expression>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ToSchema {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub(crate) schema: Option<Box<DataType>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RepartitionByExpression {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) partition_exprs: Vec<Expression>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) num_partitions: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WithWatermark {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, tag = "2")]
    pub(crate) event_time: String,
    #[prost(string, tag = "3")]
    pub(crate) delay_threshold: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WithRelations {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) root: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) references: Vec<Relation>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UnresolvedTableValuedFunction {
    #[prost(string, tag = "1")]
    pub(crate) function_name: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) arguments: Vec<Expression>,
}
