//! Opening a data directory.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};

use commitlog::{LastStop, Log, Recovery};
use env::{DirLock, Env};
use tokio::sync::watch;
use uuid::Uuid;

use super::{Admin, Inner, Lookup, RecoveryReport, TOPICS_DIR, admin, alter, partition_dir, spawn_writers};
use crate::metadata::{Metadata, TopicMetadata};
use crate::{Config, OpenError};

/// Partitions opened side by side: opening waits for the disk more than for a core.
const OPENERS: usize = 4;

/// A partition to be opened, and its log once it is.
type Opening<'a> = (&'a str, u32, &'a TopicMetadata);
type Opened = Result<(Log, Recovery), commitlog::Error>;

pub(super) fn open(config: Config, env: Env) -> Result<(Inner, RecoveryReport), OpenError> {
    let dir = config.data_dir.clone();
    let failed = |action| {
        let path = dir.clone();
        move |source| OpenError::Io { action, path, source }
    };
    let topics_dir = config.data_dir.join(TOPICS_DIR);
    env.disk.create_dir_all(&topics_dir).map_err(failed("creating"))?;
    let lock = DirLock::acquire(&*env.disk, &config.data_dir)?;
    let clean = commitlog::take_clean_marker(&*env.disk, &config.data_dir)
        .map_err(failed("removing the mark of a clean stop in"))?;
    let (metadata, finding) = list_of_topics(&config, &env)
        .map_err(|source| OpenError::Metadata { path: Metadata::path(&config.data_dir), source })?;
    admin::remove_left_overs(&*env.disk, &topics_dir, &metadata)
        .map_err(failed("removing deleted topics in"))?;

    let defaults = alter::defaults(&config, &metadata).map_err(|error| {
        let source = std::io::Error::other(error);
        OpenError::Io { action: "reading the settings of", path: dir.clone(), source }
    })?;
    let (queues, writers) = spawn_writers(&config, &env).map_err(failed("starting the writers of"))?;
    let tail_budget = commitlog::TailBudget::new(config.tail_bytes_total);
    let next_producer_id = metadata.producer_ids_below;
    let inner = Inner {
        config,
        env,
        lookup: RwLock::new(Lookup::default()),
        admin: Mutex::new(Admin { metadata: metadata.clone(), next_producer_id, closed: false }),
        changed: watch::Sender::new(0),
        queues,
        writers: Mutex::new(writers),
        next_slot: AtomicU64::new(0),
        tail_budget,
        cleaner: Arc::default(),
        defaults: RwLock::new(defaults),
        lock: Mutex::new(Some(lock)),
    };
    let mut report = open_partitions(&inner, &metadata, clean)?;
    report.findings.extend(finding);
    Ok((inner, report))
}

/// The list of topics; made from the directories if it is lost. And what there is to say about it.
fn list_of_topics(config: &Config, env: &Env) -> std::io::Result<(Metadata, Option<String>)> {
    let dir = &config.data_dir;
    if let Some(metadata) = Metadata::load(&*env.disk, dir)? {
        return Ok((metadata, None));
    }
    let names: Vec<String> =
        env.disk.read_dir(&dir.join(TOPICS_DIR))?.into_iter().map(|entry| entry.name).collect();
    let path = Metadata::path(dir);
    if names.is_empty() && !env.disk.exists(&path) {
        // Written at once, so that a missing list always means a lost one.
        let metadata = Metadata::default();
        metadata.store(&*env.disk, dir)?;
        return Ok((metadata, None));
    }
    let random = &env.random;
    let id = || uuid::Builder::from_random_bytes(random.next_16_bytes()).into_uuid().to_string();
    let metadata = Metadata::from_directories(&names, env.clock.now_ms(), id);
    Metadata::put_aside(&*env.disk, dir)?;
    metadata.store(&*env.disk, dir)?;
    let line = format!(
        "{}: the list of topics was lost or damaged; made again from {} directories, with default settings",
        path.display(),
        names.len()
    );
    tracing::error!("{line}");
    Ok((metadata, Some(line)))
}

fn open_partitions(inner: &Inner, metadata: &Metadata, clean: bool) -> Result<RecoveryReport, OpenError> {
    let last_stop = if clean { LastStop::Clean } else { LastStop::Unclean };
    let openings: Vec<Opening<'_>> = metadata
        .topics
        .iter()
        .flat_map(|(name, topic)| (0..topic.partitions).map(move |index| (name.as_str(), index, topic)))
        .collect();
    let mut opened = open_logs(inner, &openings, last_stop).into_iter();
    let mut report = RecoveryReport { clean, partitions: openings.len(), ..RecoveryReport::default() };
    for (name, topic) in &metadata.topics {
        let mut logs = Vec::new();
        for log in opened.by_ref().take(topic.partitions as usize) {
            let (log, recovery) = log?;
            report.note(&recovery);
            logs.push(log);
        }
        let id = Uuid::parse_str(&topic.id).map_err(|error| OpenError::Metadata {
            path: Metadata::path(&inner.config.data_dir),
            source: std::io::Error::other(error),
        })?;
        inner.adopt(name, id, &topic.configs, logs);
    }
    Ok(report)
}

/// Opens all logs, side by side, and answers in the order of `openings`.
fn open_logs(inner: &Inner, openings: &[Opening<'_>], last_stop: LastStop) -> Vec<Opened> {
    let share = openings.len().div_ceil(OPENERS).max(1);
    std::thread::scope(|scope| {
        let openers: Vec<_> = openings
            .chunks(share)
            .map(|chunk| {
                scope.spawn(move || {
                    chunk.iter().map(|opening| open_log(inner, opening, last_stop)).collect::<Vec<_>>()
                })
            })
            .collect();
        openers.into_iter().flat_map(|opener| opener.join().expect("an opener does not panic")).collect()
    })
}

fn open_log(inner: &Inner, (name, index, topic): &Opening<'_>, last_stop: LastStop) -> Opened {
    let dir = partition_dir(&inner.config.data_dir, name, *index);
    if !inner.env.disk.exists(&dir) {
        tracing::error!(dir = %dir.display(), "the directory of a partition is missing; it begins empty");
        inner.env.disk.create_dir_all(&dir).map_err(|source| commitlog::Error::Io {
            action: "creating",
            path: dir.clone(),
            source: source.into(),
        })?;
    }
    Log::open(inner.env.disk.clone(), &dir, inner.log_config(&topic.configs), last_stop)
}

impl RecoveryReport {
    fn note(&mut self, recovery: &Recovery) {
        self.scanned_bytes += recovery.scanned_bytes;
        if let Some(cut) = &recovery.cut {
            let line = format!(
                "{}: cut a torn tail of {} bytes at byte {}",
                cut.path.display(),
                cut.bytes,
                cut.position
            );
            tracing::warn!("{line}");
            self.findings.push(line);
        }
        for rotten in &recovery.rotten {
            let line = format!(
                "{}: {} rotten bytes at byte {}; readable again from offset {}",
                rotten.path.display(),
                rotten.bytes,
                rotten.position,
                rotten.next_offset
            );
            tracing::error!("{line}");
            self.findings.push(line);
        }
    }
}
