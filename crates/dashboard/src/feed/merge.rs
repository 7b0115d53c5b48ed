//! The gallery's topics as one sequence of events, in order of time.
//!
//! Reading them one after the other would show, after a restart, all questions before the first answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use topics::Topics;

use super::event::{Event, Role};
use super::input::{Chunk, Input};
use crate::Gallery;
use crate::wire::Kind;

#[derive(Debug)]
pub(super) struct Merge {
    gallery: Arc<Gallery>,
    history: u32,
    inputs: Vec<Input>,
    /// Told when any of the inputs has grown.
    grown: Arc<Notify>,
    watchers: JoinSet<()>,
    pub(super) unreadable: BTreeMap<String, u64>,
}

impl Merge {
    pub(super) fn new(gallery: Gallery, history: u32) -> Self {
        Merge {
            gallery: Arc::new(gallery),
            history,
            inputs: Vec::new(),
            grown: Arc::new(Notify::new()),
            watchers: JoinSet::new(),
            unreadable: BTreeMap::new(),
        }
    }

    /// Takes up partitions that are new, and lets go of those whose topic is gone.
    pub(super) fn discover(&mut self, topics: &Topics) {
        let roles = [
            (&self.gallery.enrol, Role::Question(Kind::Enrolled)),
            (&self.gallery.placed, Role::Answer(Kind::Enrolled)),
            (&self.gallery.uploads, Role::Question(Kind::Uploaded)),
            (&self.gallery.assigned, Role::Answer(Kind::Uploaded)),
            (&self.gallery.labels, Role::Label),
        ];
        let found: Vec<_> =
            roles.into_iter().filter_map(|(name, role)| Some((topics.topic(name)?, role))).collect();
        self.inputs
            .retain(|input| found.iter().any(|(topic, role)| topic.id() == input.id && *role == input.role));
        for (topic, role) in found {
            for index in 0..topic.partition_count() {
                let Some(partition) = topic.partition(index) else { continue };
                let known = |input: &Input| {
                    input.id == topic.id() && input.role == role && input.partition.index() == index
                };
                if !self.inputs.iter().any(known) {
                    self.follow(Input::new(role, &topic, partition, self.history));
                }
            }
        }
        while self.watchers.try_join_next().is_some() {}
    }

    /// Waits until an input has grown.
    pub(super) fn grown(&self) -> Arc<Notify> {
        Arc::clone(&self.grown)
    }

    /// Up to `limit` events; fewer mean that there are no more for now.
    pub(super) async fn next(&mut self, limit: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < limit {
            self.fill().await;
            let earliest = self
                .inputs
                .iter_mut()
                .filter_map(|input| Some((input.head_ms()?, input)))
                .min_by_key(|(head_ms, _)| *head_ms);
            let Some(event) = earliest.and_then(|(_, input)| input.pop()) else { break };
            events.push(event);
        }
        events
    }

    /// Reads wherever nothing is at hand but the log has more, so that the earliest event is among the heads.
    async fn fill(&mut self) {
        for input in &mut self.inputs {
            while let Some((partition, role, from)) = input.wanted() {
                let gallery = Arc::clone(&self.gallery);
                let read = move || super::input::read(&partition, role, from, &gallery);
                let Ok(chunk) = tokio::task::spawn_blocking(read).await else { return };
                count_unreadable(&mut self.unreadable, &input.topic, &chunk);
                input.fill(chunk);
            }
        }
    }

    fn follow(&mut self, input: Input) {
        let (mut end, grown) = (input.partition.watch(), Arc::clone(&self.grown));
        self.watchers.spawn(async move {
            while end.changed().await.is_ok() {
                grown.notify_one();
            }
        });
        self.grown.notify_one();
        self.inputs.push(input);
    }
}

fn count_unreadable(counts: &mut BTreeMap<String, u64>, topic: &str, chunk: &Chunk) {
    if chunk.unreadable > 0 {
        *counts.entry(topic.to_owned()).or_default() += chunk.unreadable;
    }
}
