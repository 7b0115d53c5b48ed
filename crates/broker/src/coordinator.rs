//! The owner of all consumer groups: one task that runs `groups` and writes its events down.
//!
//! Requests come in by a bounded queue, one after the other. What they change goes to `__consumer_offsets` in
//! one batch per burst; replies wait until everything that was decided before them is durable, so that nobody
//! ever hears of a commit that a crash could take back. Heartbeats alone do not wait: they tell nothing that is
//! written down.

mod command;
mod topics_view;

use std::collections::HashMap;
use std::time::Duration;

use env::Env;
use groups::{Effect, Event, Groups, Ticket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use topics::Topics;

use crate::journal::{Journal, JournalError, Release, Unavailable};
use crate::mailbox::Reply;
use crate::steady_time::SteadyTime;
use command::{Administration, Command};
pub(crate) use command::{Coordinator, FetchedOffsets, Joined, OffsetsQuery, Position};
use topics_view::LiveTopics;

/// Requests that may wait for the owner.
const QUEUE: usize = 1_024;
/// Requests whose events share one batch.
const BURST: usize = 256;
/// How often groups that nobody uses are looked for.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(600);
const MAX_SLEEP_MS: i64 = 3_600_000;
/// A disk that stays full is not read over and over.
const RELOAD_INTERVAL_MS: i64 = 1_000;

/// Reads what was written before and starts the owner.
pub(crate) fn start(
    config: groups::Config,
    topics: &Topics,
    env: &Env,
) -> Result<(Coordinator, JoinHandle<()>, uuid::Uuid), JournalError> {
    let time = SteadyTime::new(env);
    let mut groups = Groups::new(config.clone());
    let now_ms = time.now_ms();
    let journal = Journal::open(topics, |event| groups.replay(event, now_ms))?;
    groups.replayed(now_ms);
    let topic_id = journal.topic_id();
    let (sender, queue) = mpsc::channel(QUEUE);
    let owner = Owner {
        topics: LiveTopics::new(topics),
        config,
        groups,
        journal,
        time,
        joins: HashMap::new(),
        syncs: HashMap::new(),
        tickets: 0,
        reloaded_ms: 0,
    };
    let task = tokio::spawn(owner.run(queue));
    Ok((Coordinator::new(sender), task, topic_id))
}

struct Owner {
    topics: LiveTopics,
    config: groups::Config,
    groups: Groups,
    journal: Journal<Event>,
    time: SteadyTime,
    joins: HashMap<Ticket, Reply<Joined>>,
    syncs: HashMap<Ticket, Reply<Result<groups::SyncReply, groups::Error>>>,
    tickets: u64,
    reloaded_ms: i64,
}

impl Owner {
    async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut expiry = tokio::time::interval(EXPIRY_INTERVAL);
        expiry.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut burst = Vec::with_capacity(BURST);
        loop {
            let sleep = self.until_deadline();
            tokio::select! {
                biased;
                () = self.journal.settle(), if self.journal.is_waiting() => {}
                () = tokio::time::sleep(sleep) => {
                    let effects = self.groups.tick(self.time.now_ms());
                    self.take(effects, Vec::new());
                }
                received = queue.recv_many(&mut burst, BURST) => {
                    if received == 0 {
                        break;
                    }
                    for command in burst.drain(..) {
                        self.execute(command);
                    }
                }
                _ = expiry.tick() => {
                    let effects = self.groups.expire(self.time.now_ms());
                    self.take(effects, Vec::new());
                }
            }
            self.journal.flush();
            if self.journal.wants_reload() {
                self.reload();
            }
        }
        self.journal.finish().await;
    }

    /// Something was decided that could not be written: the disk's word counts. Those who wait are sent away, and
    /// come back to the groups as they were.
    fn reload(&mut self) {
        let now_ms = self.time.now_ms();
        if now_ms < self.reloaded_ms + RELOAD_INTERVAL_MS {
            return;
        }
        self.reloaded_ms = now_ms;
        self.joins.clear();
        self.syncs.clear();
        let mut groups = Groups::new(self.config.clone());
        if let Err(error) = self.journal.reload(|event| groups.replay(event, now_ms)) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the consumer groups cannot be read again"
            );
            return;
        }
        groups.replayed(now_ms);
        self.groups = groups;
        tracing::warn!("consumer groups were read again");
    }

    fn until_deadline(&self) -> Duration {
        let now_ms = self.time.now_ms();
        let at = self.groups.next_deadline().unwrap_or(i64::MAX);
        let ms = at.saturating_sub(now_ms).clamp(0, MAX_SLEEP_MS);
        Duration::from_millis(u64::try_from(ms).expect("it was clamped to a positive range"))
    }

    fn execute(&mut self, command: Command) {
        let now_ms = self.time.now_ms();
        match command {
            Command::Join(request, reply) => {
                let ticket = self.ticket();
                self.joins.insert(ticket, reply);
                let effects = self.groups.join(*request, ticket, &self.topics, now_ms);
                self.take(effects, Vec::new());
            }
            Command::Sync(request, reply) => {
                let ticket = self.ticket();
                self.syncs.insert(ticket, reply);
                let effects = self.groups.sync(request, ticket, &self.topics, now_ms);
                self.take(effects, Vec::new());
            }
            Command::Heartbeat(group_id, member, reply) => {
                let (effects, beaten) = self.groups.heartbeat(&group_id, &member, &self.topics, now_ms);
                self.beaten(effects, release(reply, beaten), false);
            }
            Command::Leave(request, reply) => {
                let (effects, outcomes) = self.groups.leave(&request, now_ms);
                self.take(effects, vec![release(reply, outcomes)]);
            }
            Command::ConsumerHeartbeat(request, reply) => self.consumer_heartbeat(*request, reply),
            Command::Commit(mut request, reply) => {
                self.stamp(&mut request);
                let committed = self.groups.commit(request, now_ms);
                self.committed(committed, reply);
            }
            Command::CommitTransactional(mut request, producer, reply) => {
                self.stamp(&mut request);
                let committed = self.groups.commit_transactional(request, producer, now_ms);
                self.committed(committed, reply);
            }
            Command::EndTransaction(producer, commit, reply) => {
                let effects = self.groups.end_transaction(producer, commit, now_ms);
                self.take(effects, vec![release(reply, ())]);
            }
            Command::Administer(command) => self.administer(command),
        }
    }

    fn administer(&mut self, command: Administration) {
        let now_ms = self.time.now_ms();
        match command {
            Administration::Offsets(queries, reply) => {
                let fetched = queries.into_iter().map(|query| query.answer(&self.groups)).collect();
                self.take(Vec::new(), vec![release(reply, fetched)]);
            }
            Administration::DeleteOffsets(group_id, partitions, reply) => {
                let deleted = self.groups.delete_offsets(&group_id, &partitions, now_ms);
                self.committed(deleted, reply);
            }
            Administration::Describe(group_ids, reply) => {
                let described = group_ids.iter().map(|group_id| self.groups.describe(group_id)).collect();
                self.take(Vec::new(), vec![release(reply, described)]);
            }
            Administration::DescribeConsumer(group_ids, reply) => {
                let described = group_ids.iter().map(|group_id| self.groups.describe_consumer(group_id));
                let described = described.collect();
                self.take(Vec::new(), vec![release(reply, described)]);
            }
            Administration::List(reply) => {
                let listed = self.groups.list().collect();
                self.take(Vec::new(), vec![release(reply, listed)]);
            }
            Administration::Delete(group_ids, reply) => self.delete(&group_ids, reply),
            Administration::Settings(group_ids, reply) => {
                let settings = group_ids.iter().map(|group_id| self.groups.settings(group_id)).collect();
                self.take(Vec::new(), vec![release(reply, settings)]);
            }
            Administration::AlterSettings { group_id, changes, validate_only: true, reply } => {
                let checked = self.groups.check_settings(&group_id, &changes).map(drop);
                self.take(Vec::new(), vec![release(reply, checked)]);
            }
            Administration::AlterSettings { group_id, changes, validate_only: false, reply } => {
                match self.groups.alter_settings(&group_id, &changes) {
                    Ok(effects) => self.take(effects, vec![release(reply, Ok(()))]),
                    Err(error) => self.take(Vec::new(), vec![release(reply, Err(error))]),
                }
            }
            Administration::ForgetTopic(topic) => {
                let effects = self.groups.forget_topic(&topic, now_ms);
                self.take(effects, Vec::new());
            }
        }
    }

    fn consumer_heartbeat(
        &mut self,
        request: groups::ConsumerHeartbeat,
        reply: Reply<Result<groups::ConsumerHeartbeatReply, groups::Error>>,
    ) {
        let now_ms = self.time.now_ms();
        let (effects, answer) = self.groups.consumer_heartbeat(request, &self.topics, now_ms);
        let tells = answer.as_ref().is_ok_and(|answer| answer.assignment.is_some());
        self.beaten(effects, release(reply, answer), tells);
    }

    /// A heartbeat that changed nothing and tells nothing but what the member knows does not wait for the disk.
    fn beaten(&mut self, effects: Vec<Effect>, answer: Release, tells: bool) {
        if effects.is_empty() && !tells {
            answer(self.journal.check());
        } else {
            self.take(effects, vec![answer]);
        }
    }

    /// The commit's time is the broker's.
    fn stamp(&self, request: &mut groups::CommitRequest) {
        let now_ms = self.time.wall_ms();
        request.offsets.iter_mut().for_each(|(_, _, committed)| committed.commit_timestamp_ms = now_ms);
    }

    fn committed(
        &mut self,
        committed: Result<(Vec<Effect>, groups::Outcomes), groups::Error>,
        reply: Reply<Result<groups::Outcomes, groups::Error>>,
    ) {
        match committed {
            Ok((effects, outcomes)) => self.take(effects, vec![release(reply, Ok(outcomes))]),
            Err(error) => self.take(Vec::new(), vec![release(reply, Err(error))]),
        }
    }

    fn delete(&mut self, group_ids: &[String], reply: Reply<Vec<Result<(), groups::Error>>>) {
        let now_ms = self.time.now_ms();
        let mut effects = Vec::new();
        let mut outcomes = Vec::with_capacity(group_ids.len());
        for group_id in group_ids {
            let deleted = self.groups.delete(group_id, now_ms);
            outcomes.push(deleted.map(|more| effects.extend(more)));
        }
        self.take(effects, vec![release(reply, outcomes)]);
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Hands events and replies to the journal: the replies leave after the events are durable.
    fn take(&mut self, effects: Vec<Effect>, mut releases: Vec<Release>) {
        let mut events: Vec<Event> = Vec::new();
        for effect in effects {
            match effect {
                Effect::Persist(event) => events.push(event),
                Effect::Joined { ticket, reply } => {
                    releases.extend(self.joins.remove(&ticket).map(|waiting| release(waiting, reply)));
                }
                Effect::Synced { ticket, reply } => {
                    releases.extend(self.syncs.remove(&ticket).map(|waiting| release(waiting, reply)));
                }
            }
        }
        self.journal.push(&events, releases, self.time.wall_ms());
    }
}

fn release<T: Send + 'static>(reply: Reply<T>, answer: T) -> Release {
    Box::new(move |written: Result<(), Unavailable>| drop(reply.send(written.map(|()| answer))))
}
