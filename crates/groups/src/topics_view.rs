//! The topics that there are, as an argument.

use uuid::Uuid;

/// The topics that there are.
pub trait TopicsView {
    /// Another number whenever topics came, went or grew.
    fn version(&self) -> u64;

    /// The topic of this name.
    fn topic(&self, name: &str) -> Option<TopicView>;

    /// The names that a pattern may match.
    fn names(&self) -> Vec<String>;
}

/// What there is to share out of one topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicView {
    /// Its id.
    pub id: Uuid,
    /// How many partitions it has, counted from 0.
    pub partitions: u32,
}

/// No topics.
impl TopicsView for () {
    fn version(&self) -> u64 {
        0
    }

    fn topic(&self, _name: &str) -> Option<TopicView> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}
