//! When which topic is to be looked at: at whole multiples of a period that its settings give, so that topics with the
//! same settings are looked at together and the thread sleeps in between.

use std::time::Duration;

use super::CleanerConfig;
use crate::TopicConfig;

/// No topic is looked at more often, whatever its settings say.
const PERIOD_MIN: Duration = Duration::from_secs(1);
/// Except to flush.
const FLUSH_PERIOD_MIN: Duration = Duration::from_millis(10);

/// How often retention and compaction look at a topic.
pub(super) fn period(topic: &TopicConfig, cleaner: &CleanerConfig) -> Duration {
    let mut ms = cleaner.check_interval_ms.min(topic.segment_ms);
    if topic.cleanup.delete {
        ms = ms.min(topic.retention_ms.unwrap_or(i64::MAX));
    }
    if topic.cleanup.compact {
        ms = ms.min(cleaner.backoff_ms).min(topic.max_compaction_lag_ms);
    }
    millis(ms).max(PERIOD_MIN)
}

/// How often a topic's partitions are flushed, if at all.
pub(super) fn flush_period(topic: &TopicConfig) -> Option<Duration> {
    (topic.flush_ms < i64::MAX).then(|| millis(topic.flush_ms).max(FLUSH_PERIOD_MIN))
}

/// Whether a multiple of `period` lies behind `last` and not behind `now`.
pub(super) fn is_due(period: Duration, last: Duration, now: Duration) -> bool {
    last.as_millis() / period.as_millis() < now.as_millis() / period.as_millis()
}

/// How long from `now` to the next multiple of `period`.
pub(super) fn until_due(period: Duration, now: Duration) -> Duration {
    let rest = now.as_millis() % period.as_millis();
    millis(i64::try_from(period.as_millis() - rest).unwrap_or(i64::MAX))
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Defaults;

    fn topic(pairs: &[(&str, &str)]) -> TopicConfig {
        let own = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        TopicConfig::new(&Defaults::default(), &own)
    }

    const CLEANER: CleanerConfig = CleanerConfig {
        check_interval_ms: 300_000,
        backoff_ms: 15_000,
        key_map_bytes: 0,
        compacts: true,
        bytes_per_second: 1.0,
    };

    #[test]
    fn a_topic_is_looked_at_as_often_as_its_settings_ask() {
        let seconds = |pairs| period(&topic(pairs), &CLEANER).as_secs();
        assert_eq!(seconds(&[]), 300);
        assert_eq!(seconds(&[("retention.ms", "60000")]), 60);
        assert_eq!(seconds(&[("retention.ms", "0")]), 1);
        assert_eq!(seconds(&[("retention.ms", "-1")]), 300);
        assert_eq!(seconds(&[("retention.ms", "7000"), ("cleanup.policy", "compact")]), 15);
        assert_eq!(seconds(&[("cleanup.policy", "compact"), ("max.compaction.lag.ms", "4000")]), 4);
        assert_eq!(flush_period(&topic(&[])), None);
        assert_eq!(flush_period(&topic(&[("flush.ms", "500")])), Some(Duration::from_millis(500)));
    }

    #[test]
    fn due_moments_are_multiples_of_the_period() {
        let s = Duration::from_secs;
        assert!(!is_due(s(15), s(15), s(29)) && is_due(s(15), s(29), s(30)) && is_due(s(15), s(1), s(100)));
        assert_eq!((until_due(s(15), s(29)), until_due(s(15), s(30))), (s(1), s(15)));
    }
}
