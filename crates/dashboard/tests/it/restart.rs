//! After a restart the page shows what it showed before.

use serde_json::{Value, json};

use crate::house::{EPOCH_MS, House, gallery};

const IMAGES: usize = 1_500;

async fn play(house: &House) {
    for n in 0..IMAGES {
        let (id, at_ms) = (n.to_string(), EPOCH_MS + 10 * n as i64);
        let segment = (n * 7) % 10;
        let placed = json!({"id": id, "segment": segment, "segment_raw": n % 3, "model_version": n / 50});
        house.append("enrol", at_ms, &[json!({"id": id, "pixels": [n % 17, 0, 16, 3]})]).await;
        house.append("placed", at_ms + 40, &[placed]).await;
        house.append("labels", at_ms + 60, &[json!({"id": id, "label": (segment % 9).to_string()})]).await;
    }
}

#[tokio::test]
async fn scores_galleries_and_the_run_itself_come_back_from_the_log() {
    let house = House::with_gallery();
    let mut seen: Vec<Value> = Vec::new();
    for start in 0..2 {
        let open = house.open(gallery()).await;
        if start == 0 {
            play(&house).await;
        }
        let mut live = open.client().live().await;
        live.tick_with(|tick| tick["status"]["scores"]["all"]["judged"] == IMAGES).await;
        drop(live);
        let mut snapshot = open.client().live().await.until("snapshot").await;
        let points = snapshot["points"].as_array_mut().unwrap();
        // Only whoever was there could count the records of all topics.
        points.iter_mut().for_each(|point| point["records"] = Value::Null);
        points.retain(|point| point["answers"] != 0);
        // Labels come while images come, not after the last of them.
        assert!(points[1..].iter().all(|point| point["purity"].is_number()), "{points:?}");
        let run: Vec<_> =
            points.iter().map(|point| (point["t"].as_i64(), point["answers"].as_u64())).collect();
        assert_eq!(run.iter().filter_map(|(_, answers)| *answers).sum::<u64>(), IMAGES as u64);
        seen.push(json!({
            "run": run,
            "clusters": snapshot["clusters"],
            "scores": snapshot["status"]["scores"],
            "images": snapshot["images"],
        }));
        open.close().await;
    }
    assert_eq!(seen[0]["scores"], seen[1]["scores"]);
    assert_eq!(seen[0]["clusters"].as_array().unwrap().len(), 10);
    assert!(seen[0] == seen[1], "{}\n{}", seen[0]["run"], seen[1]["run"]);
}
