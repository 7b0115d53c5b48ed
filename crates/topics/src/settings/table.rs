//! The table: every setting of a topic that Kafka has, its default, what it may be, and what it does here.

use std::fmt::Write as _;

/// A setting's type, as Kafka's tools show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// `true` or `false`.
    Boolean,
    /// Text.
    String,
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    /// A number with a fraction.
    Double,
    /// Words with commas between them.
    List,
}

/// Which values a setting may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// A whole number from here on.
    AtLeast(i64),
    /// A number from 0 to 1.
    Ratio,
    /// `true` or `false`.
    Boolean,
    /// A number above 0.
    Positive,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One or more of these words, each once.
    SomeOf(&'static [&'static str]),
    /// Only this: anything else would promise what one machine cannot keep. And why.
    Only(&'static str, &'static str),
}

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingSpec {
    /// Kafka's name for it on a topic.
    pub name: &'static str,
    /// Kafka's name for the broker-wide default.
    pub broker_name: &'static str,
    /// Its type.
    pub kind: SettingKind,
    /// Kafka's default.
    pub default: &'static str,
    /// What it may be.
    pub allowed: Allowed,
    /// What it does here.
    pub doc: &'static str,
}

impl SettingSpec {
    /// The broker-wide setting of this name: the default of one that topics have, or one of its own.
    #[must_use]
    pub fn of_broker(name: &str) -> Option<&'static SettingSpec> {
        TOPIC_SETTINGS.iter().chain(BROKER_SETTINGS).find(|spec| spec.broker_name == name)
    }

    /// The setting of this name.
    #[must_use]
    pub fn of_topic(name: &str) -> Option<&'static SettingSpec> {
        TOPIC_SETTINGS.binary_search_by(|spec| spec.name.cmp(name)).ok().map(|at| &TOPIC_SETTINGS[at])
    }

    /// Why it cannot have this value; nothing if it can.
    pub(crate) fn refusal(&self, value: &str) -> Option<String> {
        let value = value.trim();
        let in_type = match self.kind {
            SettingKind::Boolean => matches!(value, "true" | "false"),
            SettingKind::Int => value.parse::<i32>().is_ok(),
            SettingKind::Long => value.parse::<i64>().is_ok(),
            SettingKind::Double => value.parse::<f64>().is_ok_and(f64::is_finite),
            SettingKind::String | SettingKind::List => true,
        };
        if !in_type {
            return Some(format!("it is of type {:?}", self.kind).to_lowercase());
        }
        self.allowed.refusal(value)
    }
}

impl Allowed {
    fn refusal(self, value: &str) -> Option<String> {
        match self {
            Self::AtLeast(least) => {
                let holds = value.parse::<i64>().is_ok_and(|value| value >= least);
                (!holds).then(|| format!("it is at least {least}"))
            }
            Self::Ratio => {
                let holds = value.parse::<f64>().is_ok_and(|value| (0.0..=1.0).contains(&value));
                (!holds).then(|| "it is between 0 and 1".to_owned())
            }
            Self::Boolean => None,
            Self::Positive => {
                let holds = value.parse::<f64>().is_ok_and(|value| value > 0.0);
                (!holds).then(|| "it is above 0".to_owned())
            }
            Self::OneOf(words) => (!words.contains(&value)).then(|| one_of("it is one of", words)),
            Self::SomeOf(words) => {
                let given: Vec<&str> = value.split(',').map(str::trim).collect();
                let known = given.iter().all(|word| words.contains(word));
                let once = (1..given.len()).all(|at| !given[..at].contains(&given[at]));
                (!known || !once).then(|| one_of("it is some of", words))
            }
            Self::Only(only, why) => (value != only).then(|| format!("only {only:?} can hold: {why}")),
        }
    }
}

fn one_of(begin: &str, words: &[&str]) -> String {
    let mut text = begin.to_owned();
    for (at, word) in words.iter().enumerate() {
        let separator = if at == 0 { " " } else { ", " };
        write!(text, "{separator}{word}").expect("writing to a string does not fail");
    }
    text
}

const NEVER: &str = "9223372036854775807";
const ONE_REPLICA: &str = "there is one replica, so there is nothing to follow or to throttle";
const NO_REMOTE: &str = "there is no tiered storage";
const ONE_LEVEL: &str = "each codec has one level here";

const fn of(
    name: &'static str,
    broker_name: &'static str,
    kind: SettingKind,
    default: &'static str,
    allowed: Allowed,
    doc: &'static str,
) -> SettingSpec {
    SettingSpec { name, broker_name, kind, default, allowed, doc }
}

use Allowed::{AtLeast, OneOf, Only, Ratio, SomeOf};
use SettingKind::{Boolean, Double, Int, List, Long, String as Text};

/// Every setting of a topic, by name.
pub const TOPIC_SETTINGS: &[SettingSpec] = &[
    of(
        "cleanup.policy",
        "log.cleanup.policy",
        List,
        "delete",
        SomeOf(&["delete", "compact"]),
        "delete: old segments go by time and size. compact: the last record of each key stays.",
    ),
    of(
        "compression.gzip.level",
        "compression.gzip.level",
        Int,
        "-1",
        Only("-1", ONE_LEVEL),
        "The codec's usual level.",
    ),
    of(
        "compression.lz4.level",
        "compression.lz4.level",
        Int,
        "9",
        Only("9", ONE_LEVEL),
        "The codec's usual level.",
    ),
    of(
        "compression.type",
        "compression.type",
        Text,
        "producer",
        OneOf(&["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"]),
        "producer: batches stay as they were sent. Others: a batch packed otherwise is packed anew before it is written.",
    ),
    of(
        "compression.zstd.level",
        "compression.zstd.level",
        Int,
        "3",
        Only("3", ONE_LEVEL),
        "The codec's usual level.",
    ),
    of(
        "delete.retention.ms",
        "log.cleaner.delete.retention.ms",
        Long,
        "86400000",
        AtLeast(0),
        "How long compaction keeps tombstones and transaction markers after it first met them.",
    ),
    of(
        "file.delete.delay.ms",
        "log.segment.delete.delay.ms",
        Long,
        "60000",
        AtLeast(0),
        "How long a removed segment's file stays, renamed. Readers in the middle of it go on either way.",
    ),
    of(
        "flush.messages",
        "log.flush.interval.messages",
        Long,
        NEVER,
        AtLeast(1),
        "Flush after so many records. Set on the topic itself to more than 1, acks=all waits for no other flush.",
    ),
    of(
        "flush.ms",
        "log.flush.interval.ms",
        Long,
        NEVER,
        AtLeast(0),
        "Flush what was written at most this long ago. acks=all is flushed before its answer in any case.",
    ),
    of(
        "follower.replication.throttled.replicas",
        "follower.replication.throttled.replicas",
        List,
        "",
        Only("", ONE_REPLICA),
        "Nothing: there is one replica.",
    ),
    of(
        "index.interval.bytes",
        "log.index.interval.bytes",
        Int,
        "4096",
        AtLeast(0),
        "One index entry per so many bytes of batches.",
    ),
    of(
        "leader.replication.throttled.replicas",
        "leader.replication.throttled.replicas",
        List,
        "",
        Only("", ONE_REPLICA),
        "Nothing: there is one replica.",
    ),
    of(
        "local.retention.bytes",
        "log.local.retention.bytes",
        Long,
        "-2",
        Only("-2", NO_REMOTE),
        "Nothing: all storage is local; see retention.bytes.",
    ),
    of(
        "local.retention.ms",
        "log.local.retention.ms",
        Long,
        "-2",
        Only("-2", NO_REMOTE),
        "Nothing: all storage is local; see retention.ms.",
    ),
    of(
        "max.compaction.lag.ms",
        "log.cleaner.max.compaction.lag.ms",
        Long,
        NEVER,
        AtLeast(1),
        "A record is compacted at the latest when it is this old; the segment written to ends early for it.",
    ),
    of(
        "max.message.bytes",
        "message.max.bytes",
        Int,
        "1048588",
        AtLeast(0),
        "The largest batch that is taken.",
    ),
    of(
        "message.timestamp.after.max.ms",
        "log.message.timestamp.after.max.ms",
        Long,
        "3600000",
        AtLeast(0),
        "How far a record's time may lie ahead of the broker's; CreateTime only.",
    ),
    of(
        "message.timestamp.before.max.ms",
        "log.message.timestamp.before.max.ms",
        Long,
        NEVER,
        AtLeast(0),
        "How far a record's time may lie behind the broker's; CreateTime only.",
    ),
    of(
        "message.timestamp.type",
        "log.message.timestamp.type",
        Text,
        "CreateTime",
        OneOf(&["CreateTime", "LogAppendTime"]),
        "Whose time records carry.",
    ),
    of(
        "min.cleanable.dirty.ratio",
        "log.cleaner.min.cleanable.ratio",
        Double,
        "0.5",
        Ratio,
        "Compaction waits until this share of the closed segments was never compacted.",
    ),
    of(
        "min.compaction.lag.ms",
        "log.cleaner.min.compaction.lag.ms",
        Long,
        "0",
        AtLeast(0),
        "A record is not compacted before it is this old.",
    ),
    of(
        "min.insync.replicas",
        "min.insync.replicas",
        Int,
        "1",
        Only("1", "there is one replica"),
        "Nothing: there is one replica, and it is always in sync.",
    ),
    of(
        "preallocate",
        "log.preallocate",
        SettingKind::Boolean,
        "false",
        Allowed::Boolean,
        "Whether the disk sets space aside for a whole segment when it is begun; what is left comes back at its end.",
    ),
    of(
        "remote.log.copy.disable",
        "remote.log.copy.disable",
        Boolean,
        "false",
        Only("false", NO_REMOTE),
        "Nothing: there is no tiered storage.",
    ),
    of(
        "remote.log.delete.on.disable",
        "remote.log.delete.on.disable",
        Boolean,
        "false",
        Only("false", NO_REMOTE),
        "Nothing: there is no tiered storage.",
    ),
    of(
        "remote.storage.enable",
        "remote.log.storage.enable",
        Boolean,
        "false",
        Only("false", NO_REMOTE),
        "Nothing: there is no tiered storage.",
    ),
    of(
        "retention.bytes",
        "log.retention.bytes",
        Long,
        "-1",
        AtLeast(-1),
        "Oldest segments go while the others hold this much; -1 for no limit.",
    ),
    of(
        "retention.ms",
        "log.retention.ms",
        Long,
        "604800000",
        AtLeast(-1),
        "A segment goes when its newest record is older than this; -1 for never.",
    ),
    of(
        "segment.bytes",
        "log.segment.bytes",
        Int,
        "1073741824",
        AtLeast(14),
        "A segment ends before it would grow beyond this.",
    ),
    of(
        "segment.index.bytes",
        "log.index.size.max.bytes",
        Int,
        "10485760",
        AtLeast(4),
        "Nothing: an index grows with its segment and is never full.",
    ),
    of(
        "segment.jitter.ms",
        "log.roll.jitter.ms",
        Long,
        "0",
        AtLeast(0),
        "A segment ends up to this much earlier than segment.ms says, so that not all end at once.",
    ),
    of(
        "segment.ms",
        "log.roll.ms",
        Long,
        "604800000",
        AtLeast(1),
        "A segment ends when its first record is older than this.",
    ),
    of(
        "unclean.leader.election.enable",
        "unclean.leader.election.enable",
        Boolean,
        "false",
        Allowed::Boolean,
        "Nothing: there is one replica, and nobody to elect.",
    ),
];

const fn own(
    name: &'static str,
    kind: SettingKind,
    default: &'static str,
    allowed: Allowed,
    doc: &'static str,
) -> SettingSpec {
    of(name, name, kind, default, allowed, doc)
}

/// The settings of the one who cleans up, which topics do not have.
pub const BROKER_SETTINGS: &[SettingSpec] = &[
    own(BACKOFF_MS, Long, "15000", AtLeast(0), "How often compacted topics are looked at."),
    own(
        KEY_MAP_BYTES,
        Long,
        "134217728",
        AtLeast(1),
        "The most memory for the keys of one pass of compaction.",
    ),
    own(CLEANER_ENABLE, Boolean, "true", Allowed::Boolean, "Whether compacted topics are compacted."),
    own(
        IO_BYTES_PER_SECOND,
        Double,
        "1.7976931348623157E308",
        Allowed::Positive,
        "The most bytes per second that compaction reads and writes.",
    ),
    own(
        "log.cleaner.threads",
        Int,
        "1",
        Only("1", "one thread cleans up"),
        "There is one, at the lowest priority.",
    ),
    own(
        CHECK_INTERVAL_MS,
        Long,
        "300000",
        AtLeast(1),
        "How often topics are looked at; sooner where their settings ask.",
    ),
];

/// `log.cleaner.backoff.ms`.
pub(crate) const BACKOFF_MS: &str = "log.cleaner.backoff.ms";
/// `log.cleaner.dedupe.buffer.size`.
pub(crate) const KEY_MAP_BYTES: &str = "log.cleaner.dedupe.buffer.size";
/// `log.cleaner.enable`.
pub(crate) const CLEANER_ENABLE: &str = "log.cleaner.enable";
/// `log.cleaner.io.max.bytes.per.second`.
pub(crate) const IO_BYTES_PER_SECOND: &str = "log.cleaner.io.max.bytes.per.second";
/// `log.retention.check.interval.ms`.
pub(crate) const CHECK_INTERVAL_MS: &str = "log.retention.check.interval.ms";
