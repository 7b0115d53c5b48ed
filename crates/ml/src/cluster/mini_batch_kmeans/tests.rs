use super::*;

fn model(options: &[(&str, &str)]) -> MiniBatchKMeans {
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    MiniBatchKMeans::from_options(&options, &Schema::vector(None)).unwrap()
}

/// Three groups of rows out of a congruential generator, one after the other in turn.
fn rows() -> Vec<f64> {
    let mut state = 1_u64;
    let mut uniform = || {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        state as f64 / 2_147_483_648.0
    };
    let mut rows = Vec::new();
    for row in 0..60 {
        let group = f64::from(row % 3);
        rows.extend([uniform() * 2.0 + group * 4.0, uniform() * 2.0 - group * 3.0]);
    }
    rows
}

/// scikit-learn 1.9.1: `MiniBatchKMeans(3, init=[[0, 0], [4, -3], [9, -5]], n_init=1, reassignment_ratio=0.0)`, three
/// times `partial_fit` with 20 of these rows.
#[test]
fn centres_are_those_of_scikit_learn() {
    let mut model = model(&[("initial_centers", "[[0, 0], [4, -3], [9, -5]]"), ("reassignment_ratio", "0")]);
    for batch in rows().chunks(40) {
        model.learn_many(Features::dense(batch, 2).unwrap());
    }
    let expected = [
        [1.0264439584687353, 1.0084076661616563],
        [5.184269946627319, -2.101405808329582],
        [9.076769539155066, -4.990748738124967],
    ];
    for (found, expected) in model.centers.iter().zip(expected.as_flattened()) {
        assert!((found - expected).abs() < 1e-12, "{:?}", model.centers);
    }
    assert_eq!(model.counts, [20.0; 3]);
    assert_eq!(model.predict_one(Row::from(&[9.0, -5.0][..])), Some(2));
}

#[test]
fn groups_are_found_without_a_hint() {
    let mut model = model(&[("k", "3")]);
    for batch in rows().chunks(10) {
        model.learn_many(Features::dense(batch, 2).unwrap());
    }
    let mut first: Vec<f64> = model.centers.chunks(2).map(|center| center[0].round()).collect();
    first.sort_by(f64::total_cmp);
    assert_eq!(first, [1.0, 5.0, 9.0]);
}

#[test]
fn an_empty_centre_starts_anew_among_the_rows() {
    let mut model = model(&[("initial_centers", "[[0, 0], [500, 500]]")]);
    model.learn_many(Features::dense(&rows()[..], 2).unwrap());
    assert_eq!(model.counts, [60.0, 60.0]);
    assert!(model.centers[2] < 12.0, "{:?}", model.centers);
}

#[test]
fn a_forged_state_is_refused() {
    let mut whole = model(&[("k", "2"), ("init_rows", "4")]);
    whole.learn_many(Features::dense(&rows()[..], 2).unwrap());
    assert_eq!(whole.validate(), Ok(()));
    let forge = |change: fn(&mut MiniBatchKMeans)| {
        let mut forged = whole.clone();
        change(&mut forged);
        forged.validate()
    };
    assert!(forge(|model| model.dim = None).is_err());
    assert!(forge(|model| model.k = 3).is_err());
    assert!(forge(|model| model.centers.truncate(3)).is_err());
    assert!(forge(|model| model.counts[1] = f64::NAN).is_err());
    assert!(forge(|model| model.waiting.push(1.0)).is_err());
}
