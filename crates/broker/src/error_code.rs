//! Domain errors as Kafka's codes. Every match is exhaustive: a new error must be given its code here.

use protocol::ErrorCode;
use topics::{AlterError, AppendError, CreateError, CreatePartitionsError, DeleteError, ReadError};

use crate::journal::Unavailable;

pub(crate) fn append(error: &AppendError) -> ErrorCode {
    match error {
        AppendError::TooLarge { .. } => ErrorCode::MessageTooLarge,
        AppendError::Corrupt(_) => ErrorCode::CorruptMessage,
        AppendError::Invalid { .. } => ErrorCode::InvalidRecord,
        AppendError::Timestamp { .. } => ErrorCode::InvalidTimestamp,
        AppendError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
        AppendError::ProducerFenced { .. } => ErrorCode::InvalidProducerEpoch,
        AppendError::InTransaction { .. } => ErrorCode::InvalidTxnState,
        AppendError::CoordinatorFenced { .. } => ErrorCode::TransactionCoordinatorFenced,
        AppendError::Deleted { .. } => ErrorCode::UnknownTopicOrPartition,
        // Retriable for producers, unlike a storage error, which takes the partition away.
        AppendError::Busy { .. } => ErrorCode::NotEnoughReplicas,
        AppendError::DiskFull { .. } | AppendError::Failed { .. } => ErrorCode::KafkaStorageError,
        AppendError::Closed => ErrorCode::NotLeaderOrFollower,
    }
}

pub(crate) fn read(error: &ReadError) -> ErrorCode {
    match error {
        ReadError::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
        ReadError::Corrupt { .. } => ErrorCode::CorruptMessage,
        ReadError::Io { .. } => ErrorCode::KafkaStorageError,
        ReadError::Deleted { .. } => ErrorCode::UnknownTopicOrPartition,
    }
}

pub(crate) fn create(error: &CreateError) -> ErrorCode {
    match error {
        CreateError::InvalidName { .. } => ErrorCode::InvalidTopicException,
        CreateError::InvalidPartitions { .. } => ErrorCode::InvalidPartitions,
        CreateError::Setting(_) => ErrorCode::InvalidConfig,
        CreateError::Exists { .. } => ErrorCode::TopicAlreadyExists,
        CreateError::Io { .. } | CreateError::Log(_) => ErrorCode::KafkaStorageError,
        CreateError::Closed => ErrorCode::NotController,
    }
}

pub(crate) fn create_partitions(error: &CreatePartitionsError) -> ErrorCode {
    match error {
        CreatePartitionsError::NotFound { .. } => ErrorCode::UnknownTopicOrPartition,
        CreatePartitionsError::InvalidPartitions { .. } => ErrorCode::InvalidPartitions,
        CreatePartitionsError::Io { .. } | CreatePartitionsError::Log(_) => ErrorCode::KafkaStorageError,
        CreatePartitionsError::Closed => ErrorCode::NotController,
    }
}

pub(crate) fn alter(error: &AlterError) -> ErrorCode {
    match error {
        AlterError::NotFound { .. } => ErrorCode::UnknownTopicOrPartition,
        AlterError::Setting(_) => ErrorCode::InvalidConfig,
        AlterError::Io { .. } => ErrorCode::KafkaStorageError,
        AlterError::Closed => ErrorCode::NotController,
    }
}

pub(crate) fn delete(error: &DeleteError) -> ErrorCode {
    match error {
        DeleteError::NotFound { .. } => ErrorCode::UnknownTopicOrPartition,
        DeleteError::Io { .. } => ErrorCode::KafkaStorageError,
        DeleteError::Closed => ErrorCode::NotController,
    }
}

pub(crate) fn group(error: groups::Error) -> ErrorCode {
    match error {
        groups::Error::InvalidGroupId => ErrorCode::InvalidGroupId,
        groups::Error::InvalidSessionTimeout => ErrorCode::InvalidSessionTimeout,
        groups::Error::InconsistentGroupProtocol => ErrorCode::InconsistentGroupProtocol,
        groups::Error::MemberIdRequired => ErrorCode::MemberIdRequired,
        groups::Error::UnknownMemberId => ErrorCode::UnknownMemberId,
        groups::Error::FencedInstanceId => ErrorCode::FencedInstanceId,
        groups::Error::IllegalGeneration => ErrorCode::IllegalGeneration,
        groups::Error::RebalanceInProgress => ErrorCode::RebalanceInProgress,
        groups::Error::GroupMaxSizeReached => ErrorCode::GroupMaxSizeReached,
        // Kafka says the same when a group's record exceeds message.max.bytes.
        groups::Error::GroupTooLarge => ErrorCode::UnknownServerError,
        groups::Error::OffsetMetadataTooLarge => ErrorCode::OffsetMetadataTooLarge,
        groups::Error::NonEmptyGroup => ErrorCode::NonEmptyGroup,
        groups::Error::GroupIdNotFound => ErrorCode::GroupIdNotFound,
        groups::Error::FencedMemberEpoch => ErrorCode::FencedMemberEpoch,
        groups::Error::StaleMemberEpoch => ErrorCode::StaleMemberEpoch,
        groups::Error::UnreleasedInstanceId => ErrorCode::UnreleasedInstanceId,
        groups::Error::UnsupportedAssignor => ErrorCode::UnsupportedAssignor,
        groups::Error::InvalidRegularExpression => ErrorCode::InvalidRegularExpression,
        groups::Error::InvalidRequest { .. } => ErrorCode::InvalidRequest,
        groups::Error::UnknownSetting | groups::Error::InvalidSetting => ErrorCode::InvalidConfig,
        groups::Error::GroupSubscribedToTopic => ErrorCode::GroupSubscribedToTopic,
        groups::Error::InvalidProducerEpoch => ErrorCode::InvalidProducerEpoch,
    }
}

/// The code of an answer that a coordinator gave, or could not give.
pub(crate) fn coordinated<T>(answer: Result<Result<T, groups::Error>, Unavailable>) -> Result<T, ErrorCode> {
    match answer {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(group(error)),
        Err(Unavailable) => Err(ErrorCode::CoordinatorNotAvailable),
    }
}

pub(crate) fn transaction(error: groups::transactions::Error) -> ErrorCode {
    use groups::transactions::Error;
    match error {
        Error::InvalidRequest => ErrorCode::InvalidRequest,
        Error::InvalidTimeout => ErrorCode::InvalidTransactionTimeout,
        Error::InvalidProducerIdMapping => ErrorCode::InvalidProducerIdMapping,
        Error::ProducerFenced => ErrorCode::ProducerFenced,
        Error::InvalidState => ErrorCode::InvalidTxnState,
        Error::Concurrent => ErrorCode::ConcurrentTransactions,
        Error::NotInTransaction => ErrorCode::TransactionAbortable,
        Error::Full => ErrorCode::PolicyViolation,
        Error::NoProducerId => ErrorCode::CoordinatorLoadInProgress,
    }
}

/// The code of an answer about a transaction. Clients from before PRODUCER_FENCED know an invalid epoch instead.
pub(crate) fn transacted<T>(
    answer: Result<Result<T, groups::transactions::Error>, Unavailable>,
    knows_fencing: bool,
) -> Result<T, ErrorCode> {
    match answer {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(groups::transactions::Error::ProducerFenced)) if !knows_fencing => {
            Err(ErrorCode::InvalidProducerEpoch)
        }
        Ok(Err(error)) => Err(transaction(error)),
        Err(Unavailable) => Err(ErrorCode::CoordinatorNotAvailable),
    }
}
