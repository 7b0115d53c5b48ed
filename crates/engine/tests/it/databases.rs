//! Databases: which tables are in them, and what is there after a restart.

use std::path::Path;

use engine::{Database, TableNote};
use env::{Disk, SimDisk};
use serde_json::Value;

use crate::support::World;

fn named(name: &str) -> Database {
    Database { name: name.to_owned(), comment: "so".to_owned(), ..Database::default() }
}

fn catalog_file(disk: &SimDisk) -> Value {
    serde_json::from_slice(&disk.read(Path::new("/data/engine/catalog.json")).unwrap()).unwrap()
}

fn table(name: &str) -> String {
    format!("CREATE STREAMING TABLE `{name}` (v INT) USING kafka OPTIONS (topic '{name}')")
}

#[tokio::test]
async fn a_database_is_there_after_a_restart_with_its_tables() {
    let (disk, world) = World::new();
    world.sql(&table("plain")).await;
    assert_eq!(catalog_file(&disk)["version"], 2, "older programs read it");
    world.engine.keep_database(named("Shop")).await.unwrap();
    world.sql(&table("shop.orders")).await;
    let note = TableNote { comment: Some("by day".to_owned()), partition_by: vec!["day".to_owned()] };
    world.engine.note("SHOP.orders", note.clone()).await.unwrap();
    world.close().await;

    let world = World::open(&disk);
    assert_eq!(catalog_file(&disk)["version"], 3);
    assert_eq!(world.engine.databases(), [named("shop")]);
    assert_eq!(world.engine.database("SHOP"), Some(named("shop")));
    assert_eq!(world.engine.tables_in("shop"), ["orders"]);
    assert_eq!(world.engine.tables_in("default"), ["plain"]);
    assert_eq!(world.engine.note_of("shop.orders"), note);
    assert!(world.engine.note("nothing", note).await.is_err());

    assert!(world.engine.drop_database("shop").await.unwrap());
    assert!(!world.engine.drop_database("shop").await.unwrap());
    assert_eq!(world.engine.note_of("shop.orders"), TableNote::default());
    world.close().await;
    let world = World::open(&disk);
    assert_eq!(world.engine.table_names(), ["plain"]);
    assert!(world.engine.databases().is_empty());
    world.close().await;
}

#[tokio::test]
async fn what_is_no_name_of_a_database_is_refused() {
    let (_disk, world) = World::new();
    world.sql(&table("a.t")).await;
    for name in ["", "default", "a.b", "a b", "a"] {
        assert!(world.engine.keep_database(named(name)).await.is_err(), "{name}");
    }
    assert_eq!(world.engine.tables_in("default"), ["a.t"], "there is no database `a`");
    world.close().await;
}
