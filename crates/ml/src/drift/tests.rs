use super::*;

/// 6,000 numbers whose middle moves at 1,000, 3,000 and 4,000.
pub(super) fn steps() -> Vec<f64> {
    let mut state = 1_u64;
    let mut bits = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    (0..6_000)
        .map(|index| [0.0, 3.0, 3.0, 5.0, 1.0, 1.0][index / 1_000] + (bits() % 1_000) as f64 / 250.0)
        .collect()
}

fn make(name: &str) -> Detector {
    create(name, &BTreeMap::new()).unwrap()
}

#[test]
fn a_detector_leaves_and_returns_as_it_was() {
    for name in NAMES {
        for stop in [0, 31, 1_010] {
            let mut detector = make(name);
            for value in &steps()[..stop] {
                detector.update(*value).unwrap();
            }
            let bytes = detector.snapshot();
            let mut twin = Detector::restore(&bytes).unwrap();
            assert_eq!(twin, detector, "{name} after {stop}");
            assert_eq!(Detector::import(name, detector.export()).unwrap().snapshot(), bytes, "{name}");
            for value in &steps()[stop..] {
                assert_eq!(detector.update(*value), twin.update(*value), "{name}");
            }
            assert_eq!(detector.snapshot(), twin.snapshot(), "{name} after {stop}");
            assert_eq!(detector.fresh().snapshot(), make(name).snapshot(), "{name}");
            assert_eq!(detector.rows_learned(), 6_000);
        }
    }
}

#[test]
fn extreme_values_are_survived_and_broken_ones_refused() {
    for name in NAMES {
        let mut detector = make(name);
        for turn in 0..400 {
            for value in [VALUE_MAX, -VALUE_MAX, 1e-300, f64::from(turn), 0.0, 1.0, 1.0] {
                detector.update(value).unwrap();
            }
            if turn % 100 == 0 {
                let before = detector.clone();
                for bad in [f64::NAN, f64::INFINITY, 1e101] {
                    detector.update(bad).unwrap_err();
                }
                assert_eq!(before, detector, "{name}");
                let restored = Detector::restore(&detector.snapshot());
                assert_eq!(restored.unwrap(), detector, "{name} after {turn}");
            }
        }
    }
}

#[test]
fn a_damaged_snapshot_is_noticed() {
    for name in NAMES {
        let mut detector = make(name);
        for value in &steps()[..1_500] {
            detector.update(*value).unwrap();
        }
        let bytes = detector.snapshot();
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(Detector::restore(&damaged).is_err(), "{name}: byte {at}");
        }
    }
}

#[test]
fn unknown_names_and_options_are_answered_with_the_known_ones() {
    let error = create("adwinn", &BTreeMap::new()).unwrap_err().to_string();
    assert!(error.starts_with("unknown algorithm 'adwinn'; known algorithms: adwin"), "{error}");
    for (key, value) in [("delta", "0"), ("clock", "0"), ("keep_window", "perhaps"), ("k", "3")] {
        let options = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        create("adwin", &options).unwrap_err();
    }
    let options = BTreeMap::from([("Keep_Window".to_owned(), "TRUE".to_owned())]);
    create("ADWIN", &options).unwrap();
}

/// 4,000 outcomes of which 10 % are wrong, and from 2,000 on 40 %.
pub(super) fn errors() -> Vec<f64> {
    let mut state = 1_u64;
    let mut wrong = |percent| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % 100 < percent
    };
    (0..4_000).map(|index| if wrong(if index < 2_000 { 10 } else { 40 }) { 1.0 } else { 0.0 }).collect()
}

/// Where a detector saw drift, and how many warnings it gave.
pub(super) fn alarms(detector: &mut impl DriftDetector, values: Vec<f64>) -> (Vec<usize>, usize) {
    let (mut alarms, mut warnings) = (Vec::new(), 0);
    for (at, value) in values.into_iter().enumerate() {
        match detector.update(value).unwrap() {
            Drift::None => {}
            Drift::Warning => warnings += 1,
            Drift::Detected => alarms.push(at),
        }
    }
    (alarms, warnings)
}
