//! The rule against hand-computed MLlib results, and the start.

use proptest::prelude::*;

use super::*;

fn given(decay: Decay, centers: &[[f64; 2]], weights: &[f64]) -> StreamingKMeans {
    let centers: Vec<Vec<f64>> = centers.iter().map(|center| center.to_vec()).collect();
    let init = Init::Given { centers, weights: weights.to_vec() };
    StreamingKMeans::new(Config { k: weights.len(), decay, init, ..Config::default() }).unwrap()
}

fn learn(model: &mut StreamingKMeans, rows: &[[f64; 2]]) -> LearnReport {
    model.learn_many(Features::dense(rows.as_flattened(), 2).unwrap())
}

fn centers(model: &StreamingKMeans) -> Vec<f64> {
    let mut values = Vec::new();
    model.centers().unwrap().iter().for_each(|center| center.append_to(&mut values));
    values
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found_value, expected_value) in found.iter().zip(expected) {
        assert!((found_value - expected_value).abs() < 1e-12, "{found:?} instead of {expected:?}");
    }
}

const FIRST: &[[f64; 2]] = &[[1.0, 1.0], [0.0, 2.0], [9.0, 9.0], [11.0, 9.0], [10.0, 12.0]];
const SECOND: &[[f64; 2]] = &[[2.0, 2.0], [3.0, 1.0], [4.0, 3.0]];

#[test]
fn the_rule_is_that_of_mllib() {
    let batches = |factor| Decay { factor, unit: TimeUnit::Batches };
    let points = |factor| Decay { factor, unit: TimeUnit::Points };
    for (decay, center, weights) in [
        (batches(1.0), [1.6666666666666667, 1.5], [6.0, 4.0]),
        (batches(0.5), [2.235294117647059, 1.7647058823529413], [4.25, 1.75]),
        (points(0.9), [1.9901943865140501, 1.6747580884356592], [4.88846721, 2.61746721]),
    ] {
        let mut model = given(decay, &[[0.0, 0.0], [10.0, 10.0]], &[1.0, 1.0]);
        learn(&mut model, FIRST);
        learn(&mut model, SECOND);
        assert_close(&centers(&model), &[center[0], center[1], 10.0, 10.0]);
        assert_close(model.weights(), &weights);
        assert_eq!(model.rows_learned(), 8);
    }
}

#[test]
fn a_dying_cluster_takes_half_of_the_heaviest_in_its_26th_batch() {
    let decay = Decay { factor: 0.5, unit: TimeUnit::Batches };
    let mut model = given(decay, &[[0.0, 0.0], [10.0, 10.0]], &[1.0, 1.0]);
    for batch in 1..26 {
        learn(&mut model, &[[0.0, 0.0]]);
        assert_eq!(centers(&model)[2..], [10.0, 10.0], "batch {batch}");
    }
    learn(&mut model, &[[0.0, 0.0]]);
    assert_eq!(centers(&model), [1e-14, 1e-14, -1e-14, -1e-14]);
    assert_close(model.weights(), &[1.0, 1.0]);
}

#[test]
fn a_half_life_halves() {
    let decay = Decay::half_life(4.0, TimeUnit::Batches);
    let mut model = given(decay, &[[0.0, 0.0], [10.0, 10.0]], &[0.0, 16.0]);
    (0..4).for_each(|_| drop(learn(&mut model, &[[0.0, 0.0]])));
    assert_close(&model.weights()[1..], &[8.0]);
    let decay = Decay::half_life(500.0, TimeUnit::Points);
    assert!((decay.discount(500) - 0.5).abs() < 1e-12 && (decay.discount(1000) - 0.25).abs() < 1e-12);
    assert_eq!(decay.discount(0), 1.0);
    assert_eq!(Decay { factor: 0.0, unit: TimeUnit::Points }.discount(3), 0.0);
    assert_eq!(decay.discount(u64::MAX), 0.0);
}

#[test]
fn a_batch_without_acceptable_rows_ages_nothing() {
    let decay = Decay { factor: 0.5, unit: TimeUnit::Batches };
    let mut model = given(decay, &[[0.0, 0.0]], &[1.0]);
    let report = learn(&mut model, &[[f64::NAN, 0.0], [f64::INFINITY, 0.0]]);
    assert_eq!((report.learned, report.rejected.len()), (0, 2));
    assert_eq!(learn(&mut model, &[]), LearnReport::default());
    assert_eq!(model.weights(), [1.0]);
}

#[test]
fn there_are_no_answers_until_enough_rows_came_and_each_is_learned_once() {
    let mut model = StreamingKMeans::new(Config {
        k: 2,
        init: Init::KMeansPlusPlus { rows: Some(6) },
        ..Config::default()
    })
    .unwrap();
    let question = Row::from(&[0.0, 0.0][..]);
    assert_eq!((model.predict_one(question), model.dim()), (None, None));
    learn(&mut model, FIRST);
    assert_eq!((model.predict_one(question), model.rows_waiting(), model.rows_learned()), (None, 5, 5));
    assert!(model.centers().is_none() && model.weights().is_empty());
    learn(&mut model, SECOND);
    assert!(model.predict_one(question).is_some());
    assert_eq!((model.rows_waiting(), model.rows_learned()), (0, 8));
    // Without decay the weights count the rows: five near the origin, three far from it.
    let mut weights = model.weights().to_vec();
    weights.sort_by(f64::total_cmp);
    assert_eq!(weights, [3.0, 5.0]);
    let near = model.predict_one(question).unwrap() as usize;
    assert_close(&centers(&model)[near * 2..near * 2 + 2], &[2.0, 1.8]);
}

#[test]
fn the_first_acceptable_row_decides_the_width_unless_it_was_said() {
    let mut model = StreamingKMeans::new(Config::default()).unwrap();
    assert_eq!(model.learn_one(Row::from(&[f64::NAN][..])), Err(Rejection::NotFinite { column: 0 }));
    assert_eq!(model.dim(), None);
    model.learn_one(Row::from(&[1.0_f32, 2.0, 3.0][..])).unwrap();
    assert_eq!(model.learn_one(Row::from(&[1.0][..])), Err(Rejection::Dimension { expected: 3, found: 1 }));
    let mut model = StreamingKMeans::new(Config { dim: Some(2), ..Config::default() }).unwrap();
    assert_eq!(model.learn_one(Row::from(&[1.0][..])), Err(Rejection::Dimension { expected: 2, found: 1 }));
    let mut model = StreamingKMeans::new(Config { k: K_MAX, ..Config::default() }).unwrap();
    let wide = vec![0.0; 1000];
    let limit = 4 * 1024 * 1024 / (10 * K_MAX);
    assert_eq!(model.learn_one(Row::from(&wide[..])), Err(Rejection::TooWide { limit, found: 1000 }));
}

#[test]
fn learning_one_is_a_batch_of_one() {
    let decay = Decay { factor: 0.8, unit: TimeUnit::Batches };
    let (mut one, mut many) = (given(decay, &[[0.0; 2]], &[1.0]), given(decay, &[[0.0; 2]], &[1.0]));
    for row in FIRST {
        one.learn_one(Row::from(&row[..])).unwrap();
        learn(&mut many, &[*row]);
    }
    assert_eq!(one, many);
}

#[test]
fn single_precision_is_widened_exactly() {
    let (mut narrow, mut wide) =
        (given(Decay::NONE, &[[0.0; 2]], &[1.0]), given(Decay::NONE, &[[0.0; 2]], &[1.0]));
    let row = [0.1_f32, 1e30];
    narrow.learn_one(Row::from(&row[..])).unwrap();
    wide.learn_one(Row::from(&row.map(f64::from)[..])).unwrap();
    assert_eq!(narrow, wide);
    assert_eq!(narrow.nearest(Row::from(&[f32::NAN, 0.0][..])), None);
}

proptest! {
    /// A centre is an average of its start and its rows, so it cannot leave their range.
    #[test]
    fn centers_stay_among_the_rows(
        batches in prop::collection::vec(prop::collection::vec([-100.0..100.0_f64, -100.0..100.0], 1..20), 1..10),
        factor in 0.0..=1.0_f64,
        points in any::<bool>(),
    ) {
        let unit = if points { TimeUnit::Points } else { TimeUnit::Batches };
        let mut model = given(Decay { factor, unit }, &[[-1.0, 1.0], [1.0, -1.0], [50.0, 50.0]], &[1.0; 3]);
        for batch in &batches {
            learn(&mut model, batch);
        }
        prop_assert!(centers(&model).iter().all(|value| value.abs() <= 100.0 + 1e-9));
        prop_assert!(model.weights().iter().all(|weight| *weight >= 0.0));
    }

    /// Without decay and with centres far apart, weights count rows and centres are their means.
    #[test]
    fn without_decay_the_batches_do_not_matter(
        rows in prop::collection::vec([-1.0..1.0_f64, -1.0..1.0], 2..60),
        cut in 1..59_usize,
    ) {
        let far = [[0.0, 0.0], [1e6, 1e6]];
        let (mut whole, mut parts) = (given(Decay::NONE, &far, &[0.0, 1.0]), given(Decay::NONE, &far, &[0.0, 1.0]));
        learn(&mut whole, &rows);
        let cut = cut.min(rows.len());
        learn(&mut parts, &rows[..cut]);
        learn(&mut parts, &rows[cut..]);
        prop_assert_eq!(whole.weights(), parts.weights());
        for (one, other) in centers(&whole).iter().zip(centers(&parts)) {
            prop_assert!((one - other).abs() < 1e-9);
        }
    }
}
