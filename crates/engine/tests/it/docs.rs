//! `docs/sql.md` is true.

use env::{Disk, OpenMode};
use serde_json::Value;

use crate::support::World;

const PAGE: &str = include_str!("../../../../docs/sql.md");
const NETWORK: &[u8] = include_bytes!("../../../../examples/digits/signature.onnx");

/// The fenced blocks: what stands behind the fence, and the text.
fn blocks() -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in PAGE.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info.trim().to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
}

#[tokio::test]
async fn every_example_of_the_page_runs() {
    let (disk, world) = World::new();
    disk.open("signature.onnx".as_ref(), OpenMode::Create).unwrap().write_at(NETWORK, 0).unwrap();
    let (mut rows, mut refused, mut ran) = (Vec::new(), None, 0);
    for (info, text) in blocks() {
        match info.as_str() {
            "sql" => {
                world.caught_up().await;
                rows = world.sql(&text).await.rows.into_iter().map(Value::from).collect();
                world.caught_up().await;
                ran += 1;
            }
            "sql refused" => refused = Some(world.refused(&text).await),
            "json" => assert_eq!(rows, lines(&text)),
            "text" => {
                if let Some(refused) = refused.take() {
                    assert_eq!(refused, text.trim());
                }
            }
            other => {
                let topic = other.strip_prefix("json to ").unwrap_or_else(|| panic!("a block of {other}"));
                let values: Vec<String> = text.lines().map(str::to_owned).collect();
                world.write(topic, 0, &values).await;
                world.caught_up().await;
            }
        }
    }
    assert!(ran > 10, "only {ran} examples were found");
}

#[tokio::test]
async fn the_pipeline_of_the_demo_is_accepted() {
    let (disk, world) = World::new();
    disk.open("signature.onnx".as_ref(), OpenMode::Create).unwrap().write_at(NETWORK, 0).unwrap();
    let pipeline = include_str!("../../../../examples/digits/pipeline.sql");
    world.sql(pipeline).await;
    assert_eq!(world.engine.queries().len(), 5);
    world.close().await;
    let world = World::open(&disk);
    assert_eq!(world.engine.queries().len(), 5);
    assert_eq!(world.engine.models().len(), 3);
}
