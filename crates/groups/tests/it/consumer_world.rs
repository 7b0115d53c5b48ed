//! Topics, and members of a group of the consumer protocol as their clients see it.

use std::collections::{BTreeMap, BTreeSet};

use groups::{
    Assignment, ConsumerHeartbeat, ConsumerHeartbeatReply, Effect, Error, Event, Groups, TopicView,
    TopicsView,
};
use uuid::Uuid;

use crate::support::{GROUP, persisted};

/// The topics that there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Topics {
    version: u64,
    topics: BTreeMap<String, TopicView>,
}

impl Topics {
    pub(crate) fn with(topics: &[(&str, u32)]) -> Self {
        let mut all = Self::default();
        topics.iter().for_each(|(name, partitions)| all.set(name, *partitions));
        all
    }

    /// Creates a topic, or another one of that name if it was there, or deletes it for 0 partitions.
    pub(crate) fn set(&mut self, name: &str, partitions: u32) {
        self.version += 1;
        let id = Uuid::from_u128(u128::from(self.version));
        self.topics.insert(name.to_owned(), TopicView { id, partitions });
        if partitions == 0 {
            self.topics.remove(name);
        }
    }

    pub(crate) fn grow(&mut self, name: &str) {
        self.version += 1;
        if let Some(topic) = self.topics.get_mut(name) {
            topic.partitions += 1;
        }
    }

    /// Partitions by name, which is what a person sees.
    pub(crate) fn show(&self, assignment: &Assignment) -> Vec<String> {
        let name = |id| {
            let topic = self.topics.iter().find(|(_, topic)| topic.id == id);
            topic.map_or("gone", |(name, _)| name.as_str())
        };
        assignment.iter().map(|(id, index)| format!("{}-{index}", name(id))).collect()
    }

    pub(crate) fn partitions(&self, name: &str) -> Assignment {
        let topic = self.topics.get(name);
        let of =
            |topic: &TopicView| (0..topic.partitions).map(|index| (topic.id, index.cast_signed())).collect();
        topic.map(of).unwrap_or_default()
    }

    pub(crate) fn all_names(&self) -> Vec<String> {
        self.topics.keys().cloned().collect()
    }
}

impl TopicsView for Topics {
    fn version(&self) -> u64 {
        self.version
    }

    fn topic(&self, name: &str) -> Option<TopicView> {
        self.topics.get(name).copied()
    }

    fn names(&self) -> Vec<String> {
        self.all_names()
    }
}

/// A client with what it believes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) epoch: i32,
    pub(crate) topic_names: BTreeSet<String>,
    pub(crate) topic_pattern: Option<String>,
    pub(crate) owned: Assignment,
    /// What it has told of `owned`, and heard an answer to.
    pub(crate) told: Option<Assignment>,
}

impl Client {
    pub(crate) fn new(member_id: &str, topic_names: &[&str]) -> Self {
        Self {
            member_id: member_id.to_owned(),
            topic_names: topic_names.iter().map(|name| (*name).to_owned()).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn request(&self) -> ConsumerHeartbeat {
        let full = self.told.is_none();
        let owned = Some(self.owned.clone()).filter(|owned| self.told.as_ref() != Some(owned));
        ConsumerHeartbeat {
            group_id: GROUP.into(),
            member_id: self.member_id.clone(),
            epoch: self.epoch,
            instance_id: self.instance_id.clone(),
            rebalance_timeout_ms: full.then_some(60_000),
            topic_names: full.then(|| self.topic_names.clone()),
            topic_pattern: self.topic_pattern.clone().filter(|_| full),
            owned,
            client_id: "test".into(),
            ..ConsumerHeartbeat::default()
        }
    }

    /// Stops what it must give back, then takes what is new.
    pub(crate) fn take(&mut self, reply: Result<ConsumerHeartbeatReply, Error>) {
        match reply {
            Ok(reply) => {
                self.told = Some(self.owned.clone());
                self.epoch = reply.epoch;
                if let Some(assignment) = reply.assignment {
                    self.owned = assignment;
                }
            }
            Err(_) => self.start_over(),
        }
    }

    pub(crate) fn start_over(&mut self) {
        (self.epoch, self.owned, self.told) = (0, Assignment::default(), None);
    }
}

/// A group with its topics, the time, and all that was written.
pub(crate) struct Scene {
    pub(crate) groups: Groups,
    pub(crate) topics: Topics,
    pub(crate) now_ms: i64,
    pub(crate) events: Vec<Event>,
}

impl Scene {
    pub(crate) fn new(topics: &[(&str, u32)]) -> Self {
        Self { groups: crate::support::groups(), topics: Topics::with(topics), now_ms: 0, events: Vec::new() }
    }

    pub(crate) fn wrote(&mut self, effects: &[Effect]) {
        self.events.extend(persisted(effects));
    }

    pub(crate) fn ask(&mut self, request: ConsumerHeartbeat) -> Result<ConsumerHeartbeatReply, Error> {
        let (effects, reply) = self.groups.consumer_heartbeat(request, &self.topics, self.now_ms);
        self.wrote(&effects);
        reply
    }

    pub(crate) fn beat(&mut self, client: &mut Client) -> Result<(), Error> {
        let reply = self.ask(client.request());
        let error = reply.as_ref().map(|_| ()).map_err(|error| *error);
        client.take(reply);
        error
    }

    pub(crate) fn settle_without_state(&mut self, clients: &mut [&mut Client]) {
        for _ in 0..12 {
            for client in clients.iter_mut() {
                self.beat(client).expect("a member");
            }
        }
    }

    /// Lets everybody speak until nothing changes.
    pub(crate) fn settle(&mut self, clients: &mut [&mut Client]) {
        self.settle_without_state(clients);
        let group = self.groups.describe_consumer(GROUP).expect("a group");
        assert_eq!(group.state.name(), "Stable");
    }

    pub(crate) fn pass(&mut self, ms: i64) {
        self.now_ms += ms;
        let effects = self.groups.tick(self.now_ms);
        self.wrote(&effects);
    }

    pub(crate) fn owned(&self, client: &Client) -> Vec<String> {
        self.topics.show(&client.owned)
    }
}
