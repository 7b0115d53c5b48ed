use super::*;
use crate::random::Random;

fn model(options: &[(&str, &str)]) -> DenStream {
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    DenStream::from_options(&options, &Schema::vector(None)).unwrap()
}

fn learn(model: &mut DenStream, row: [f64; 2]) {
    model.learn_one(Row::from(&row[..])).unwrap();
}

fn ask(model: &DenStream, row: [f64; 2]) -> Option<u32> {
    model.predict_one(Row::from(&row[..]))
}

/// Two rings around one another: no middle tells them apart.
fn ring(at: usize, random: &mut Random) -> [f64; 2] {
    let radius = if at.is_multiple_of(2) { 1.0 } else { 4.0 };
    let angle = std::f64::consts::TAU * random.uniform();
    [radius * libm::cos(angle), radius * libm::sin(angle)]
}

#[test]
fn rings_are_clusters() {
    let mut model =
        model(&[("epsilon", "0.3"), ("decaying_factor", "0.01"), ("mu", "3"), ("offline_multiplier", "4")]);
    let mut random = Random::new(2);
    (0..4_000).for_each(|at| learn(&mut model, ring(at, &mut random)));
    model.look_through(4_000);
    let inner: Vec<_> = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]].map(|row| ask(&model, row)).to_vec();
    let outer: Vec<_> = [[4.0, 0.0], [-4.0, 0.0], [0.0, -4.0]].map(|row| ask(&model, row)).to_vec();
    assert!(inner.iter().all(|cluster| cluster.is_some() && *cluster == inner[0]), "{inner:?}");
    assert!(outer.iter().all(|cluster| cluster.is_some() && *cluster == outer[0]), "{outer:?}");
    assert_ne!(inner[0], outer[0]);
    assert_eq!(model.weights().len(), 2, "{:?}", model.weights());
}

#[test]
fn a_single_row_is_noise_and_is_forgotten() {
    let mut model = model(&[("epsilon", "0.5")]);
    learn(&mut model, [100.0, 100.0]);
    assert_eq!(ask(&model, [100.0, 100.0]), None);
    (0..2_000).for_each(|_| learn(&mut model, [0.0, 0.0]));
    assert_eq!(model.micro_clusters(), (1, 0));
    assert_eq!(ask(&model, [100.0, 100.0]), Some(0), "the nearest that there is");
}

#[test]
fn what_no_longer_comes_fades_away() {
    let mut model = model(&[("epsilon", "0.5")]);
    (0..500).for_each(|_| learn(&mut model, [0.0, 0.0]));
    (0..500).for_each(|_| learn(&mut model, [9.0, 0.0]));
    assert_eq!(model.micro_clusters().0, 2);
    assert_ne!(ask(&model, [0.0, 0.0]), ask(&model, [9.0, 0.0]));
    (0..5_000).for_each(|_| learn(&mut model, [9.0, 0.0]));
    assert_eq!(model.micro_clusters().0, 1);
    // A weight that gains 1 a row and loses its share of 2^(-0.25/100) settles at 1 / (1 - that).
    model.look_through(6_000);
    let settled = 1.0 / (1.0 - libm::exp2(-0.0025));
    assert!((model.weights()[0] - settled).abs() < 1.0, "{:?} {settled}", model.weights());
}

#[test]
fn there_are_no_more_than_may_be() {
    let mut model = model(&[("max_micro_clusters", "4"), ("epsilon", "0.1")]);
    for step in 0..1_000_u32 {
        learn(&mut model, [f64::from(step % 50), f64::from(step % 7)]);
        let (potential, outliers) = model.micro_clusters();
        assert!(potential <= 4 && outliers <= 4);
    }
}

#[test]
fn the_periods_are_the_papers() {
    // log2(1.5 / 0.5) / 0.25 = 6.34 units of 100 rows.
    assert_eq!(model(&[]).config.period(), 700);
    assert_eq!(model(&[("mu", "1")]).config.period(), 100);
    assert_eq!(model(&[]).config.outlier_weight(0), 1.0);
    assert!(model(&[]).config.outlier_weight(700) > 1.2);
}

#[test]
fn a_forged_state_is_refused() {
    let mut whole = model(&[("epsilon", "0.5")]);
    (0..500).for_each(|step| learn(&mut whole, [f64::from(step % 5) * 9.0, 0.0]));
    assert_eq!(whole.validate(), Ok(()));
    let forge = |change: fn(&mut DenStream)| {
        let mut forged = whole.clone();
        change(&mut forged);
        forged.validate()
    };
    assert!(forge(|model| model.labels[0] = 99).is_err());
    assert!(forge(|model| model.labels.clear()).is_err());
    assert!(forge(|model| model.config.stream_speed = 0).is_err());
    assert!(forge(|model| model.potential[0].faded = u64::MAX).is_err());
    assert!(forge(|model| model.potential[0].feature.mean.push(0.0)).is_err());
    assert!(forge(|model| model.dim = Some(7)).is_err());
}
