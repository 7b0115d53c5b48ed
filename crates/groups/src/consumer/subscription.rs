//! Which topics the members want, of those that there are.

use std::collections::{BTreeMap, BTreeSet};

use regex::{Regex, RegexBuilder};

use super::{ConsumerGroup, MemberProfile};
use crate::step::Step;
use crate::topics_view::TopicView;
use crate::{Error, TopicsView};

/// Bytes that a compiled pattern may take.
const PATTERN_BYTES: usize = 1 << 20;

/// A pattern of topic names; the whole name must match.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Self, Error> {
        let compiled = RegexBuilder::new(&format!("^(?:{text})$")).size_limit(PATTERN_BYTES).build();
        compiled.map(Self).map_err(|_| Error::InvalidRegularExpression)
    }

    pub(super) fn matches(&self, topic: &str) -> bool {
        self.0.is_match(topic)
    }
}

/// Whether somebody wants something else than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Some,
    None,
}

/// The topics that anybody wants, as they were when looked at last.
#[derive(Debug, Default)]
pub(super) struct Subscribed {
    /// The version of the topics; `None` before the first look.
    version: Option<u64>,
    topics: BTreeMap<String, TopicView>,
    /// What each pattern matches.
    patterns: BTreeMap<String, BTreeSet<String>>,
    /// A digest of `topics`, which is written down with the group: topics that changed while nobody looked are noticed.
    pub(super) digest: i64,
}

impl Subscribed {
    /// The topics that one member wants.
    pub(super) fn of<'a>(&'a self, profile: &'a MemberProfile) -> impl Iterator<Item = TopicView> {
        let matched = profile.topic_pattern.as_ref().and_then(|pattern| self.patterns.get(pattern));
        let names: BTreeSet<&String> =
            profile.topic_names.iter().chain(matched.into_iter().flatten()).collect();
        names.into_iter().filter_map(|name| self.topics.get(name).copied())
    }

    pub(super) fn named(&self) -> impl Iterator<Item = (&str, TopicView)> {
        self.topics.iter().map(|(name, topic)| (name.as_str(), *topic))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = TopicView> {
        self.topics.values().copied()
    }

    fn look<'a>(
        &mut self,
        profiles: impl Iterator<Item = &'a MemberProfile> + Clone,
        topics: &dyn TopicsView,
    ) {
        self.version = Some(topics.version());
        let patterns: BTreeSet<&String> =
            profiles.clone().filter_map(|one| one.topic_pattern.as_ref()).collect();
        let existing = if patterns.is_empty() { Vec::new() } else { topics.names() };
        let matching = |text: &String| -> BTreeSet<String> {
            let Ok(pattern) = Pattern::new(text) else { return BTreeSet::new() };
            existing.iter().filter(|name| pattern.matches(name)).cloned().collect()
        };
        self.patterns = patterns.into_iter().map(|text| (text.clone(), matching(text))).collect();
        let named = profiles.flat_map(|profile| &profile.topic_names);
        let wanted: BTreeSet<&String> = named.chain(self.patterns.values().flatten()).collect();
        self.topics =
            wanted.into_iter().filter_map(|name| Some((name.clone(), topics.topic(name)?))).collect();
    }
}

impl ConsumerGroup {
    /// Looks at the topics if they, or what the members want of them, may have changed.
    pub(super) fn follow_topics(&mut self, change: Change, topics: &dyn TopicsView, step: &mut Step<'_>) {
        if change == Change::None && self.subscribed.version == Some(topics.version()) {
            return;
        }
        self.subscribed.look(self.members.values().map(|member| &member.profile), topics);
        let digest = digest(&self.subscribed.topics);
        if change == Change::Some || digest != self.subscribed.digest {
            self.subscribed.digest = digest;
            self.begin_epoch(step);
        }
    }

    /// Whether a member wants this topic.
    pub(crate) fn reads(&self, topic: &str) -> bool {
        self.members.values().any(|member| {
            let pattern = member.profile.topic_pattern.as_deref();
            member.profile.topic_names.contains(topic)
                || pattern.is_some_and(|text| Pattern::new(text).is_ok_and(|pattern| pattern.matches(topic)))
        })
    }
}

/// FNV-1a over names, ids and numbers of partitions.
fn digest(topics: &BTreeMap<String, TopicView>) -> i64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for (name, topic) in topics {
        add(name.as_bytes());
        add(&[0]);
        add(topic.id.as_bytes());
        add(&topic.partitions.to_be_bytes());
    }
    hash.cast_signed()
}
