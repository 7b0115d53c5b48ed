//! What happens because nobody asks: transactions that stay open, ids that nobody uses.

use super::{Effect, State, Transactions};

impl Transactions {
    /// When [`Transactions::tick`] has something to do, if ever.
    #[must_use]
    pub fn next_deadline(&self) -> Option<i64> {
        self.first_deadline().map(|(at, _)| *at)
    }

    /// Aborts transactions that stayed open for too long, which fences their producers, and forgets ids that were not
    /// used for too long.
    pub fn tick(&mut self, now_ms: i64) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some((_, transactional_id)) = self.first_deadline().filter(|(at, _)| *at <= now_ms).cloned()
        {
            let Some(mut transaction) = self.get(&transactional_id).cloned() else { break };
            if transaction.state == State::Ongoing {
                transaction.fence(now_ms);
                effects.extend(self.prepare(&transactional_id, transaction));
            } else {
                effects.push(self.bury(transactional_id));
            }
        }
        effects
    }
}
