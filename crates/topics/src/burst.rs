//! Appends of one caller that came together: one write per partition and not one per batch.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::owner::{Answers, send};
use crate::partition::{Acks, AppendFuture, Core};
use crate::writer::Append;
use crate::{AppendError, Partition};

/// Gathers appends between [`gather`](Self::gather) and [`run`](Self::run). Outside of them nothing is put off.
///
/// Whoever drops it without [`run`](Self::run) has appended nothing of what it gathered.
#[derive(Debug, Default)]
pub struct Burst {
    gathers: bool,
    appends: Vec<Append>,
}

impl Burst {
    /// From now on appends wait for [`run`](Self::run).
    pub fn gather(&mut self) {
        self.gathers = true;
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.appends.is_empty()
    }

    /// As [`Partition::enqueue`], now or with what else is gathered. Batches are checked now.
    ///
    /// # Errors
    /// When the batches are refused at once; the future carries what is found later.
    pub fn enqueue(
        &mut self,
        partition: &Partition,
        batches: Bytes,
        acks: Acks,
    ) -> Result<AppendFuture, AppendError> {
        if !self.gathers {
            return partition.enqueue(batches, acks);
        }
        let batches = partition.admit(batches, false)?;
        let (answer, future) = oneshot::channel();
        self.appends.push(Append { core: Arc::clone(&partition.core), batches, acks, answer });
        Ok(AppendFuture::new(future))
    }

    /// Makes the appends that were gathered, in their order, and gathers no more.
    pub fn run(&mut self) {
        self.gathers = false;
        let mut answers = Answers::new();
        for (core, appends) in by_partition(mem::take(&mut self.appends)) {
            core.append_together(appends, &mut answers);
        }
        send(&mut answers);
    }
}

/// Groups appends by partition; partitions in the order of their first append.
pub(crate) fn by_partition(appends: Vec<Append>) -> Vec<(Arc<Core>, Vec<Append>)> {
    let mut rounds: Vec<(Arc<Core>, Vec<Append>)> = Vec::new();
    let mut places: HashMap<u64, usize> = HashMap::new();
    for append in appends {
        if let Some((core, round)) = rounds.last_mut()
            && core.slot == append.core.slot
        {
            round.push(append);
            continue;
        }
        let place = *places.entry(append.core.slot).or_insert_with(|| {
            rounds.push((Arc::clone(&append.core), Vec::new()));
            rounds.len() - 1
        });
        rounds[place].1.push(append);
    }
    rounds
}
