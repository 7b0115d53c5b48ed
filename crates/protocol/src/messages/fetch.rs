//! Reads records.

use bytes::Bytes;

use crate::{StrBytes, Uuid};

messages! {
    /// Asks for records. The answer to versions 0 and 1 holds message sets of format 0, that to 2
    /// and 3 those of format 1, later ones record batches.
    request FetchRequest (Fetch, 0..=18, flexible 12) {
        /// The id of a follower; -1 for a consumer.
        replica_id: i32 = 0..=14, default -1;
        /// How long to wait for `min_bytes`.
        max_wait_ms: i32 = 0..;
        /// How many bytes are worth an answer before that.
        min_bytes: i32 = 0..;
        /// How many bytes the answer may have; a first batch that is larger comes all the same.
        max_bytes: i32 = 3.., default i32::MAX;
        /// 1 to leave out what open or aborted transactions wrote.
        isolation_level: i8 = 4..;
        /// The fetch session, 0 for none.
        session_id: i32 = 7..;
        /// The place in the session, -1 without one.
        session_epoch: i32 = 7.., default -1;
        /// The topics; in a session only those that changed.
        topics: Vec<FetchTopic> = 0..;
        /// What leaves the session.
        forgotten_topics_data: Vec<ForgottenTopic> = 7..;
        /// Where the consumer stands.
        rack_id: StrBytes = 11..;
        /// The cluster a follower believes to be in.
        cluster_id: Option<StrBytes> = 12.., nullable 12.., tag 0;
        /// The follower that asks.
        replica_state: ReplicaState = 15.., tag 1;
    }

    /// A follower.
    part ReplicaState {
        /// Its id; -1 for a consumer.
        replica_id: i32 = 15.., default -1;
        /// Its epoch, -1 if unknown.
        replica_epoch: i64 = 15.., default -1;
    }

    /// What is asked of one topic.
    part FetchTopic {
        /// The topic's name.
        topic: StrBytes = 0..=12;
        /// The topic's id.
        topic_id: Uuid = 13..;
        /// The partitions.
        partitions: Vec<FetchPartition> = 0..;
    }

    /// What is asked of one partition.
    part FetchPartition {
        /// The partition's number.
        partition: i32 = 0..;
        /// The leader's epoch the client knows, -1 if none.
        current_leader_epoch: i32 = 9.., default -1;
        /// The first offset that is wanted.
        fetch_offset: i64 = 0..;
        /// The epoch of the last record a follower has, -1 if none.
        last_fetched_epoch: i32 = 12.., default -1;
        /// A follower's first offset, -1 for a consumer.
        log_start_offset: i64 = 5.., default -1;
        /// How many bytes of this partition the answer may have.
        partition_max_bytes: i32 = 0..;
        /// The directory a follower keeps the partition in.
        replica_directory_id: Uuid = 17.., tag 0;
        /// The high watermark a follower knows.
        high_watermark: i64 = 18.., tag 1, default i64::MAX;
    }

    /// Partitions that leave the session.
    part ForgottenTopic {
        /// The topic's name.
        topic: StrBytes = 7..=12;
        /// The topic's id.
        topic_id: Uuid = 13..;
        /// The partitions' numbers.
        partitions: Vec<i32> = 7..;
    }

    /// Records.
    response FetchResponse (Fetch, 0..=18, flexible 12) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 1..;
        /// Why nothing could be answered at all.
        error_code: i16 = 7..;
        /// The fetch session, 0 for none.
        session_id: i32 = 7..;
        /// The topics.
        responses: Vec<FetchableTopicResponse> = 0..;
        /// The addresses of the leaders that are named in `current_leader`.
        node_endpoints: Vec<NodeEndpoint> = 16.., tag 0;
    }

    /// The records of one topic.
    part FetchableTopicResponse {
        /// The topic's name.
        topic: StrBytes = 0..=12;
        /// The topic's id.
        topic_id: Uuid = 13..;
        /// The partitions.
        partitions: Vec<PartitionData> = 0..;
    }

    /// The records of one partition.
    part PartitionData {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// Why there are no records.
        error_code: i16 = 0..;
        /// The offset up to which consumers may read.
        high_watermark: i64 = 0..;
        /// The offset of the first open transaction, -1 if unknown.
        last_stable_offset: i64 = 4.., default -1;
        /// The partition's first offset, -1 if unknown.
        log_start_offset: i64 = 5.., default -1;
        /// The transactions that were aborted among these records.
        aborted_transactions: Option<Vec<AbortedTransaction>> = 4.., nullable 4..;
        /// A follower to read from instead, -1 for none.
        preferred_read_replica: i32 = 11.., default -1;
        /// The records, not looked into. No records are written as empty: clients are known to
        /// stumble over absent ones.
        records: Option<Bytes> = 0.., nullable 0.., sent empty;
        /// Where the logs of a follower and its leader part.
        diverging_epoch: EpochEndOffset = 12.., tag 0;
        /// Who leads the partition, if it is not this broker.
        current_leader: LeaderIdAndEpoch = 12.., tag 1;
        /// The snapshot a follower must fetch first.
        snapshot_id: SnapshotId = 12.., tag 2;
    }

    /// The end of an epoch.
    part EpochEndOffset {
        /// The epoch, -1 for none.
        epoch: i32 = 12.., default -1;
        /// The offset behind its last record, -1 for none.
        end_offset: i64 = 12.., default -1;
    }

    /// A leader.
    part LeaderIdAndEpoch {
        /// The broker's id, -1 if unknown.
        leader_id: i32 = 12.., default -1;
        /// The leader's epoch, -1 if unknown.
        leader_epoch: i32 = 12.., default -1;
    }

    /// A snapshot.
    part SnapshotId {
        /// The offset it reaches to, -1 for none.
        end_offset: i64 = 0.., default -1;
        /// The epoch it was taken in, -1 for none.
        epoch: i32 = 0.., default -1;
    }

    /// A transaction that was aborted.
    part AbortedTransaction {
        /// Its producer.
        producer_id: i64 = 4..;
        /// The first offset it wrote.
        first_offset: i64 = 4..;
    }

    /// A broker's address.
    part NodeEndpoint {
        /// The broker's id.
        node_id: i32 = 16..;
        /// Its host.
        host: StrBytes = 16..;
        /// Its port.
        port: i32 = 16..;
        /// Where it stands, if that was said.
        rack: Option<StrBytes> = 16.., nullable 16..;
    }
}
