//! Spark SQL types, and where in a script something stands.

/// A part of the protocol that this door does not read.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Absent {}

/// Where the rows of a frame are kept.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct StorageLevel {
    #[prost(bool, tag = "1")]
    pub(crate) use_disk: bool,
    #[prost(bool, tag = "2")]
    pub(crate) use_memory: bool,
    #[prost(bool, tag = "3")]
    pub(crate) use_off_heap: bool,
    #[prost(bool, tag = "4")]
    pub(crate) deserialized: bool,
    #[prost(int32, tag = "5")]
    pub(crate) replication: i32,
}

/// A type without parameters.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Plain {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Origin {
    #[prost(oneof = "OriginKind", tags = "1, 2")]
    pub(crate) function: Option<OriginKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum OriginKind {
    #[prost(message, tag = "1")]
    PythonOrigin(PythonOrigin),
    #[prost(message, tag = "2")]
    JvmOrigin(Absent),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PythonOrigin {
    #[prost(string, tag = "1")]
    pub(crate) fragment: String,
    #[prost(string, tag = "2")]
    pub(crate) call_site: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataType {
    #[prost(
        oneof = "Kind",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 25, 23, 26, 27, 24, 28"
    )]
    pub(crate) kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Kind {
    #[prost(message, tag = "1")]
    Null(Plain),
    #[prost(message, tag = "2")]
    Binary(Plain),
    #[prost(message, tag = "3")]
    Boolean(Plain),
    #[prost(message, tag = "4")]
    Byte(Plain),
    #[prost(message, tag = "5")]
    Short(Plain),
    #[prost(message, tag = "6")]
    Integer(Plain),
    #[prost(message, tag = "7")]
    Long(Plain),
    #[prost(message, tag = "8")]
    Float(Plain),
    #[prost(message, tag = "9")]
    Double(Plain),
    #[prost(message, tag = "10")]
    Decimal(DataTypeDecimal),
    #[prost(message, tag = "11")]
    String(DataTypeString),
    #[prost(message, tag = "12")]
    Char(DataTypeChar),
    #[prost(message, tag = "13")]
    VarChar(DataTypeVarChar),
    #[prost(message, tag = "14")]
    Date(Plain),
    #[prost(message, tag = "15")]
    Timestamp(Plain),
    #[prost(message, tag = "16")]
    TimestampNtz(Plain),
    #[prost(message, tag = "17")]
    CalendarInterval(Plain),
    #[prost(message, tag = "18")]
    YearMonthInterval(DataTypeYearMonthInterval),
    #[prost(message, tag = "19")]
    DayTimeInterval(DataTypeDayTimeInterval),
    #[prost(message, tag = "20")]
    Array(DataTypeArray),
    #[prost(message, tag = "21")]
    Struct(DataTypeStruct),
    #[prost(message, tag = "22")]
    Map(DataTypeMap),
    #[prost(message, tag = "25")]
    Variant(Absent),
    #[prost(message, tag = "23")]
    Udt(Box<DataTypeUdt>),
    #[prost(message, tag = "26")]
    Geometry(Absent),
    #[prost(message, tag = "27")]
    Geography(Absent),
    #[prost(message, tag = "24")]
    Unparsed(DataTypeUnparsed),
    #[prost(message, tag = "28")]
    Time(Absent),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataTypeDecimal {
    #[prost(int32, optional, tag = "1")]
    pub(crate) scale: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) precision: Option<i32>,
    #[prost(uint32, tag = "3")]
    pub(crate) type_variation_reference: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataTypeString {
    #[prost(uint32, tag = "1")]
    pub(crate) type_variation_reference: u32,
    #[prost(string, tag = "2")]
    pub(crate) collation: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataTypeChar {
    #[prost(int32, tag = "1")]
    pub(crate) length: i32,
    #[prost(uint32, tag = "2")]
    pub(crate) type_variation_reference: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataTypeVarChar {
    #[prost(int32, tag = "1")]
    pub(crate) length: i32,
    #[prost(uint32, tag = "2")]
    pub(crate) type_variation_reference: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataTypeYearMonthInterval {
    #[prost(int32, optional, tag = "1")]
    pub(crate) start_field: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) end_field: Option<i32>,
    #[prost(uint32, tag = "3")]
    pub(crate) type_variation_reference: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataTypeDayTimeInterval {
    #[prost(int32, optional, tag = "1")]
    pub(crate) start_field: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) end_field: Option<i32>,
    #[prost(uint32, tag = "3")]
    pub(crate) type_variation_reference: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataTypeArray {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) element_type: Option<Box<DataType>>,
    #[prost(bool, tag = "2")]
    pub(crate) contains_null: bool,
    #[prost(uint32, tag = "3")]
    pub(crate) type_variation_reference: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataTypeStruct {
    #[prost(message, repeated, tag = "1")]
    pub(crate) fields: Vec<DataTypeStructField>,
    #[prost(uint32, tag = "2")]
    pub(crate) type_variation_reference: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataTypeStructField {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, optional, boxed, tag = "2")]
    pub(crate) data_type: Option<Box<DataType>>,
    #[prost(bool, tag = "3")]
    pub(crate) nullable: bool,
    #[prost(string, optional, tag = "4")]
    pub(crate) metadata: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataTypeMap {
    #[prost(message, optional, boxed, tag = "1")]
    pub(crate) key_type: Option<Box<DataType>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub(crate) value_type: Option<Box<DataType>>,
    #[prost(bool, tag = "3")]
    pub(crate) value_contains_null: bool,
    #[prost(uint32, tag = "4")]
    pub(crate) type_variation_reference: u32,
}

/// A type that a script makes of another one.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataTypeUdt {
    #[prost(string, tag = "1")]
    pub(crate) r#type: String,
    #[prost(string, optional, tag = "2")]
    pub(crate) jvm_class: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) python_class: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(crate) serialized_python_class: Option<String>,
    #[prost(message, optional, boxed, tag = "5")]
    pub(crate) sql_type: Option<Box<DataType>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DataTypeUnparsed {
    #[prost(string, tag = "1")]
    pub(crate) data_type_string: String,
}
