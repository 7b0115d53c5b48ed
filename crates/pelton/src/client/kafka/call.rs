//! Which answer belongs to which request, and the versions that the commands understand.
//!
//! A broker says which versions it serves; the newest that both know is taken. The table ends below the
//! protocol's newest where a later version says the same in another way: topic ids instead of names (`Fetch` 13,
//! `Produce` 13, `DeleteTopics` 6), lists of groups (`OffsetFetch` 8), or transactions that grow by themselves
//! (`Produce` 12, KIP-890).

use std::ops::RangeInclusive;

use protocol::Message;
use protocol::messages::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, ApiVersionsRequest, ApiVersionsResponse,
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, CreatePartitionsRequest,
    CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse, DeleteGroupsRequest,
    DeleteGroupsResponse, DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest,
    DeleteTopicsResponse, DescribeConfigsRequest, DescribeConfigsResponse, DescribeGroupsRequest,
    DescribeGroupsResponse, DescribeLogDirsRequest, DescribeLogDirsResponse, EndTxnRequest, EndTxnResponse,
    FetchRequest, FetchResponse, FindCoordinatorRequest, FindCoordinatorResponse, HeartbeatRequest,
    HeartbeatResponse, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
    InitProducerIdRequest, InitProducerIdResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, ListGroupsRequest, ListGroupsResponse, ListOffsetsRequest, ListOffsetsResponse,
    MetadataRequest, MetadataResponse, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest,
    OffsetDeleteResponse, OffsetFetchRequest, OffsetFetchResponse, ProduceRequest, ProduceResponse,
    SyncGroupRequest, SyncGroupResponse,
};

/// A request that a command sends.
pub(crate) trait Call: Message {
    /// What comes back.
    type Answer: Message;
    /// The versions of it that are filled in and read here.
    const KNOWN: RangeInclusive<i16>;
}

macro_rules! calls {
    ($($request:ident => $answer:ident, $known:expr;)*) => {
        $(impl Call for $request {
            type Answer = $answer;
            const KNOWN: RangeInclusive<i16> = $known;
        })*
    };
}

calls! {
    AddPartitionsToTxnRequest => AddPartitionsToTxnResponse, 0..=3;
    ApiVersionsRequest => ApiVersionsResponse, 0..=3;
    ConsumerGroupDescribeRequest => ConsumerGroupDescribeResponse, 0..=1;
    CreatePartitionsRequest => CreatePartitionsResponse, 0..=3;
    CreateTopicsRequest => CreateTopicsResponse, 1..=7;
    DeleteGroupsRequest => DeleteGroupsResponse, 0..=2;
    DeleteRecordsRequest => DeleteRecordsResponse, 0..=2;
    DeleteTopicsRequest => DeleteTopicsResponse, 0..=5;
    DescribeConfigsRequest => DescribeConfigsResponse, 1..=4;
    DescribeGroupsRequest => DescribeGroupsResponse, 0..=6;
    DescribeLogDirsRequest => DescribeLogDirsResponse, 0..=4;
    EndTxnRequest => EndTxnResponse, 0..=3;
    FetchRequest => FetchResponse, 4..=12;
    FindCoordinatorRequest => FindCoordinatorResponse, 0..=3;
    HeartbeatRequest => HeartbeatResponse, 0..=4;
    IncrementalAlterConfigsRequest => IncrementalAlterConfigsResponse, 0..=1;
    InitProducerIdRequest => InitProducerIdResponse, 0..=4;
    JoinGroupRequest => JoinGroupResponse, 0..=7;
    LeaveGroupRequest => LeaveGroupResponse, 3..=5;
    ListGroupsRequest => ListGroupsResponse, 0..=5;
    ListOffsetsRequest => ListOffsetsResponse, 1..=8;
    MetadataRequest => MetadataResponse, 1..=12;
    OffsetCommitRequest => OffsetCommitResponse, 2..=9;
    OffsetDeleteRequest => OffsetDeleteResponse, 0..=0;
    OffsetFetchRequest => OffsetFetchResponse, 2..=7;
    ProduceRequest => ProduceResponse, 3..=11;
    SyncGroupRequest => SyncGroupResponse, 0..=5;
}
