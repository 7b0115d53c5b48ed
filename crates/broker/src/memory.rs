//! The bytes that all connections together may hold, and one frame more.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One permit stands for this many bytes, so that budgets beyond 4 GiB fit the semaphore's counter.
const UNIT: usize = 1024;

/// The bytes that all connections together may hold.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    free: Arc<Semaphore>,
    /// Whoever holds this may exceed the budget. Without it, half frames that each wait for memory that the others
    /// hold would wait for ever; with it they finish one by one.
    overdraft: Arc<Semaphore>,
    units: usize,
}

impl Memory {
    pub(crate) fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT).clamp(1, u32::MAX as usize);
        Self { free: Arc::new(Semaphore::new(units)), overdraft: Arc::new(Semaphore::new(1)), units }
    }

    /// A lease of nothing, to be grown.
    pub(crate) fn lease(&self) -> Lease {
        Lease { memory: self.clone(), held: None, overdraft: None }
    }
}

/// Some of the budget; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Lease {
    memory: Memory,
    held: Option<OwnedSemaphorePermit>,
    overdraft: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// Waits until the lease covers `bytes` in all. Nothing larger than the whole budget is waited for.
    pub(crate) async fn grow_to(&mut self, bytes: usize) {
        let wanted = bytes.div_ceil(UNIT).min(self.memory.units);
        let missing = wanted.saturating_sub(self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if missing == 0 || self.overdraft.is_some() {
            return;
        }
        let count = u32::try_from(missing).expect("the budget was clamped to this range");
        let permit = Arc::clone(&self.memory.free).acquire_many_owned(count);
        let overdraft = Arc::clone(&self.memory.overdraft).acquire_owned();
        tokio::select! {
            biased;
            permit = permit => self.merge(permit.expect("the semaphore is never closed")),
            permit = overdraft, if self.held.is_some() => {
                self.overdraft = Some(permit.expect("the semaphore is never closed"));
            }
        }
    }

    /// Gives back what goes beyond `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let wanted = bytes.div_ceil(UNIT);
        if let Some(held) = &mut self.held {
            let excess = held.num_permits().saturating_sub(wanted);
            drop(held.split(excess));
        }
    }

    /// Takes over what another lease holds.
    pub(crate) fn absorb(&mut self, mut other: Lease) {
        if let Some(permit) = other.held.take() {
            self.merge(permit);
        }
        self.overdraft = self.overdraft.take().or(other.overdraft);
    }

    fn merge(&mut self, permit: OwnedSemaphorePermit) {
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_dropped_comes_back() {
        let memory = Memory::new(10 * UNIT);
        let mut one = memory.lease();
        one.grow_to(9 * UNIT).await;
        assert_eq!(memory.free.available_permits(), 1);
        one.shrink_to(2 * UNIT);
        assert_eq!(memory.free.available_permits(), 8);
        let mut two = memory.lease();
        two.grow_to(3 * UNIT - 1).await;
        one.absorb(two);
        assert_eq!(memory.free.available_permits(), 5);
        drop(one);
        assert_eq!(memory.free.available_permits(), 10);
    }

    #[tokio::test]
    async fn two_who_wait_for_each_other_finish_one_by_one() {
        let memory = Memory::new(4 * UNIT);
        let (mut one, mut two) = (memory.lease(), memory.lease());
        one.grow_to(2 * UNIT).await;
        two.grow_to(2 * UNIT).await;
        one.grow_to(4 * UNIT).await;
        assert_eq!(memory.overdraft.available_permits(), 0);
        let waiting = tokio::spawn(async move { two.grow_to(4 * UNIT).await });
        drop(one);
        waiting.await.unwrap();
        assert_eq!(memory.free.available_permits(), 4);
    }

    #[tokio::test]
    async fn more_than_the_whole_is_as_much_as_the_whole() {
        let memory = Memory::new(2 * UNIT);
        let mut lease = memory.lease();
        lease.grow_to(1 << 40).await;
        assert_eq!(memory.free.available_permits(), 0);
    }
}
