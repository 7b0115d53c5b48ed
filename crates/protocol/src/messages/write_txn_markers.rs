//! Writes the ends of transactions into partitions; a transaction coordinator asks.

use crate::StrBytes;

messages! {
    /// Ends of transactions.
    request WriteTxnMarkersRequest (WriteTxnMarkers, 0..=2, flexible 1) {
        /// The transactions.
        markers: Vec<WritableTxnMarker> = 0..;
    }

    /// The end of one transaction.
    part WritableTxnMarker {
        /// The producer's id.
        producer_id: i64 = 0..;
        /// The producer's epoch.
        producer_epoch: i16 = 0..;
        /// Whether its records count.
        transaction_result: bool = 0..;
        /// The topics.
        topics: Vec<WritableTxnMarkerTopic> = 0..;
        /// The epoch of the coordinator that decided.
        coordinator_epoch: i32 = 0..;
        /// 2 if the producer's epoch is that after the transaction (KIP-1228), 0 or 1 otherwise.
        transaction_version: i8 = 2..;
    }

    /// Partitions of one topic.
    part WritableTxnMarkerTopic {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions' numbers.
        partition_indexes: Vec<i32> = 0..;
    }

    /// What became of the markers.
    response WriteTxnMarkersResponse (WriteTxnMarkers, 0..=2, flexible 1) {
        /// The transactions.
        markers: Vec<WritableTxnMarkerResult> = 0..;
    }

    /// What became of the markers of one transaction.
    part WritableTxnMarkerResult {
        /// The producer's id.
        producer_id: i64 = 0..;
        /// The topics.
        topics: Vec<WritableTxnMarkerTopicResult> = 0..;
    }

    /// What became of the markers of one topic.
    part WritableTxnMarkerTopicResult {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<WritableTxnMarkerPartitionResult> = 0..;
    }

    /// What became of the marker of one partition.
    part WritableTxnMarkerPartitionResult {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// Why it was not written.
        error_code: i16 = 0..;
    }
}
