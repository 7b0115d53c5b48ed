//! Which topics the members of a consumers' group read, as far as their metadata tells.

use bytes::Buf;

use super::{ClassicGroup, State};

/// The protocol type of consumers, the only one whose metadata is looked into.
const CONSUMERS: &str = "consumer";

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
            read |= subscribed_topics(&member.metadata(protocol))?.iter().any(|name| name == topic);
        }
        Some(read)
    }
}

/// The topics of a `ConsumerProtocolSubscription`: a version, then names.
fn subscribed_topics(mut metadata: &[u8]) -> Option<Vec<String>> {
    let metadata = &mut metadata;
    metadata.try_get_i16().ok()?;
    let count = metadata.try_get_i32().ok()?;
    let mut topics = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(metadata.try_get_i16().ok()?).ok()?;
        let (name, rest) = metadata.split_at_checked(length)?;
        topics.push(std::str::from_utf8(name).ok()?.to_owned());
        *metadata = rest;
    }
    Some(topics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_garbage_is_not() {
        let metadata = b"\0\x01\0\0\0\x02\0\x01t\0\x02uv\xff\xff\xff\xff";
        assert_eq!(subscribed_topics(metadata), Some(vec!["t".to_owned(), "uv".to_owned()]));
        for end in 0..13 {
            assert_eq!(subscribed_topics(&metadata[..end]), None, "{end}");
        }
        assert_eq!(subscribed_topics(b"\0\x01\x7f\xff\xff\xff\0\x01\xff"), None);
    }
}
