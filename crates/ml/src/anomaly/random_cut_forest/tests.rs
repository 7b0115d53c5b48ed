use super::tree::Kind;
use super::*;
use crate::learner::Learner;

fn forest(options: &[(&str, &str)]) -> RandomCutForest {
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    RandomCutForest::from_options(&options, &Schema::default()).unwrap()
}

/// Rows of which many are equal.
fn grid(turn: u32) -> [f64; 2] {
    [f64::from(turn * turn % 7), f64::from(turn * 5 % 11)]
}

#[test]
fn trees_are_whole_after_every_row_and_hold_the_last_ones() {
    let mut forest = forest(&[("n_trees", "3"), ("tree_size", "16")]);
    for turn in 0..200 {
        forest.learn_one(Row::F64(&grid(turn))).unwrap();
        let again = RandomCutForest::try_from(Saved::from(forest.clone())).unwrap();
        assert_eq!(again, forest, "after {turn}: links, counts and boxes");
        let root = forest.trees[0].root.unwrap();
        assert_eq!(forest.trees[0].nodes[root as usize].count, (turn + 1).min(16));
        assert!(forest.trees.iter().all(|tree| tree.nodes.len() <= 31));
    }
    for turn in 184..200 {
        let row = grid(turn);
        assert!(forest.points.chunks(2).any(|point| point == row));
    }
}

#[test]
fn a_row_alone_among_many_displaces_them_all() {
    let mut forest = forest(&[("n_trees", "20"), ("tree_size", "64")]);
    assert_eq!(forest.score_one(Row::F64(&[0.0])), None);
    (0..64).for_each(|_| forest.learn_one(Row::F64(&[5.0])).unwrap());
    assert_eq!(forest.score_one(Row::F64(&[9.0])), Some(64.0));
    assert_eq!(forest.score_one(Row::F64(&[5.0])), Some(0.0));
}

#[test]
fn what_lies_apart_scores_higher_until_it_is_usual() {
    let mut forest = forest(&[("n_trees", "20"), ("tree_size", "128")]);
    let mut random = Random::new(2);
    let mut near = |middle: f64| [middle + random.normal(), middle + random.normal(), random.normal()];
    (0..300).for_each(|_| forest.learn_one(Row::F64(&near(0.0))).unwrap());
    let usual = forest.score_one(Row::F64(&near(0.0))).unwrap();
    let strange = forest.score_one(Row::F64(&[12.0, 12.0, 0.0])).unwrap();
    assert!(usual < 20.0 && strange > 60.0, "{usual} {strange}");
    (0..100).for_each(|_| forest.learn_one(Row::F64(&near(12.0))).unwrap());
    let strange = forest.score_one(Row::F64(&near(12.0))).unwrap();
    assert!(strange < 20.0, "{strange}");
}

#[test]
fn forged_trees_are_noticed() {
    let mut forest = forest(&[("n_trees", "2"), ("tree_size", "8")]);
    (0..20).for_each(|turn| forest.learn_one(Row::F64(&grid(turn))).unwrap());
    let branch = |tree: &Tree| tree.root.unwrap() as usize;
    let forgeries: [fn(&mut Tree, usize); 7] = [
        |tree, root| tree.nodes[root].count += 1,
        |tree, root| tree.nodes[root].parent = Some(0),
        |tree, _| tree.root = Some(99),
        |tree, _| tree.leaves[0] = tree.leaves[1],
        |tree, _| tree.leaves[0] = 99,
        |tree, root| {
            if let Kind::Branch { left, right, .. } = &mut tree.nodes[root].kind {
                *right = *left;
            }
        },
        |tree, root| {
            if let Kind::Branch { column, .. } = &mut tree.nodes[root].kind {
                *column = 9;
            }
        },
    ];
    for forge in forgeries {
        let mut forged = forest.clone();
        let root = branch(&forged.trees[1]);
        forge(&mut forged.trees[1], root);
        assert!(RandomCutForest::restore(&forged.snapshot()).is_err());
    }
    assert_eq!(RandomCutForest::restore(&forest.snapshot()).unwrap(), forest);
}
