use super::*;

fn detector(options: &[(&str, &str)]) -> HalfSpaceTrees {
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    HalfSpaceTrees::from_options(&options, &Schema::default()).unwrap()
}

/// `HalfSpaceTrees(n_trees=3, height=2, window_size=40, seed=42)` of River 0.26.1 after these rows, on the cuts that it
/// drew.
#[test]
fn counting_and_scoring_are_rivers() {
    let mut detector =
        detector(&[("n_trees", "3"), ("height", "2"), ("window_size", "40"), ("limits", "0,1")]);
    let cuts = [
        (1, 0.16750752865586685),
        (0, 0.30624751670417594),
        (1, 0.6867244594068922),
        (1, 0.2108571828405913),
        (0, 0.17085805360664924),
        (0, 0.5037487016723536),
        (0, 0.28918635548065397),
        (1, 0.5314590364222517),
        (0, 0.6890090640007696),
    ];
    detector.plant(2);
    detector.cuts = cuts.map(|(column, at)| Cut { column, at }).to_vec();
    for turn in 0..90 {
        let row = [f64::from(turn * turn % 17) / 17.0, f64::from(turn * 7 % 13) / 13.0];
        detector.learn_one(Row::F64(&row)).unwrap();
    }
    for (row, expected) in [
        ([0.1, 0.1], 0.7142857142857143),
        ([0.5, 0.5], 0.4476190476190476),
        ([0.95, 0.99], 0.4476190476190476),
        ([0.0, 1.0], 0.49523809523809526),
        ([0.3, 0.8], 0.4809523809523809),
    ] {
        let found = detector.score_one(Row::F64(&row)).unwrap();
        assert!((found - expected).abs() < 1e-9, "{row:?}: {found} instead of {expected}");
    }
}

#[test]
fn what_lies_apart_scores_higher_whatever_the_scale() {
    for limits in ["auto", "0,1"] {
        let mut detector = detector(&[("n_trees", "25"), ("limits", limits)]);
        let scale = if limits == "auto" { 1e6 } else { 1.0 };
        let mut random = crate::random::Random::new(3);
        for turn in 0..750 {
            let near = |random: &mut crate::random::Random| scale * (0.4 + 0.02 * random.normal());
            let row = [near(&mut random), near(&mut random), near(&mut random)];
            assert_eq!(detector.score_one(Row::F64(&row)).is_some(), turn >= 250);
            detector.learn_one(Row::F64(&row)).unwrap();
        }
        let score = |place: f64| detector.score_one(Row::F64(&[scale * place; 3])).unwrap();
        assert!(score(0.4) < score(0.55) && score(0.55) <= score(0.9), "{limits}");
        assert!(score(0.9) > 0.9 && score(0.4) < 0.8, "{limits}: {} {}", score(0.4), score(0.9));
        let missing = detector.score_one(Row::F64(&[scale * 0.4, f64::NAN, scale * 0.4])).unwrap();
        assert!(missing < score(0.9), "{limits}: a missing value is not strange");
    }
}

#[test]
fn rows_that_waited_count_as_if_the_trees_had_been_there() {
    let rows: Vec<[f64; 2]> = (0..99).map(|turn| [f64::from(turn % 9), f64::from(turn % 7)]).collect();
    let mut waiting = detector(&[("window_size", "50")]);
    rows.iter().for_each(|row| waiting.learn_one(Row::F64(row)).unwrap());
    let mut planted = detector(&[("window_size", "50")]);
    rows[..50].iter().for_each(|row| planted.learn_one(Row::F64(row)).unwrap());
    planted.masses.fill(Mass::default());
    rows[..50].iter().for_each(|row| planted.count(row));
    rows[50..].iter().for_each(|row| planted.learn_one(Row::F64(row)).unwrap());
    assert_eq!(waiting.masses, planted.masses);
    assert!(waiting.ready && waiting.counted == 49);
}

#[test]
fn limits_and_sizes_that_cannot_be_are_refused() {
    for (key, value) in
        [("limits", "1,0"), ("limits", "x"), ("n_trees", "0"), ("height", "16"), ("limits", "0,inf")]
    {
        let options = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        HalfSpaceTrees::from_options(&options, &Schema::default()).unwrap_err();
    }
    let options = BTreeMap::from([("n_trees".to_owned(), "1000".into()), ("height".to_owned(), "15".into())]);
    HalfSpaceTrees::from_options(&options, &Schema::default()).unwrap_err();
}
