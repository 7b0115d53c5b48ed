//! Versions older than the oracle: bytes that kafka-python 3.0.12 wrote, except where noted.

use std::fmt::Debug;

use bytes::Bytes;

use crate::messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreatableTopicResult};
use crate::messages::delete_topics::DeletableTopicResult;
use crate::messages::describe_configs::{DescribeConfigsResourceResult, DescribeConfigsResult};
use crate::messages::fetch::{FetchPartition, FetchTopic, FetchableTopicResponse, PartitionData};
use crate::messages::join_group::{JoinGroupRequestProtocol, JoinGroupResponseMember};
use crate::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsTopic, ListOffsetsTopicResponse,
};
use crate::messages::metadata::{
    MetadataRequestTopic, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use crate::messages::offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use crate::messages::offset_fetch::{
    OffsetFetchRequestTopic, OffsetFetchResponsePartition, OffsetFetchResponseTopic,
};
use crate::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, TopicProduceData, TopicProduceResponse,
};
use crate::messages::*;
use crate::{Frame, Message};

/// Checks both directions.
fn golden<M: Message + Debug>(version: i16, hex: &str, message: &M) {
    let bytes = unhex(hex);
    assert_eq!(message.to_bytes(version), bytes, "{} version {version}", M::KEY);
    assert_eq!(M::from_bytes(bytes, version).as_ref(), Ok(message), "{} version {version}", M::KEY);
}

fn unhex(hex: &str) -> Bytes {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| u8::try_from(digit).expect("one digit"))
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn records() -> Option<Bytes> {
    Some(Bytes::from_static(&[1, 2, 3]))
}

#[test]
fn produce() {
    let request = |acks| ProduceRequest {
        acks,
        timeout_ms: 1000,
        topic_data: vec![TopicProduceData {
            name: "t".into(),
            partition_data: vec![PartitionProduceData { index: 3, records: records() }],
            ..Default::default()
        }],
        ..Default::default()
    };
    golden(0, "ffff 000003e8 00000001 000174 00000001 00000003 00000003 010203", &request(-1));
    golden(2, "0001 000003e8 00000001 000174 00000001 00000003 00000003 010203", &request(1));

    let response = |throttle_time_ms| ProduceResponse {
        responses: vec![TopicProduceResponse {
            name: "t".into(),
            partition_responses: vec![PartitionProduceResponse {
                index: 3,
                base_offset: 42,
                ..Default::default()
            }],
            ..Default::default()
        }],
        throttle_time_ms,
        ..Default::default()
    };
    let v0 = "00000001 000174 00000001 00000003 0000 000000000000002a";
    golden(0, v0, &response(0));
    golden(1, &format!("{v0} 00000005"), &response(5));
    golden(2, &format!("{v0} ffffffffffffffff 00000005"), &response(5));
}

#[test]
fn fetch() {
    let request = |max_bytes| FetchRequest {
        max_wait_ms: 100,
        min_bytes: 1,
        max_bytes,
        topics: vec![FetchTopic {
            topic: "t".into(),
            partitions: vec![FetchPartition {
                partition: 3,
                fetch_offset: 42,
                partition_max_bytes: 4096,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let topics = "00000001 000174 00000001 00000003 000000000000002a 00001000";
    golden(0, &format!("ffffffff 00000064 00000001 {topics}"), &request(i32::MAX));
    golden(3, &format!("ffffffff 00000064 00000001 00002328 {topics}"), &request(9000));

    let response = |throttle_time_ms| FetchResponse {
        throttle_time_ms,
        responses: vec![FetchableTopicResponse {
            topic: "t".into(),
            partitions: vec![PartitionData {
                partition_index: 3,
                high_watermark: 43,
                records: records(),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let v0 = "00000001 000174 00000001 00000003 0000 000000000000002b 00000003 010203";
    golden(0, v0, &response(0));
    golden(1, &format!("00000005 {v0}"), &response(5));
}

#[test]
fn list_offsets() {
    let request = ListOffsetsRequest {
        topics: vec![ListOffsetsTopic {
            name: "t".into(),
            partitions: vec![ListOffsetsPartition {
                partition_index: 3,
                timestamp: -1,
                max_num_offsets: 2,
                ..Default::default()
            }],
        }],
        ..Default::default()
    };
    golden(0, "ffffffff 00000001 000174 00000001 00000003 ffffffffffffffff 00000002", &request);
    let response = ListOffsetsResponse {
        topics: vec![ListOffsetsTopicResponse {
            name: "t".into(),
            partitions: vec![ListOffsetsPartitionResponse {
                partition_index: 3,
                old_style_offsets: vec![42, 0],
                ..Default::default()
            }],
        }],
        ..Default::default()
    };
    let hex = "00000001 000174 00000001 00000003 0000 00000002 000000000000002a 0000000000000000";
    golden(0, hex, &response);
}

#[test]
fn offset_commit() {
    let request = |partition, member: &str, generation| OffsetCommitRequest {
        group_id: "g".into(),
        generation_id_or_member_epoch: generation,
        member_id: member.into(),
        topics: vec![OffsetCommitRequestTopic {
            name: "t".into(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    };
    let partition = OffsetCommitRequestPartition {
        partition_index: 3,
        committed_offset: 42,
        committed_metadata: Some("m".into()),
        ..Default::default()
    };
    let hex = "000167 00000001 000174 00000001 00000003 000000000000002a 00016d";
    golden(0, hex, &request(partition.clone(), "", -1));
    let stamped = OffsetCommitRequestPartition { commit_timestamp: 99, ..partition.clone() };
    let hex = "000167 00000007 000163
        00000001 000174 00000001 00000003 000000000000002a 0000000000000063 00016d";
    golden(1, hex, &request(stamped, "c", 7));
    let bare = OffsetCommitRequestPartition { committed_metadata: None, ..partition };
    let hex = "000167 00000007 000163 ffffffffffffffff
        00000001 000174 00000001 00000003 000000000000002a ffff";
    golden(2, hex, &request(bare, "c", 7));
}

#[test]
fn offset_fetch() {
    let request = OffsetFetchRequest {
        group_id: "g".into(),
        topics: Some(vec![OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![3, 4] }]),
        ..Default::default()
    };
    golden(0, "000167 00000001 000174 00000002 00000003 00000004", &request);
    let response = OffsetFetchResponse {
        topics: vec![OffsetFetchResponseTopic {
            name: "t".into(),
            partitions: vec![OffsetFetchResponsePartition {
                partition_index: 3,
                committed_offset: 42,
                metadata: Some("m".into()),
                ..Default::default()
            }],
        }],
        ..Default::default()
    };
    golden(0, "00000001 000174 00000001 00000003 000000000000002a 00016d 0000", &response);
}

#[test]
fn groups() {
    let request = JoinGroupRequest {
        group_id: "g".into(),
        session_timeout_ms: 6000,
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol { name: "range".into(), metadata: records().unwrap() }],
        ..Default::default()
    };
    let hex = "000167 00001770 0000 0008636f6e73756d6572 00000001 000572616e6765 00000003 010203";
    golden(0, hex, &request);
    let response = JoinGroupResponse {
        generation_id: 7,
        protocol_name: Some("range".into()),
        leader: "c".into(),
        member_id: "c".into(),
        members: vec![JoinGroupResponseMember {
            member_id: "c".into(),
            metadata: records().unwrap(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let hex = "0000 00000007 000572616e6765 000163 000163 00000001 000163 00000003 010203";
    golden(0, hex, &response);
    let request = LeaveGroupRequest { group_id: "g".into(), member_id: "c".into(), ..Default::default() };
    golden(0, "000167 000163", &request);
    let response = FindCoordinatorResponse { node_id: 1, host: "h".into(), port: 9092, ..Default::default() };
    golden(0, "0000 00000001 000168 00002384", &response);
}

#[test]
fn metadata() {
    let topic = MetadataRequestTopic { name: Some("t".into()), ..Default::default() };
    golden(0, "00000001 000174", &MetadataRequest { topics: Some(vec![topic]), ..Default::default() });
    let response = MetadataResponse {
        brokers: vec![MetadataResponseBroker {
            node_id: 1,
            host: "h".into(),
            port: 9092,
            ..Default::default()
        }],
        topics: vec![MetadataResponseTopic {
            name: Some("t".into()),
            partitions: vec![MetadataResponsePartition {
                partition_index: 3,
                leader_id: 1,
                replica_nodes: vec![1],
                isr_nodes: vec![1],
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let hex = "00000001 00000001 000168 00002384 00000001 0000 000174
        00000001 0000 00000003 00000001 00000001 00000001 00000001 00000001";
    golden(0, hex, &response);
}

#[test]
fn topics_and_configs() {
    let request = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: "t".into(),
            num_partitions: 2,
            replication_factor: 1,
            configs: vec![CreatableTopicConfig {
                name: "cleanup.policy".into(),
                value: Some("compact".into()),
            }],
            ..Default::default()
        }],
        timeout_ms: 1000,
        ..Default::default()
    };
    let hex = "00000001 000174 00000002 0001 00000000
        00000001 000e636c65616e75702e706f6c696379 0007636f6d70616374 000003e8";
    golden(0, hex, &request);
    let result = CreatableTopicResult {
        name: "t".into(),
        error_code: 36,
        // The field does not exist in version 0, and an absent value is its default.
        error_message: None,
        ..Default::default()
    };
    golden(0, "00000001 000174 0024", &CreateTopicsResponse { topics: vec![result], ..Default::default() });
    let result = DeletableTopicResult { name: Some("t".into()), error_code: 3, ..Default::default() };
    let response = DeleteTopicsResponse { responses: vec![result], ..Default::default() };
    golden(0, "00000001 000174 0003", &response);

    let config = DescribeConfigsResourceResult {
        name: "cleanup.policy".into(),
        value: Some("delete".into()),
        is_default: true,
        ..Default::default()
    };
    let response = DescribeConfigsResponse {
        results: vec![DescribeConfigsResult {
            resource_type: 2,
            resource_name: "t".into(),
            configs: vec![config],
            ..Default::default()
        }],
        ..Default::default()
    };
    let hex = "00000000 00000001 0000 ffff 02 000174
        00000001 000e636c65616e75702e706f6c696379 000664656c657465 00 01 00";
    golden(0, hex, &response);
}

/// Written by hand from Kafka's protocol guide: the header of this answer has no tagged fields
/// in any version, or clients that do not know the version could not read it.
#[test]
fn the_header_of_api_versions_never_has_tagged_fields() {
    let response = ApiVersionsResponse { error_code: 35, ..Default::default() };
    let frame = Frame::response(7, 3, &response).into_bytes();
    assert_eq!(frame, unhex("0000000c 00000007 0023 01 00000000 00"));
    let frame = Frame::response(7, 0, &response).into_bytes();
    assert_eq!(frame, unhex("0000000a 00000007 0023 00000000"));
}
