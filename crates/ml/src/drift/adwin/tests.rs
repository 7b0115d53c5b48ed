//! The windows and alarms are those of River 0.26.1 on the same values: `river.drift.ADWIN(...)` where the window is
//! forgotten, and the `AdaptiveWindowing` inside it, which keeps it.

use super::*;
use crate::drift::tests::steps;

struct Case {
    config: Config,
    alarms: &'static [u64],
    width: u64,
    estimation: f64,
    deviations: f64,
}

#[test]
fn windows_and_alarms_are_rivers() {
    let river = Config::default();
    let paper = Config { keep_window: true, ..river };
    let quick = Config { delta: 0.1, clock: 1, ..river };
    let small = Config { clock: 7, max_buckets: 3, min_window_length: 2, grace_period: 5, ..river };
    let sure = Config { delta: 1e-5, min_window_length: 20, max_buckets: 9, ..paper };
    let case = |config, alarms, width, estimation, deviations| Case {
        config,
        alarms,
        width,
        estimation,
        deviations,
    };
    let cases = [
        case(river, &[1023, 3039, 4031][..], 1968, 3.0076422764227626, 2630.2023081625975),
        case(paper, &[1023, 1055, 3039, 3071, 4031], 2008, 3.0240597609561894, 2812.543032828749),
        case(quick, &[1006, 2158, 3008, 4004], 1995, 3.0095919799498754, 2664.4171198716726),
        case(small, &[1007, 3009, 4010], 1989, 3.009049773755657, 2660.7912160723968),
        case(
            sure,
            &[1055, 1087, 1279, 3039, 3071, 3103, 4031, 4063, 4095, 4223],
            2008,
            3.024059760956189,
            2812.5430328287634,
        ),
    ];
    for Case { config, alarms, width, estimation, deviations } in cases {
        let mut adwin = Adwin::new(config);
        let found: Vec<u64> =
            (0..).zip(steps()).filter(|&(_, value)| adwin.add(value)).map(|(at, _)| at).collect();
        assert_eq!((&found[..], adwin.width()), (alarms, width), "{config:?}");
        assert_eq!(adwin.detections(), alarms.len() as u64);
        assert!((adwin.estimation() - estimation).abs() < 1e-9, "{config:?}");
        assert!((adwin.deviations - deviations).abs() < 1e-6, "{config:?}: {}", adwin.deviations);
    }
}

#[test]
fn buckets_hold_the_whole_window_and_grow_with_its_logarithm() {
    let mut adwin = Adwin::default();
    for turn in 0..100_000 {
        adwin.add(f64::from(turn % 3));
        assert_eq!(adwin.width(), turn as u64 + 1);
    }
    adwin.validate().unwrap();
    assert!(adwin.counts.len() <= 17, "{} sizes", adwin.counts.len());
    assert!((adwin.estimation() - 1.0).abs() < 1e-4);
    assert!((adwin.variance() - 2.0 / 3.0).abs() < 1e-4);
}

#[test]
fn a_forged_window_is_noticed() {
    let mut adwin = Adwin::default();
    (0..1_000).for_each(|turn| {
        adwin.add(f64::from(turn % 7));
    });
    for forge in [
        |adwin: &mut Adwin| adwin.counts.push(1),
        |adwin: &mut Adwin| adwin.counts[0] = 77,
        |adwin: &mut Adwin| adwin.width += 1,
        |adwin: &mut Adwin| adwin.buckets.truncate(3),
        |adwin: &mut Adwin| adwin.countdown = 0,
        |adwin: &mut Adwin| adwin.counts.clear(),
        |adwin: &mut Adwin| adwin.config.max_buckets = u32::MAX,
        |adwin: &mut Adwin| adwin.total = f64::INFINITY,
    ] {
        let mut forged = adwin.clone();
        forge(&mut forged);
        let bytes = crate::snapshot::write(&forged);
        assert!(crate::snapshot::read::<Adwin>(&bytes).is_err());
    }
}
