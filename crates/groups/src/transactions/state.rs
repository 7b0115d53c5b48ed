//! Where a transaction stands.

/// Where a transaction stands, with Kafka's names and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The producer has its id and no transaction yet.
    Empty,
    /// Records or offsets are in the transaction.
    Ongoing,
    /// It will be committed; markers are being written.
    PrepareCommit,
    /// It will be aborted; markers are being written.
    PrepareAbort,
    /// It was committed.
    CompleteCommit,
    /// It was aborted.
    CompleteAbort,
    /// The transactional id is being forgotten.
    Dead,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Empty,
        Self::Ongoing,
        Self::PrepareCommit,
        Self::PrepareAbort,
        Self::CompleteCommit,
        Self::CompleteAbort,
        Self::Dead,
    ];

    /// Kafka's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Ongoing => "Ongoing",
            Self::PrepareCommit => "PrepareCommit",
            Self::PrepareAbort => "PrepareAbort",
            Self::CompleteCommit => "CompleteCommit",
            Self::CompleteAbort => "CompleteAbort",
            Self::Dead => "Dead",
        }
    }

    /// Finds a state by Kafka's name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    pub(super) fn code(self) -> i8 {
        self as i8
    }

    pub(super) fn from_code(code: i8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The end is decided, and markers are being written.
    #[must_use]
    pub fn is_prepared(self) -> bool {
        matches!(self, Self::PrepareCommit | Self::PrepareAbort)
    }
}

/// In which manner a producer ends its transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// The epoch stays.
    V1,
    /// Every end raises the epoch (KIP-890).
    V2,
}

impl Version {
    /// The level of Kafka's feature `transaction.version`.
    pub(super) fn level(self) -> i16 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    pub(super) fn from_level(level: i16) -> Self {
        if level >= 2 { Self::V2 } else { Self::V1 }
    }
}
