//! Which transactions there are.

use super::{State, Transactions};

/// Which transactions are wanted. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In one of these states; empty for any.
    pub states: Vec<State>,
    /// Of one of these producers; empty for any.
    pub producer_ids: Vec<i64>,
    /// Open for longer than this, milliseconds.
    pub open_for_ms: Option<i64>,
}

/// One line of `ListTransactions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The transactional id.
    pub transactional_id: String,
    /// Its producer.
    pub producer_id: i64,
    /// Where it stands.
    pub state: State,
}

impl Transactions {
    /// The transactional ids that a filter lets through.
    pub fn list(&self, filter: &Filter, now_ms: i64) -> impl Iterator<Item = Listed> {
        self.iter()
            .filter(move |(_, found)| {
                let open_for_ms = if found.started_ms < 0 { -1 } else { now_ms - found.started_ms };
                found.state != State::Dead
                    && (filter.states.is_empty() || filter.states.contains(&found.state))
                    && (filter.producer_ids.is_empty() || filter.producer_ids.contains(&found.producer.id))
                    && filter.open_for_ms.is_none_or(|limit| open_for_ms > limit)
            })
            .map(|(transactional_id, found)| Listed {
                transactional_id: transactional_id.to_owned(),
                producer_id: found.producer.id,
                state: found.state,
            })
    }
}
