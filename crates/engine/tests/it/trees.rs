//! Trees: why they answer as they do, and a model that learns when it is told to.

use serde_json::json;

use crate::support::World;

fn flowers(count: usize) -> Vec<String> {
    let row = |index: usize| {
        let (petal, species) = if index.is_multiple_of(2) { (1.0, "lily") } else { (5.0, "rose") };
        json!({"petal": petal + (index % 7) as f64 * 0.1, "species": species}).to_string()
    };
    (0..count).map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_says_why_and_learns_when_it_is_told_to() {
    let (_disk, world) = World::new();
    world
        .sql("CREATE STREAMING TABLE flowers (petal DOUBLE, species STRING) USING kafka OPTIONS (topic 'flowers')")
        .await;
    world.write("flowers", 0, &flowers(400)).await;
    world
        .sql(
            "CREATE MODEL kinds OPTIONS (algorithm 'hoeffding_tree', label 'species', trigger 'once') \
             AS SELECT petal, species FROM STREAM flowers",
        )
        .await;
    world.settled().await;
    world.write("flowers", 0, &flowers(10)).await;
    world.settled().await;
    let answer = world
        .sql(
            "SELECT explain_features('kinds', 5.0)['petal'] > 0.4 AS spoke, model_version('kinds') AS version, \
             predict('kinds', 5.0) AS kind",
        )
        .await;
    // What came after the one batch is not learned.
    assert_eq!(answer.rows, [[json!(true), json!(1), json!("rose")]]);
    let refused = world
        .refused(
            "CREATE MODEL others OPTIONS (algorithm 'hoeffding_tree', label 'species', trigger 'sometimes') \
             AS SELECT petal, species FROM STREAM flowers",
        )
        .await;
    assert!(refused.contains("'availableNow' or 'once'"), "{refused}");
}
