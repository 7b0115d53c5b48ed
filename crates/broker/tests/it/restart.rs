//! What was acknowledged is there after a restart, clean or not.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use env::{Env, ManualClock, SimDisk};
use protocol::ErrorCode;
use protocol::messages::{MetadataResponse, OffsetCommitResponse};

use crate::group::{commit, committed};
use crate::support::*;

#[tokio::test]
async fn a_restart_keeps_commits_records_and_the_cluster() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let server = Server::open(dir.path(), |_| ()).await;
    let mut client = server.client().await;
    let before: MetadataResponse = client.touch_topic("t").await;
    client.produce("t", -1, batch(&["a", "b"])).await;
    for offset in [1, 2] {
        let done: OffsetCommitResponse = client.ask(7, &commit("", -1, offset)).await;
        assert_eq!(done.topics[0].partitions[0].error_code, 0);
    }
    server.stop().await;
    assert!(client.frame().await.is_none(), "the connection is closed");

    let server = Server::open(dir.path(), |_| ()).await;
    let mut client = server.client().await;
    assert_eq!(committed(&mut client).await, (2, "note".to_owned()));
    assert_eq!(fetched(&client.fetch("t", 0).await).len(), 2);
    let after = client.touch_topic("t").await;
    assert_eq!(before.cluster_id, after.cluster_id);
    server.stop().await;
}

async fn on(disk: &SimDisk) -> Server {
    let env = Env::simulated(Arc::new(ManualClock::new(1_000_000)), disk, 7);
    Server::open_in(Path::new("/data"), env, |_| ()).await
}

async fn commits(client: &mut Client, offset: i64) -> ErrorCode {
    let done: OffsetCommitResponse = client.ask(7, &commit("", -1, offset)).await;
    ErrorCode::from_code(done.topics[0].partitions[0].error_code)
}

#[tokio::test]
async fn a_power_cut_never_takes_an_acknowledged_commit_back() {
    let disk = SimDisk::new();
    let server = on(&disk).await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    client.produce("t", -1, batch(&["a", "b"])).await;
    for offset in 0..20 {
        assert_eq!(commits(&mut client, offset).await, ErrorCode::None);
        let reopened = on(&disk.crash()).await;
        let mut later = reopened.client().await;
        assert_eq!(committed(&mut later).await.0, offset);
        assert_eq!(fetched(&later.fetch("t", 0).await).len(), 2);
        reopened.stop().await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_commit_that_cannot_be_flushed_is_not_acknowledged_nor_shown() {
    let disk = SimDisk::new();
    let server = on(&disk).await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    assert_eq!(commits(&mut client, 1).await, ErrorCode::None);
    disk.fail_sync(1);
    assert_eq!(commits(&mut client, 2).await, ErrorCode::CoordinatorNotAvailable);
    assert_eq!(commits(&mut client, 3).await, ErrorCode::CoordinatorNotAvailable, "until a restart");
    let reopened = on(&disk.crash()).await;
    assert_eq!(committed(&mut reopened.client().await).await.0, 1);
    reopened.stop().await;
}

#[tokio::test]
async fn a_full_disk_refuses_commits_and_takes_them_again_when_there_is_space() {
    let disk = SimDisk::new();
    let server = on(&disk).await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    assert_eq!(commits(&mut client, 1).await, ErrorCode::None);
    disk.set_capacity(Some(disk.used()));
    assert_eq!(commits(&mut client, 2).await, ErrorCode::CoordinatorNotAvailable);
    disk.set_capacity(None);
    assert_eq!(committed(&mut client).await.0, 1, "what was refused is not shown");
    assert_eq!(commits(&mut client, 3).await, ErrorCode::None);
    let reopened = on(&disk.crash()).await;
    assert_eq!(committed(&mut reopened.client().await).await.0, 3);
    reopened.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn compaction_of_the_groups_topic_changes_nothing_about_groups() {
    let disk = SimDisk::new();
    let server = on(&disk).await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    assert_eq!(commits(&mut client, 0).await, ErrorCode::None);
    let topic = "__consumer_offsets";
    let eager = [("segment.bytes", "300"), ("min.cleanable.dirty.ratio", "0")];
    let eager: BTreeMap<_, _> =
        eager.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect();
    server.topics.alter_configs(topic, eager).expect("the topic is there");
    for offset in 1..40 {
        assert_eq!(commits(&mut client, offset).await, ErrorCode::None);
    }
    let partition = server.topics.topic(topic).and_then(|topic| topic.partition(0)).expect("partition 0");
    let before = partition.size_bytes();
    let cleaned = server.topics.clean(2_000_000);
    assert_eq!((cleaned.partitions_compacted, cleaned.failures), (1, 0));
    assert!(partition.size_bytes() * 3 < before, "{} of {before}", partition.size_bytes());
    assert_eq!(committed(&mut client).await.0, 39);
    let reopened = on(&disk.crash()).await;
    let mut later = reopened.client().await;
    assert_eq!(committed(&mut later).await, (39, "note".to_owned()));
    assert_eq!(commits(&mut later, 40).await, ErrorCode::None);
    assert_eq!(committed(&mut later).await.0, 40);
    reopened.stop().await;
    server.stop().await;
}
