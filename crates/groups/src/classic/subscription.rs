//! Which topics the members of a consumers' group read, as far as their metadata tells.

use super::{ClassicGroup, State};
use crate::consumer_protocol::{CONSUMERS, Subscription};

impl ClassicGroup {
    /// Since when nobody has used a committed position of this topic; `None` while somebody may be using it.
    pub(crate) fn unused_since_ms(&self, topic: &str, committed_ms: i64) -> Option<i64> {
        match self.state {
            State::Empty if self.protocol_type.is_empty() => Some(committed_ms),
            State::Empty => Some(self.state_timestamp_ms.max(committed_ms)),
            State::Stable if self.reads(topic) == Some(false) => Some(committed_ms),
            State::PreparingRebalance | State::CompletingRebalance | State::Stable => None,
        }
    }

    /// Whether a member is subscribed to the topic; `None` if that cannot be known.
    pub(crate) fn reads(&self, topic: &str) -> Option<bool> {
        if self.protocol_type != CONSUMERS {
            return None;
        }
        let protocol = self.protocol.as_deref()?;
        let mut read = false;
        for member in self.members.values() {
            read |= Subscription::decode(&member.metadata(protocol))?.topics.contains(topic);
        }
        Some(read)
    }
}
