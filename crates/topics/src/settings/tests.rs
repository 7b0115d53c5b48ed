use super::*;

fn own(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_table_is_sorted_and_every_default_is_allowed() {
    assert!(TOPIC_SETTINGS.windows(2).all(|pair| pair[0].name < pair[1].name));
    for spec in TOPIC_SETTINGS {
        assert!(check_setting(spec.name, spec.default).is_ok(), "{}", spec.name);
        assert_eq!(broker_default(spec.broker_name, spec.default).unwrap().0, spec.name);
    }
}

#[test]
fn unknown_names_and_wrong_values_are_refused_with_a_reason() {
    assert!(check_setting("retention.ms", "100").is_ok());
    assert!(check_setting("cleanup.policy", "compact, delete").is_ok());
    let refused = |name: &str, value: &str| check_setting(name, value).unwrap_err().to_string();
    assert_eq!(refused("retention.md", "1"), "unknown topic config name: retention.md");
    for (name, value, reason) in [
        ("retention.ms", "soon", "type long"),
        ("retention.ms", "-2", "at least -1"),
        ("segment.ms", "0", "at least 1"),
        ("segment.bytes", "3000000000", "type int"),
        ("cleanup.policy", "shred", "delete, compact"),
        ("cleanup.policy", "delete,delete", "some of"),
        ("min.cleanable.dirty.ratio", "1.5", "between 0 and 1"),
        ("min.insync.replicas", "2", "one replica"),
        ("remote.storage.enable", "true", "no tiered storage"),
    ] {
        assert!(refused(name, value).contains(reason), "{name}={value}: {}", refused(name, value));
    }
}

#[test]
fn a_topics_own_value_goes_before_the_brokers_and_that_before_kafkas() {
    let mut defaults = Defaults::default();
    let value =
        |defaults: &Defaults, own: &BTreeMap<String, String>| TopicConfig::new(defaults, own).retention_ms;
    let none = own(&[]);
    assert_eq!(value(&defaults, &none), Some(604_800_000));
    defaults.fixed.insert("retention.ms", "5000".to_owned());
    assert_eq!(value(&defaults, &none), Some(5_000));
    defaults.dynamic.insert("retention.ms", "-1".to_owned());
    assert_eq!(value(&defaults, &none), None);
    assert_eq!(value(&defaults, &own(&[("retention.ms", "7")])), Some(7));
    let sources = |own: &BTreeMap<String, String>| {
        let all = defaults.describe(own);
        all.iter().find(|setting| setting.spec.name == "retention.ms").unwrap().source
    };
    assert_eq!(sources(&none), SettingSource::DynamicDefault);
    assert_eq!(sources(&own(&[("retention.ms", "7")])), SettingSource::Topic);
}

#[test]
fn hours_and_minutes_are_understood_as_the_brokers_defaults() {
    assert_eq!(
        broker_default("log.retention.hours", "168").unwrap(),
        ("retention.ms", "604800000".to_owned())
    );
    assert_eq!(broker_default("log.retention.minutes", "-1").unwrap(), ("retention.ms", "-1".to_owned()));
    let refused = broker_default("log.retention.hours", "x").unwrap_err().to_string();
    assert!(refused.contains("log.retention.hours"), "{refused}");
    assert!(broker_default("log.retention.years", "1").is_err());
}

#[test]
fn a_value_that_cannot_be_understood_has_its_default() {
    let config =
        TopicConfig::new(&Defaults::default(), &own(&[("segment.ms", "soon"), ("cleanup.policy", "x")]));
    assert_eq!(config.segment_ms, 604_800_000);
    assert_eq!(config.cleanup, CleanupPolicy { delete: true, compact: false });
}

#[test]
fn acks_all_is_relaxed_only_by_the_topic_itself() {
    let relaxed =
        |defaults: &Defaults, own: &BTreeMap<String, String>| TopicConfig::new(defaults, own).flush_relaxed;
    let mut defaults = Defaults::default();
    assert!(!relaxed(&defaults, &own(&[])));
    assert!(!relaxed(&defaults, &own(&[("flush.messages", "1")])));
    assert!(relaxed(&defaults, &own(&[("flush.messages", "100")])));
    assert!(!relaxed(&defaults, &own(&[("flush.ms", "100")])));
    defaults.dynamic.insert("flush.messages", "100".to_owned());
    assert!(!relaxed(&defaults, &own(&[])));
}

#[test]
fn the_operations_page_tells_every_setting_as_the_table_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let page = std::fs::read_to_string(path).unwrap();
    for spec in TOPIC_SETTINGS.iter().chain(BROKER_SETTINGS) {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{}` |", spec.name)));
        assert!(row.is_some_and(|row| row.ends_with(&format!("| {} |", spec.doc))), "{}: {row:?}", spec.name);
    }
}
