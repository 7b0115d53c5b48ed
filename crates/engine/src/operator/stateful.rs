//! What operators that remember have in common.

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;
use futures::future::BoxFuture;

use crate::state::StateError;
use crate::state::keeper::Keeper;

/// Whose state it is, and how large it may grow.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The query's lasting id.
    pub(crate) query: String,
    /// The number of the operator's first state among the query's.
    pub(crate) operator: u32,
    /// Bytes that each state may take in memory.
    pub(crate) state_bytes_max: usize,
}

/// Which batch it is, and how far event time has come. Times are microseconds since the epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The batch's id.
    pub(crate) batch: u64,
    /// The watermark before the batch: rows that it has ended come too late.
    pub(crate) late: Option<i64>,
    /// The watermark after the batch: what it ends is complete.
    pub(crate) watermark: Option<i64>,
    /// The watermark before the last batch: what Spark calls late. Only who promises Spark's batches asks for it.
    pub(crate) earlier: Option<i64>,
}

impl Moment {
    /// The same for who gets rows that were held back.
    pub(crate) fn behind(self, by_us: i64) -> Moment {
        let before = |time: Option<i64>| time.map(|time| time.saturating_sub(by_us));
        Moment {
            late: before(self.late),
            watermark: before(self.watermark),
            earlier: before(self.earlier),
            ..self
        }
    }
}

/// What leaves an operator.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    pub(crate) rows: Vec<RecordBatch>,
    /// Rows that left with earlier batches and whose place others take, for who asks for them.
    pub(crate) back: Vec<RecordBatch>,
    /// Input that came too late, as it came.
    pub(crate) late: Vec<RecordBatch>,
}

/// What there is to say about an operator's state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StateFigures {
    pub(crate) keys: usize,
    pub(crate) bytes: usize,
}

impl StateFigures {
    pub(crate) fn of<const N: usize>(keepers: [&Keeper; N]) -> Self {
        let stores = keepers.map(Keeper::store);
        let keys = stores.iter().map(|store| store.len()).sum();
        StateFigures { keys, bytes: stores.iter().map(|store| store.size()).sum() }
    }
}

/// Why a batch could not be merged or state not be written or restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperatorError {
    /// An expression or a function failed on these rows.
    #[error("run batch {batch}")]
    Run {
        /// The batch.
        batch: u64,
        /// What DataFusion said.
        source: DataFusionError,
    },
    /// The state could not be changed, written or read.
    #[error(transparent)]
    State(#[from] StateError),
}

/// An operator that remembers. A batch is merged and staged, and becomes the state with [`Operator::commit`].
pub(crate) trait Operator: std::fmt::Debug + Send + Sync {
    /// Takes one batch in, one list of rows per input; for who reads results that change, behind it those that hold no more. The same rows over the same state give the same results in
    /// the same order, also after a restore.
    ///
    /// # Errors
    /// The state is as it was, and the batch may be merged again.
    fn merge<'a>(
        &'a mut self,
        inputs: Vec<Vec<RecordBatch>>,
        moment: &'a Moment,
    ) -> BoxFuture<'a, Result<Merged, OperatorError>>;

    /// The staged changes as a record for the journal; none when nothing changed.
    fn changelog(&self) -> Result<Option<Vec<u8>>, StateError>;

    /// Makes the staged batch the state.
    fn commit(&mut self);

    /// Forgets the staged batch.
    fn abort(&mut self);

    /// All committed state as a record.
    fn snapshot(&self) -> Result<Vec<u8>, StateError>;

    /// Replaces the state by a snapshot and the changelogs after it, oldest first; those that the snapshot
    /// already holds are passed over. Gives the batch of the newest record.
    ///
    /// # Errors
    /// The state is as it was.
    fn restore(
        &mut self,
        snapshot: Option<&[u8]>,
        changelogs: &[&[u8]],
    ) -> Result<Option<u64>, OperatorError>;

    /// By how many microseconds event time may lie behind the watermark in what leaves.
    fn holds_back(&self) -> i64 {
        0
    }

    /// When it has something to do although no rows come, in Unix milliseconds.
    fn due_ms(&self) -> Option<i64> {
        None
    }

    /// How much is remembered.
    fn figures(&self) -> StateFigures;
}
