//! The live feed.

use dashboard::Config;
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::house::{EPOCH_MS, House, gallery, plain};

fn image(id: &str) -> Value {
    json!({"id": id, "pixels": [0, 16, 8.4, 1]})
}

fn answer(id: &str, segment: u32) -> Value {
    json!({"id": id, "segment": segment, "segment_raw": 0, "model_version": 4})
}

#[tokio::test]
async fn without_a_gallery_it_tells_of_topics() {
    let house = House::new();
    let open = house.open(plain()).await;
    let mut live = open.client().live().await;
    let (event, snapshot) = live.next().await.unwrap();
    assert_eq!((event.as_str(), &snapshot["gallery"]), ("snapshot", &Value::Null));
    house.topics.create("t", 2, std::collections::BTreeMap::new()).unwrap();
    house.append("t", EPOCH_MS, &[json!(1), json!(2)]).await;
    let tick = live.tick_with(|tick| tick["status"]["topics"][0]["records"] == 2).await;
    assert_eq!(tick["status"]["topics"][0]["partitions"], 2);
    open.close().await;
}

#[tokio::test]
async fn question_answer_and_label_become_an_image_a_gallery_and_a_score() {
    let house = House::with_gallery();
    let open = house.open(gallery()).await;
    let mut live = open.client().live().await;
    assert_eq!(live.until("snapshot").await["gallery"]["enrol"], "enrol");
    house.append("labels", EPOCH_MS, &[json!({"id": "a", "label": "7"})]).await;
    house.append("enrol", EPOCH_MS, &[image("a"), image("b")]).await;
    house.append("placed", EPOCH_MS + 120, &[answer("a", 3)]).await;
    let images = live.until("images").await;
    let expected = json!({
        "id": "a", "kind": "enrolled", "pixels": "0g81", "segment": 3, "segment_raw": 0, "label": "7",
        "model_version": 4, "latency_ms": 120, "at_ms": EPOCH_MS + 120
    });
    assert_eq!(images["images"], json!([expected]));
    let tick = live.tick_with(|tick| tick["status"]["scores"]["all"]["judged"] == 1).await;
    assert_eq!(tick["clusters"], json!([{"segment": 3, "size": 1, "labels": [["7", 1]], "mean": "0g81"}]));
    let point = &tick["points"][0];
    assert_eq!((&point["answers"], &point["purity"]), (&json!(1), &json!(1.0)));
    assert!(point["p50"].as_u64().is_some_and(|ms| (120..=135).contains(&ms)), "{point}");
    open.close().await;
}

#[tokio::test]
async fn an_upload_is_answered_at_once_and_rotten_rows_stop_nothing() {
    let house = House::with_gallery();
    let open = house.open(gallery()).await;
    let client = open.client();
    let mut live = client.live().await;
    live.until("snapshot").await;
    house.append_text("uploads", EPOCH_MS, &["no json", "", "[1]", "{\"id\":\"w\",\"pixels\":[1]}"]).await;
    assert_eq!(client.post("/api/topics/uploads/records", &json!([image("mine")])).await.status, 200);
    house.append("assigned", house.env.clock.now_ms(), &[answer("mine", 1)]).await;
    let images = live.until("images").await;
    let mine = &images["images"][0];
    assert_eq!(
        (&mine["id"], &mine["kind"], &mine["segment"]),
        (&json!("mine"), &json!("uploaded"), &json!(1))
    );
    let tick = live.until("tick").await;
    assert_eq!(tick["status"]["unreadable"], json!({"uploads": 3}));
    open.close().await;
}

#[tokio::test]
async fn topics_that_come_later_or_come_again_are_followed() {
    let house = House::new();
    let open = house.open(gallery()).await;
    let mut live = open.client().live().await;
    live.until("snapshot").await;
    for round in 0..2 {
        for name in ["uploads", "assigned"] {
            house.topics.create(name, 1, std::collections::BTreeMap::new()).unwrap();
        }
        let id = format!("round-{round}");
        house.append("uploads", EPOCH_MS, &[image(&id)]).await;
        house.append("assigned", EPOCH_MS + 5, &[answer(&id, 0)]).await;
        assert_eq!(live.until("images").await["images"][0]["id"], json!(id));
        for name in ["uploads", "assigned"] {
            house.topics.delete(name).unwrap();
        }
    }
    open.close().await;
}

#[tokio::test]
async fn a_browser_that_does_not_read_costs_no_memory_and_begins_anew() {
    let house = House::with_gallery();
    let open = house.open(gallery()).await;
    let client = open.client();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut slow = client.live_with(socket).await;
    slow.until("snapshot").await;
    // The system's own buffers take some megabytes before the server notices; the ids make the frames large.
    let mut quick = client.live().await;
    quick.until("snapshot").await;
    for round in 0..700 {
        let ids: Vec<_> = (0..40).map(|n| format!("{round:04}-{n:02}-{}", "x".repeat(180))).collect();
        house.append("uploads", EPOCH_MS, &ids.iter().map(|id| image(id)).collect::<Vec<_>>()).await;
        house.append("assigned", EPOCH_MS + 5, &ids.iter().map(|id| answer(id, 0)).collect::<Vec<_>>()).await;
        quick.until("images").await;
    }
    let begun_anew = slow.until("snapshot").await;
    assert!(begun_anew["status"]["answered"].as_u64().unwrap() > 64 * 40);
    let last = slow.tick_with(|tick| tick["status"]["answered"] == 700 * 40).await;
    assert_eq!(last["clusters"][0]["size"], 700 * 40);
    open.close().await;
}

#[tokio::test]
async fn a_stop_ends_the_feed_of_those_who_watch() {
    let house = House::with_gallery();
    let open = house.open(Config { history_records_max: 10, ..gallery() }).await;
    let mut live = open.client().live().await;
    live.until("snapshot").await;
    open.close().await;
    while live.next().await.is_some() {}
}
