use super::*;

fn model(options: &[(&str, &str)]) -> Birch {
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Birch::from_options(&options, &Schema::vector(None)).unwrap()
}

/// Three groups of rows out of a congruential generator, in turn.
fn learn(model: &mut Birch, rows: u32) {
    let mut state = 1_u64;
    let mut uniform = || {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        state as f64 / 2_147_483_648.0
    };
    for row in 0..rows {
        let group = f64::from(row % 3);
        let row = [uniform() * 2.0 + group * 4.0, uniform() * 2.0 - group * 3.0];
        model.learn_one(Row::from(&row[..])).unwrap();
    }
}

/// scikit-learn 1.9.1: `Birch(threshold=0.5, branching_factor=5, n_clusters=None)` and `threshold=0.3,
/// branching_factor=4` after `partial_fit` with these 300 rows: how many `subcluster_centers_`, the sum of their numbers
/// and that of their squares.
#[test]
fn subclusters_are_those_of_scikit_learn() {
    for (threshold, branching, count, sum, squares) in [
        ("0.5", "5", 18, 52.202151611848535, 756.3707414762382),
        ("0.3", "4", 43, 122.47499020074214, 1724.7537993257915),
    ] {
        let mut model = model(&[("threshold", threshold), ("branching_factor", branching)]);
        learn(&mut model, 300);
        let numbers: Vec<f64> = model.tree.leaves().flat_map(|leaf| leaf.mean.clone()).collect();
        assert_eq!(numbers.len(), 2 * count, "{threshold}");
        assert!((numbers.iter().sum::<f64>() - sum).abs() < 1e-9, "{threshold}");
        assert!((numbers.iter().map(|number| number * number).sum::<f64>() - squares).abs() < 1e-9);
        let weight: f64 = model.tree.leaves().map(|leaf| leaf.weight).sum();
        assert!((weight - 300.0).abs() < 1e-9);
        assert!(model.tree.leaves().all(|leaf| leaf.radius() <= model.tree.threshold() * (1.0 + 1e-12)));
    }
}

#[test]
fn groups_are_found() {
    let mut model = model(&[]);
    learn(&mut model, 300);
    let answers = [[1.0, 1.0], [5.0, -2.0], [9.0, -5.0]].map(|row| model.predict_one(Row::from(&row[..])));
    assert!(answers[0] != answers[1] && answers[1] != answers[2] && answers[0] != answers[2], "{answers:?}");
    assert_eq!(model.weights(), [100.0; 3]);
}

#[test]
fn a_larger_threshold_makes_room() {
    let mut model = model(&[("threshold", "0.01"), ("max_subclusters", "20"), ("branching_factor", "3")]);
    learn(&mut model, 1_000);
    let (count, threshold) = model.subclusters();
    assert!(count <= 20 && threshold > 0.1, "{count} {threshold}");
    assert_eq!(model.validate(), Ok(()));
}

#[test]
fn a_forged_state_is_refused() {
    let mut whole = model(&[("branching_factor", "3")]);
    learn(&mut whole, 300);
    assert_eq!(whole.validate(), Ok(()));
    let text = serde_json::to_string(&whole).unwrap();
    for (from, to) in [
        ("\"root\":", "\"root\":1"),
        ("\"below\":null", "\"below\":0"),
        ("\"height\":", "\"height\":1"),
        ("\"branching_factor\":3,\"nodes\"", "\"branching_factor\":2,\"nodes\""),
        ("\"threshold\":0.5", "\"threshold\":-0.5"),
        ("\"dim\":2", "\"dim\":3"),
        ("\"weight\":", "\"weight\":-"),
    ] {
        assert!(text.contains(from), "{from}");
        let forged: Birch = serde_json::from_str(&text.replace(from, to)).unwrap();
        assert!(forged.validate().is_err(), "{to}");
    }
}
