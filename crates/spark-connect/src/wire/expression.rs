//! Expressions: what stands in a column.

use crate::wire::types::{Absent, DataType, Origin};

/// Its way to bytes and back stands in `deep`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Expression {
    pub(crate) common: Option<ExpressionCommon>,
    pub(crate) expr_type: Option<ExprType>,
}

impl ExprType {
    /// The numbers of all kinds.
    pub(super) const TAGS: &'static [u32] =
        &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22];
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum ExprType {
    #[prost(message, boxed, tag = "1")]
    Literal(Box<Literal>),
    #[prost(message, boxed, tag = "2")]
    UnresolvedAttribute(Box<UnresolvedAttribute>),
    #[prost(message, boxed, tag = "3")]
    UnresolvedFunction(Box<UnresolvedFunction>),
    #[prost(message, boxed, tag = "4")]
    ExpressionString(Box<ExpressionString>),
    #[prost(message, boxed, tag = "5")]
    UnresolvedStar(Box<UnresolvedStar>),
    #[prost(message, boxed, tag = "6")]
    Alias(Box<Alias>),
    #[prost(message, boxed, tag = "7")]
    Cast(Box<Cast>),
    #[prost(message, boxed, tag = "8")]
    UnresolvedRegex(Box<UnresolvedRegex>),
    #[prost(message, boxed, tag = "9")]
    SortOrder(Box<SortOrder>),
    #[prost(message, boxed, tag = "10")]
    LambdaFunction(Box<LambdaFunction>),
    #[prost(message, boxed, tag = "11")]
    Window(Box<Window>),
    #[prost(message, boxed, tag = "12")]
    UnresolvedExtractValue(Box<UnresolvedExtractValue>),
    #[prost(message, boxed, tag = "13")]
    UpdateFields(Box<UpdateFields>),
    #[prost(message, boxed, tag = "14")]
    UnresolvedNamedLambdaVariable(Box<UnresolvedNamedLambdaVariable>),
    #[prost(message, boxed, tag = "15")]
    CommonInlineUserDefinedFunction(Box<InlineFunction>),
    #[prost(message, boxed, tag = "16")]
    CallFunction(Box<CallFunction>),
    #[prost(message, boxed, tag = "17")]
    NamedArgumentExpression(Box<NamedArgumentExpression>),
    #[prost(message, tag = "19")]
    MergeAction(Absent),
    #[prost(message, tag = "20")]
    TypedAggregateExpression(Absent),
    #[prost(message, boxed, tag = "21")]
    SubqueryExpression(Box<SubqueryExpression>),
    #[prost(message, boxed, tag = "22")]
    DirectShufflePartitionId(Box<DirectShufflePartitionID>),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExpressionCommon {
    #[prost(message, optional, tag = "1")]
    pub(crate) origin: Option<Origin>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Literal {
    #[prost(
        oneof = "LiteralType",
        tags = "1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26"
    )]
    pub(crate) literal_type: Option<LiteralType>,
    #[prost(message, optional, boxed, tag = "100")]
    pub(crate) data_type: Option<Box<DataType>>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum LiteralType {
    #[prost(message, boxed, tag = "1")]
    Null(Box<DataType>),
    #[prost(bytes = "bytes", tag = "2")]
    Binary(bytes::Bytes),
    #[prost(bool, tag = "3")]
    Boolean(bool),
    #[prost(int32, tag = "4")]
    Byte(i32),
    #[prost(int32, tag = "5")]
    Short(i32),
    #[prost(int32, tag = "6")]
    Integer(i32),
    #[prost(int64, tag = "7")]
    Long(i64),
    #[prost(float, tag = "10")]
    Float(f32),
    #[prost(double, tag = "11")]
    Double(f64),
    #[prost(message, tag = "12")]
    Decimal(LiteralDecimal),
    #[prost(string, tag = "13")]
    String(String),
    #[prost(int32, tag = "16")]
    Date(i32),
    #[prost(int64, tag = "17")]
    Timestamp(i64),
    #[prost(int64, tag = "18")]
    TimestampNtz(i64),
    #[prost(message, tag = "19")]
    CalendarInterval(LiteralCalendarInterval),
    #[prost(int32, tag = "20")]
    YearMonthInterval(i32),
    #[prost(int64, tag = "21")]
    DayTimeInterval(i64),
    #[prost(message, tag = "22")]
    Array(LiteralArray),
    #[prost(message, tag = "23")]
    Map(LiteralMap),
    #[prost(message, tag = "24")]
    Struct(LiteralStruct),
    #[prost(message, tag = "25")]
    SpecializedArray(LiteralSpecialized),
    #[prost(message, tag = "26")]
    Time(Absent),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct LiteralDecimal {
    #[prost(string, tag = "1")]
    pub(crate) value: String,
    #[prost(int32, optional, tag = "2")]
    pub(crate) precision: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) scale: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct LiteralCalendarInterval {
    #[prost(int32, tag = "1")]
    pub(crate) months: i32,
    #[prost(int32, tag = "2")]
    pub(crate) days: i32,
    #[prost(int64, tag = "3")]
    pub(crate) microseconds: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct LiteralArray {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) element_type: Option<Box<DataType>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) elements: Vec<Literal>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct LiteralMap {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) key_type: Option<Box<DataType>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub(crate) value_type: Option<Box<DataType>>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) keys: Vec<Literal>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) values: Vec<Literal>,
}

/// A list of values of one plain type.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct LiteralSpecialized {
    #[prost(oneof = "Specialized", tags = "1, 2, 3, 4, 5, 6")]
    pub(crate) values: Option<Specialized>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Specialized {
    #[prost(message, tag = "1")]
    Booleans(Booleans),
    #[prost(message, tag = "2")]
    Ints(Ints),
    #[prost(message, tag = "3")]
    Longs(Longs),
    #[prost(message, tag = "4")]
    Floats(Floats),
    #[prost(message, tag = "5")]
    Doubles(Doubles),
    #[prost(message, tag = "6")]
    Strings(Strings),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Booleans {
    #[prost(bool, repeated, tag = "1")]
    pub(crate) values: Vec<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Ints {
    #[prost(int32, repeated, tag = "1")]
    pub(crate) values: Vec<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Longs {
    #[prost(int64, repeated, tag = "1")]
    pub(crate) values: Vec<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Floats {
    #[prost(float, repeated, tag = "1")]
    pub(crate) values: Vec<f32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Doubles {
    #[prost(double, repeated, tag = "1")]
    pub(crate) values: Vec<f64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Strings {
    #[prost(string, repeated, tag = "1")]
    pub(crate) values: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct LiteralStruct {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) struct_type: Option<Box<DataType>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) elements: Vec<Literal>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UnresolvedAttribute {
    #[prost(string, tag = "1")]
    pub(crate) unparsed_identifier: String,
    #[prost(int64, optional, tag = "2")]
    pub(crate) plan_id: Option<i64>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) is_metadata_column: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UnresolvedFunction {
    #[prost(string, tag = "1")]
    pub(crate) function_name: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) arguments: Vec<Expression>,
    #[prost(bool, tag = "3")]
    pub(crate) is_distinct: bool,
    #[prost(bool, tag = "4")]
    pub(crate) is_user_defined_function: bool,
    #[prost(bool, optional, tag = "5")]
    pub(crate) is_internal: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExpressionString {
    #[prost(string, tag = "1")]
    pub(crate) expression: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UnresolvedStar {
    #[prost(string, optional, tag = "1")]
    pub(crate) unparsed_target: Option<String>,
    #[prost(int64, optional, tag = "2")]
    pub(crate) plan_id: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Alias {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) expr: Option<Box<Expression>>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) name: Vec<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) metadata: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Cast {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) expr: Option<Box<Expression>>,
    #[prost(oneof = "CastTo", tags = "2, 3")]
    pub(crate) cast_to_type: Option<CastTo>,
    #[prost(int32, tag = "4")]
    pub(crate) eval_mode: i32,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum CastTo {
    #[prost(message, boxed, tag = "2")]
    Type(Box<DataType>),
    #[prost(string, tag = "3")]
    TypeStr(String),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UnresolvedRegex {
    #[prost(string, tag = "1")]
    pub(crate) col_name: String,
    #[prost(int64, optional, tag = "2")]
    pub(crate) plan_id: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SortOrder {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) child: Option<Box<Expression>>,
    #[prost(int32, tag = "2")]
    pub(crate) direction: i32,
    #[prost(int32, tag = "3")]
    pub(crate) null_ordering: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct LambdaFunction {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) function: Option<Box<Expression>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) arguments: Vec<UnresolvedNamedLambdaVariable>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UpdateFields {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) struct_expression: Option<Box<Expression>>,
    #[prost(string, tag = "2")]
    pub(crate) field_name: String,
    #[prost(message, optional, boxed, tag = "3")]
    pub(crate) value_expression: Option<Box<Expression>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UnresolvedNamedLambdaVariable {
    #[prost(string, repeated, tag = "1")]
    pub(crate) name_parts: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Window {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) window_function: Option<Box<Expression>>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) partition_spec: Vec<Expression>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) order_spec: Vec<SortOrder>,
    #[prost(message, optional, tag = "4")]
    pub(crate) frame_spec: Option<WindowFrame>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WindowFrame {
    #[prost(int32, tag = "1")]
    pub(crate) frame_type: i32,
    #[prost(message, optional, tag = "2")]
    pub(crate) lower: Option<FrameBoundary>,
    #[prost(message, optional, tag = "3")]
    pub(crate) upper: Option<FrameBoundary>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FrameBoundary {
    #[prost(oneof = "Boundary", tags = "1, 2, 3")]
    pub(crate) boundary: Option<Boundary>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Boundary {
    #[prost(bool, tag = "1")]
    CurrentRow(bool),
    #[prost(bool, tag = "2")]
    Unbounded(bool),
    #[prost(message, boxed, tag = "3")]
    Value(Box<Expression>),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UnresolvedExtractValue {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) child: Option<Box<Expression>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub(crate) extraction: Option<Box<Expression>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct InlineFunction {
    #[prost(string, tag = "1")]
    pub(crate) function_name: String,
    #[prost(bool, tag = "2")]
    pub(crate) deterministic: bool,
    #[prost(message, repeated, tag = "3")]
    pub(crate) arguments: Vec<Expression>,
    #[prost(oneof = "FunctionCode", tags = "4, 5, 6")]
    pub(crate) function: Option<FunctionCode>,
    #[prost(bool, tag = "7")]
    pub(crate) is_distinct: bool,
}

#[expect(clippy::enum_variant_names, reason = "Spark's names")]
#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum FunctionCode {
    #[prost(message, tag = "4")]
    PythonUdf(PythonUdf),
    #[prost(message, tag = "5")]
    ScalarScalaUdf(Absent),
    #[prost(message, tag = "6")]
    JavaUdf(Absent),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PythonUdf {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) output_type: Option<Box<DataType>>,
    #[prost(int32, tag = "2")]
    pub(crate) eval_type: i32,
    #[prost(bytes = "bytes", tag = "3")]
    pub(crate) command: bytes::Bytes,
    #[prost(string, tag = "4")]
    pub(crate) python_ver: String,
    #[prost(string, repeated, tag = "5")]
    pub(crate) additional_includes: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CallFunction {
    #[prost(string, tag = "1")]
    pub(crate) function_name: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) arguments: Vec<Expression>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct NamedArgumentExpression {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(message, optional, boxed, tag = "2")]
    pub(crate) value: Option<Box<Expression>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SubqueryExpression {
    #[prost(int64, tag = "1")]
    pub(crate) plan_id: i64,
    #[prost(int32, tag = "2")]
    pub(crate) subquery_type: i32,
    #[prost(message, optional, tag = "3")]
    pub(crate) table_arg_options: Option<SubqueryExpressionTableArgOptions>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) in_subquery_values: Vec<Expression>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SubqueryExpressionTableArgOptions {
    #[prost(message, repeated, tag = "1")]
    pub(crate) partition_spec: Vec<Expression>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) order_spec: Vec<SortOrder>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) with_single_partition: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DirectShufflePartitionID {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) child: Option<Box<Expression>>,
}
