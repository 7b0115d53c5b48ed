//! Relations of `df.na` and `df.stat`, and the catalog's questions.

use crate::wire::expression::{Expression, Literal};
use crate::wire::relation::Relation;
use crate::wire::types::{Absent, DataType};

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Sample {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(double, tag = "2")]
    pub(crate) lower_bound: f64,
    #[prost(double, tag = "3")]
    pub(crate) upper_bound: f64,
    #[prost(bool, optional, tag = "4")]
    pub(crate) with_replacement: Option<bool>,
    #[prost(int64, optional, tag = "5")]
    pub(crate) seed: Option<i64>,
    #[prost(bool, tag = "6")]
    pub(crate) deterministic_order: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ShowString {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub(crate) num_rows: i32,
    #[prost(int32, tag = "3")]
    pub(crate) truncate: i32,
    #[prost(bool, tag = "4")]
    pub(crate) vertical: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Unpivot {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) ids: Vec<Expression>,
    #[prost(message, optional, tag = "3")]
    pub(crate) values: Option<UnpivotValues>,
    #[prost(string, tag = "4")]
    pub(crate) variable_column_name: String,
    #[prost(string, tag = "5")]
    pub(crate) value_column_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UnpivotValues {
    #[prost(message, repeated, tag = "1")]
    pub(crate) values: Vec<Expression>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CollectMetrics {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) metrics: Vec<Expression>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct HtmlString {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub(crate) num_rows: i32,
    #[prost(int32, tag = "3")]
    pub(crate) truncate: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct NAFill {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) cols: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) values: Vec<Literal>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct NADrop {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) cols: Vec<String>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) min_non_nulls: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct NAReplace {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) cols: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) replacements: Vec<NAReplaceReplacement>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct NAReplaceReplacement {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) old_value: Option<Box<Literal>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub(crate) new_value: Option<Box<Literal>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StatSummary {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) statistics: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StatCrosstab {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, tag = "2")]
    pub(crate) col1: String,
    #[prost(string, tag = "3")]
    pub(crate) col2: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StatDescribe {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) cols: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StatCov {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, tag = "2")]
    pub(crate) col1: String,
    #[prost(string, tag = "3")]
    pub(crate) col2: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StatCorr {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, tag = "2")]
    pub(crate) col1: String,
    #[prost(string, tag = "3")]
    pub(crate) col2: String,
    #[prost(string, optional, tag = "4")]
    pub(crate) method: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StatApproxQuantile {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) cols: Vec<String>,
    #[prost(double, repeated, tag = "3")]
    pub(crate) probabilities: Vec<f64>,
    #[prost(double, tag = "4")]
    pub(crate) relative_error: f64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StatFreqItems {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) cols: Vec<String>,
    #[prost(double, optional, tag = "3")]
    pub(crate) support: Option<f64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Catalog {
    #[prost(
        oneof = "CatType",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36"
    )]
    pub(crate) cat_type: Option<CatType>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum CatType {
    #[prost(message, tag = "1")]
    CurrentDatabase(CurrentDatabase),
    #[prost(message, tag = "2")]
    SetCurrentDatabase(SetCurrentDatabase),
    #[prost(message, tag = "3")]
    ListDatabases(ListDatabases),
    #[prost(message, tag = "4")]
    ListTables(ListTables),
    #[prost(message, tag = "5")]
    ListFunctions(ListTables),
    #[prost(message, tag = "6")]
    ListColumns(TableExists),
    #[prost(message, tag = "7")]
    GetDatabase(DatabaseExists),
    #[prost(message, tag = "8")]
    GetTable(TableExists),
    #[prost(message, tag = "9")]
    GetFunction(FunctionExists),
    #[prost(message, tag = "10")]
    DatabaseExists(DatabaseExists),
    #[prost(message, tag = "11")]
    TableExists(TableExists),
    #[prost(message, tag = "12")]
    FunctionExists(FunctionExists),
    #[prost(message, tag = "13")]
    CreateExternalTable(Absent),
    #[prost(message, tag = "14")]
    CreateTable(CreateTable),
    #[prost(message, tag = "15")]
    DropTempView(DropTempView),
    #[prost(message, tag = "16")]
    DropGlobalTempView(DropTempView),
    #[prost(message, tag = "17")]
    RecoverPartitions(IsCached),
    #[prost(message, tag = "18")]
    IsCached(IsCached),
    #[prost(message, tag = "19")]
    CacheTable(CacheTable),
    #[prost(message, tag = "20")]
    UncacheTable(UncacheTable),
    #[prost(message, tag = "21")]
    ClearCache(ClearCache),
    #[prost(message, tag = "22")]
    RefreshTable(IsCached),
    #[prost(message, tag = "23")]
    RefreshByPath(Absent),
    #[prost(message, tag = "24")]
    CurrentCatalog(CurrentCatalog),
    #[prost(message, tag = "25")]
    SetCurrentCatalog(SetCurrentCatalog),
    #[prost(message, tag = "26")]
    ListCatalogs(ListDatabases),
    #[prost(message, tag = "27")]
    DropTable(DropTable),
    #[prost(message, tag = "28")]
    DropView(DropView),
    #[prost(message, tag = "29")]
    CreateDatabase(Absent),
    #[prost(message, tag = "30")]
    DropDatabase(Absent),
    #[prost(message, tag = "31")]
    ListPartitions(ListPartitions),
    #[prost(message, tag = "32")]
    ListViews(ListTables),
    #[prost(message, tag = "33")]
    GetTableProperties(GetTableProperties),
    #[prost(message, tag = "34")]
    GetCreateTableString(GetCreateTableString),
    #[prost(message, tag = "35")]
    TruncateTable(TruncateTable),
    #[prost(message, tag = "36")]
    AnalyzeTable(AnalyzeTable),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CurrentDatabase {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SetCurrentDatabase {
    #[prost(string, tag = "1")]
    pub(crate) db_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ListDatabases {
    #[prost(string, optional, tag = "1")]
    pub(crate) pattern: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ListTables {
    #[prost(string, optional, tag = "1")]
    pub(crate) db_name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) pattern: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DatabaseExists {
    #[prost(string, tag = "1")]
    pub(crate) db_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TableExists {
    #[prost(string, tag = "1")]
    pub(crate) table_name: String,
    #[prost(string, optional, tag = "2")]
    pub(crate) db_name: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DropTempView {
    #[prost(string, tag = "1")]
    pub(crate) view_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct IsCached {
    #[prost(string, tag = "1")]
    pub(crate) table_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CacheTable {
    #[prost(string, tag = "1")]
    pub(crate) table_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) storage_level: Option<Absent>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UncacheTable {
    #[prost(string, tag = "1")]
    pub(crate) table_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ClearCache {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CurrentCatalog {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DropTable {
    #[prost(string, tag = "1")]
    pub(crate) table_name: String,
    #[prost(bool, tag = "2")]
    pub(crate) if_exists: bool,
    #[prost(bool, tag = "3")]
    pub(crate) purge: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DropView {
    #[prost(string, tag = "1")]
    pub(crate) view_name: String,
    #[prost(bool, tag = "2")]
    pub(crate) if_exists: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ListPartitions {
    #[prost(string, tag = "1")]
    pub(crate) table_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CreateTable {
    #[prost(string, tag = "1")]
    pub(crate) table_name: String,
    #[prost(string, optional, tag = "2")]
    pub(crate) path: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) source: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(crate) description: Option<String>,
    #[prost(message, optional, boxed, tag = "5")]
    pub(crate) schema: Option<Box<DataType>>,
    #[prost(btree_map = "string, string", tag = "6")]
    pub(crate) options: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SetCurrentCatalog {
    #[prost(string, tag = "1")]
    pub(crate) catalog_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FunctionExists {
    #[prost(string, tag = "1")]
    pub(crate) function_name: String,
    #[prost(string, optional, tag = "2")]
    pub(crate) db_name: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetTableProperties {
    #[prost(string, tag = "1")]
    pub(crate) table_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetCreateTableString {
    #[prost(string, tag = "1")]
    pub(crate) table_name: String,
    #[prost(bool, tag = "2")]
    pub(crate) as_serde: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TruncateTable {
    #[prost(string, tag = "1")]
    pub(crate) table_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AnalyzeTable {
    #[prost(string, tag = "1")]
    pub(crate) table_name: String,
    #[prost(bool, tag = "2")]
    pub(crate) no_scan: bool,
}

/// Some rows of each group.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SampleBy {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) input: Option<Box<Relation>>,
    #[prost(message, optional, tag = "2")]
    pub(crate) col: Option<Expression>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) fractions: Vec<SampleByFraction>,
    #[prost(int64, optional, tag = "5")]
    pub(crate) seed: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SampleByFraction {
    #[prost(message, optional, tag = "1")]
    pub(crate) stratum: Option<Literal>,
    #[prost(double, tag = "2")]
    pub(crate) fraction: f64,
}
