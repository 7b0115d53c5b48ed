//! What a broker refused, in words: one line that says what to do.

use std::fmt;

use protocol::ErrorCode;

/// An error code that a broker answered.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// The code.
    pub(crate) code: ErrorCode,
    /// What was asked for: `create topic orders`.
    doing: String,
    /// What the broker said beside the code.
    said: Option<String>,
}

impl Refusal {
    /// Judges a code of the wire.
    pub(crate) fn check(code: i16, said: Option<&str>, doing: impl FnOnce() -> String) -> Result<(), Self> {
        match ErrorCode::from_code(code) {
            ErrorCode::None => Ok(()),
            code => Err(Self { code, doing: doing(), said: said.map(str::to_owned) }),
        }
    }

    /// Whether it is gone soon: an election, a coordinator that loads.
    pub(crate) fn is_passing(&self) -> bool {
        self.code.is_retriable()
    }

    /// The code of an error, if a broker refused.
    pub(crate) fn code_of(error: &anyhow::Error) -> Option<ErrorCode> {
        error.downcast_ref::<Refusal>().map(|refusal| refusal.code)
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.doing)?;
        match (advice(self.code), &self.said) {
            (Some(advice), _) => write!(f, "{advice} ({})", self.code),
            // The broker's own text is repeated when it says more than its code.
            (None, Some(said)) if !said.is_empty() => {
                write!(f, "{} ({})", said.trim_end_matches('.'), self.code)
            }
            (None, _) => write!(f, "the broker answers {}", self.code),
        }
    }
}

/// What a code means for somebody at a terminal, and what to do; none where the broker's text is better.
fn advice(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::TopicAuthorizationFailed => {
            "not allowed on this topic; ask its owner for the right, or connect as somebody else"
        }
        ErrorCode::GroupAuthorizationFailed => {
            "not allowed on this group; ask its owner for the right, or connect as somebody else"
        }
        ErrorCode::ClusterAuthorizationFailed => {
            "not allowed on this cluster; ask its operator for the right, or connect as somebody else"
        }
        ErrorCode::TransactionalIdAuthorizationFailed => "not allowed to use this transactional id",
        ErrorCode::UnknownTopicOrPartition => "no such topic or partition",
        ErrorCode::TopicAlreadyExists => "the topic exists already; --if-not-exists makes that fine",
        ErrorCode::NonEmptyGroup => "the group has members; stop its consumers first",
        ErrorCode::GroupIdNotFound => "no such group; `pelton group list` shows those there are",
        ErrorCode::GroupSubscribedToTopic => "the group is subscribed to the topic; stop its consumers first",
        ErrorCode::OffsetOutOfRange => {
            "there is no such offset; `pelton topic offsets` shows those there are"
        }
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => {
            "larger than the topic takes; raise its max.message.bytes with `pelton topic alter --config`"
        }
        ErrorCode::CoordinatorNotAvailable | ErrorCode::CoordinatorLoadInProgress => {
            "the coordinator is not ready yet; try again in a moment"
        }
        ErrorCode::UnstableOffsetCommit => "a transaction that writes these offsets is open; try again later",
        ErrorCode::ProducerFenced | ErrorCode::InvalidProducerEpoch => {
            "another producer took over this transactional id"
        }
        ErrorCode::KafkaStorageError => "the broker's disk failed or is full; its log says more",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(code: ErrorCode, said: Option<&str>) -> String {
        Refusal::check(code.code(), said, || "delete group g".to_owned()).unwrap_err().to_string()
    }

    #[test]
    fn a_refusal_is_one_line_with_what_to_do() {
        assert_eq!(
            line(ErrorCode::NonEmptyGroup, None),
            "delete group g: the group has members; stop its consumers first (NON_EMPTY_GROUP)"
        );
        assert_eq!(
            line(ErrorCode::InvalidConfig, Some("Unknown topic config name: a.")),
            "delete group g: Unknown topic config name: a (INVALID_CONFIG)"
        );
        assert_eq!(
            line(ErrorCode::InvalidTxnState, None),
            "delete group g: the broker answers INVALID_TXN_STATE"
        );
    }

    #[test]
    fn no_error_is_no_refusal() {
        assert!(Refusal::check(0, None, String::new).is_ok());
    }
}
