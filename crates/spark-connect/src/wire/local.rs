//! Relations of nothing: rows that a client sends, or holds by a number.

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct LocalRelation {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(crate) data: Option<bytes::Bytes>,
    #[prost(string, optional, tag = "2")]
    pub(crate) schema: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CachedLocalRelation {
    #[prost(string, tag = "3")]
    pub(crate) hash: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CachedRemoteRelation {
    #[prost(string, tag = "1")]
    pub(crate) relation_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ChunkedCachedLocalRelation {
    #[prost(string, repeated, tag = "1")]
    pub(crate) data_hashes: Vec<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) schema_hash: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Range {
    #[prost(int64, optional, tag = "1")]
    pub(crate) start: Option<i64>,
    #[prost(int64, tag = "2")]
    pub(crate) end: i64,
    #[prost(int64, tag = "3")]
    pub(crate) step: i64,
    #[prost(int32, optional, tag = "4")]
    pub(crate) num_partitions: Option<i32>,
}
