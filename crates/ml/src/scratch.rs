//! Room for numbers that are needed while one row is answered or learned, and never after: each thread keeps what it
//! needed before, so that no row asks the system's allocator for memory of its own.

use std::cell::RefCell;
use std::fmt::{self, Debug, Formatter};
use std::ops::{Deref, DerefMut};

/// Vectors that a thread keeps, and the numbers that the widest of them has room for (512 KiB).
const KEPT_MAX: usize = 32;
const NUMBERS_MAX: usize = 1 << 16;

thread_local! {
    static KEPT: RefCell<Vec<Vec<f64>>> = const { RefCell::new(Vec::new()) };
}

/// An empty vector that goes back to its thread when it is no longer needed.
#[derive(Default)]
pub(crate) struct Lent(Vec<f64>);

impl Lent {
    pub(crate) fn new() -> Self {
        Lent(KEPT.try_with(|kept| kept.borrow_mut().pop()).ok().flatten().unwrap_or_default())
    }

    /// One of so many zeros.
    pub(crate) fn zeros(count: usize) -> Self {
        let mut lent = Lent::new();
        lent.resize(count, 0.0);
        lent
    }

    /// One of these numbers.
    pub(crate) fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut lent = Lent::new();
        lent.extend(numbers);
        lent
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut numbers = std::mem::take(&mut self.0);
        if !(1..=NUMBERS_MAX).contains(&numbers.capacity()) {
            return;
        }
        numbers.clear();
        // A thread that ends keeps nothing any more.
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEPT_MAX {
                kept.push(numbers);
            }
        });
    }
}

impl Clone for Lent {
    fn clone(&self) -> Self {
        Lent::of(self.iter().copied())
    }
}

impl PartialEq for Lent {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Debug for Lent {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Deref for Lent {
    type Target = Vec<f64>;

    fn deref(&self) -> &Vec<f64> {
        &self.0
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Vec<f64> {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_lent_again_and_empty() {
        let first = Lent::of([1.0, 2.0, 3.0]);
        let (twin, place) = (first.clone(), first.as_ptr());
        assert_eq!(*twin, [1.0, 2.0, 3.0]);
        drop(first);
        let again = Lent::new();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        // One that is still lent is nobody else's.
        assert_ne!(Lent::zeros(3).as_ptr(), again.as_ptr());
        assert_ne!(twin.as_ptr(), again.as_ptr());
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        KEPT.take();
        let (many, wide): (Vec<Lent>, _) =
            ((0..2 * KEPT_MAX).map(|_| Lent::zeros(4)).collect(), Lent::zeros(NUMBERS_MAX + 1));
        drop(wide);
        drop(many);
        let kept = KEPT.with_borrow(|kept| (kept.len(), kept.iter().map(Vec::capacity).max()));
        assert_eq!(kept, (KEPT_MAX, Some(4)));
    }
}
