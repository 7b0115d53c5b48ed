use super::*;

fn model(options: &[(&str, &str)]) -> CluStream {
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    CluStream::from_options(&options, &Schema::vector(None)).unwrap()
}

fn learn(model: &mut CluStream, rows: &[[f64; 2]]) {
    rows.iter().for_each(|row| model.learn_one(Row::from(&row[..])).unwrap());
}

/// Rows around three middles in turn, moved by `away`.
fn groups(count: usize, away: f64, random: &mut Random) -> Vec<[f64; 2]> {
    let mut row = |at: usize| {
        let middle = [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]][at % 3];
        middle.map(|value| value + away + random.normal())
    };
    (0..count).map(&mut row).collect()
}

#[test]
fn groups_are_found_and_keep_their_numbers() {
    let mut model = model(&[("n_macro_clusters", "3")]);
    let mut random = Random::new(5);
    learn(&mut model, &groups(1_000, 0.0, &mut random));
    let answers = |model: &CluStream| {
        [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]].map(|row| model.predict_one(Row::from(&row[..])).unwrap())
    };
    let before = answers(&model);
    assert!(before[0] != before[1] && before[1] != before[2] && before[0] != before[2], "{before:?}");
    learn(&mut model, &groups(1_000, 0.0, &mut random));
    assert_eq!(answers(&model), before);
    let weight = model.weights().iter().sum::<f64>();
    assert!((1_000.0..=2_000.0).contains(&weight), "{weight}");
}

#[test]
fn what_is_out_of_date_goes() {
    let mut model = model(&[("max_micro_clusters", "10"), ("time_window", "200"), ("n_macro_clusters", "1")]);
    let mut random = Random::new(5);
    learn(&mut model, &groups(600, 0.0, &mut random));
    learn(&mut model, &groups(2_000, 1_000.0, &mut random));
    assert!(model.micro.iter().all(|micro| micro.feature.mean[0] > 900.0), "{:?}", model.micro);
    assert!(model.micro_clusters() <= 10);
}

#[test]
fn within_the_window_the_nearest_two_join_instead() {
    let mut model = model(&[("max_micro_clusters", "3"), ("time_window", "1000000")]);
    learn(&mut model, &[[0.0, 0.0], [1.0, 0.0], [50.0, 0.0], [100.0, 0.0]]);
    let mut means: Vec<f64> = model.micro.iter().map(|micro| micro.feature.mean[0]).collect();
    means.sort_by(f64::total_cmp);
    assert_eq!(means, [0.5, 50.0, 100.0]);
}

#[test]
fn newest_rows_decide_what_is_out_of_date() {
    for (share, expected) in [(0.5, 0.0), (0.841_344_746, 1.0), (0.977_249_868, 2.0), (0.998_650_1, 3.0)] {
        assert!((normal_quantile(share) - expected).abs() < 5e-4, "{share}");
    }
    let mut micro = MicroCluster::of(&[0.0], 0.0, None);
    (1..100).for_each(|time| micro.add(&[0.0], f64::from(time)));
    assert_eq!(micro.relevance(60.0), 49.5);
    let newest = micro.relevance(1.0);
    assert!(newest > 100.0 && newest < 130.0, "{newest}");
}

#[test]
fn a_forged_state_is_refused() {
    let mut whole = model(&[]);
    learn(&mut whole, &groups(300, 0.0, &mut Random::new(1)));
    assert_eq!(whole.validate(), Ok(()));
    let forge = |change: fn(&mut CluStream)| {
        let mut forged = whole.clone();
        change(&mut forged);
        forged.validate()
    };
    assert!(forge(|model| model.dim = None).is_err());
    assert!(forge(|model| model.config.time_gap = 0).is_err());
    assert!(forge(|model| model.config.max_micro_clusters = 2).is_err());
    assert!(forge(|model| model.micro[3].feature.mean.clear()).is_err());
    assert!(forge(|model| model.micro[3].feature.weight = 0.0).is_err());
    assert!(forge(|model| model.clusters.centers.truncate(1)).is_err());
}
