//! Watermarks, windows and output modes through the whole engine.

use serde_json::{Value, json};

use crate::support::World;

const CLICKS: &str = "CREATE STREAMING TABLE clicks (page STRING, at TIMESTAMP)
    USING kafka OPTIONS (topic 'clicks')";

fn clicks(of: &[(&str, u32)]) -> Vec<String> {
    of.iter()
        .map(|(page, second)| {
            let (minute, second) = (second / 60, second % 60);
            json!({"page": page, "at": format!("2026-01-01T00:{minute:02}:{second:02}Z")}).to_string()
        })
        .collect()
}

fn short(rows: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    rows.iter()
        .map(|row| format!("{} {} {}", &text(&row["start"])[11..19], text(&row["page"]), text(&row["n"])))
        .collect()
}

fn counts(options: &str) -> String {
    format!(
        "CREATE STREAMING TABLE counts USING kafka OPTIONS (topic 'counts', {options})
         AS SELECT window.start, page, count(*) AS n
         FROM STREAM clicks WATERMARK at DELAY OF INTERVAL 10 SECONDS
         GROUP BY window(at, '30 seconds'), page"
    )
}

#[tokio::test]
async fn in_append_mode_a_window_is_written_once_and_late_rows_are_told() {
    let (disk, world) = World::new();
    world.sql(CLICKS).await;
    world.sql(&counts("outputMode 'append', lateTopic 'late'")).await;
    world.write("clicks", 0, &clicks(&[("a", 1), ("a", 2), ("b", 31)])).await;
    world.caught_up().await;
    assert!(world.read("counts").is_empty());
    world.write("clicks", 0, &clicks(&[("a", 29), ("a", 45)])).await;
    world.caught_up().await;
    assert_eq!(short(&world.read("counts")), ["00:00:00 a 3"]);
    world.close().await;

    let world = World::open(&disk);
    world.write("clicks", 0, &clicks(&[("late", 3), ("b", 59), ("c", 200)])).await;
    world.caught_up().await;
    assert_eq!(
        short(&world.read("counts")),
        ["00:00:00 a 3", "00:00:30 a 1", "00:00:30 b 2"],
        "the restart forgot neither state nor watermark"
    );
    assert_eq!(world.read("late").len(), 1);
    assert_eq!(world.read("late")[0]["page"], "late");
    let status = world.query("counts");
    assert_eq!((status.rows_late, status.state_rows), (1, Some(1)));
    assert_eq!(status.watermark_us, Some(1_767_225_600_000_000 + 190_000_000));
}

#[tokio::test]
async fn in_complete_mode_every_window_is_written_with_every_batch_in_order() {
    let (_disk, world) = World::new();
    world.sql(CLICKS).await;
    world
        .sql(
            "CREATE STREAMING TABLE counts USING kafka OPTIONS (topic 'counts', outputMode 'complete')
             AS SELECT window.start, page, count(*) AS n FROM STREAM clicks
             GROUP BY window(at, '30 seconds'), page ORDER BY n DESC, page LIMIT 2",
        )
        .await;
    world.write("clicks", 0, &clicks(&[("b", 1), ("a", 2), ("c", 31), ("c", 32)])).await;
    world.caught_up().await;
    assert_eq!(short(&world.read("counts")), ["00:00:30 c 2", "00:00:00 a 1"]);
}

#[tokio::test]
async fn two_streams_become_one_and_the_slower_holds_the_watermark() {
    let (_disk, world) = World::new();
    world.sql(CLICKS).await;
    world.sql(&CLICKS.replace("clicks", "taps")).await;
    world
        .sql(
            "CREATE STREAMING TABLE counts USING kafka OPTIONS (topic 'counts', outputMode 'append')
             AS SELECT window.start, page, count(*) AS n FROM (
               SELECT at, page FROM STREAM clicks WATERMARK at DELAY OF INTERVAL 0 SECONDS
               UNION ALL SELECT at, page FROM STREAM taps WATERMARK at DELAY OF INTERVAL 0 SECONDS)
             GROUP BY window(at, '10 seconds'), page",
        )
        .await;
    world.write("clicks", 0, &clicks(&[("a", 1), ("a", 50)])).await;
    world.caught_up().await;
    assert!(world.read("counts").is_empty(), "nothing is known of the taps yet");
    world.write("taps", 0, &clicks(&[("a", 2), ("a", 15)])).await;
    world.caught_up().await;
    assert_eq!(short(&world.read("counts")), ["00:00:00 a 2"]);
}

#[tokio::test]
async fn sessions_and_first_rows_leave_once_whatever_restarts() {
    let (disk, world) = World::new();
    world.sql(CLICKS).await;
    world
        .sql(
            "CREATE STREAMING TABLE sittings USING kafka OPTIONS (topic 'sittings')
             AS SELECT session_window.start, page, count(*) AS n
             FROM STREAM clicks WATERMARK at DELAY OF INTERVAL 0 SECONDS
             GROUP BY session_window(at, '10 seconds'), page",
        )
        .await;
    world
        .sql(
            "CREATE STREAMING TABLE firsts USING kafka OPTIONS (topic 'firsts')
             AS SELECT DISTINCT ON (page) page, at FROM STREAM clicks WATERMARK at DELAY OF INTERVAL 5 SECONDS",
        )
        .await;
    world.write("clicks", 0, &clicks(&[("a", 1), ("a", 8), ("b", 9)])).await;
    world.caught_up().await;
    world.close().await;
    let world = World::open(&disk);
    world.write("clicks", 0, &clicks(&[("a", 18), ("b", 20)])).await;
    world.caught_up().await;
    assert_eq!(short(&world.read("sittings")), ["00:00:09 b 1"], "at 20 nothing of a has ended");
    world.write("clicks", 0, &clicks(&[("c", 40)])).await;
    world.caught_up().await;
    assert_eq!(short(&world.read("sittings"))[1..], ["00:00:01 a 3", "00:00:20 b 1"]);
    let firsts: Vec<_> = world.read("firsts").iter().map(|row| row["page"].clone()).collect();
    assert_eq!(firsts, ["a", "b", "c"]);
    let sessions = "SELECT session_window.start, session_window.end, page, count(*) FROM clicks \
                    GROUP BY page, session_window(at, '10 seconds') ORDER BY page, start";
    let now: Vec<_> = world.sql(sessions).await.rows.into_iter().map(Value::from).collect();
    let at = |second: u32| format!("2026-01-01T00:00:{second:02}Z");
    let told = |from, to, page, rows| json!([at(from), at(to), page, rows]);
    assert_eq!(now, [told(1, 28, "a", 3), told(9, 19, "b", 1), told(20, 30, "b", 1), told(40, 50, "c", 1)]);
    let refused = "SELECT count(*) FROM clicks GROUP BY ROLLUP (page, session_window(at, '1 minute'))";
    let refused = world.refused(refused).await;
    assert!(refused.contains("GROUPING SETS"), "{refused}");
}

#[tokio::test]
async fn mistakes_of_event_time_are_explained() {
    let (_disk, world) = World::new();
    world.sql(CLICKS).await;
    let create = |rest: &str| format!("CREATE STREAMING TABLE t USING kafka OPTIONS (topic 't') AS {rest}");
    for (select, reason) in [
        ("SELECT page FROM STREAM clicks WATERMARK page DELAY OF INTERVAL 1 SECOND", "page is no TIMESTAMP"),
        (
            "SELECT page FROM STREAM clicks WATERMARK nope DELAY OF INTERVAL 1 SECOND",
            "there is no column nope",
        ),
        ("SELECT page FROM STREAM clicks WATERMARK at DELAY", "expected WATERMARK column DELAY OF INTERVAL"),
        ("SELECT page FROM STREAM clicks WATERMARK at DELAY OF INTERVAL 1 MONTH", "expected WATERMARK"),
        (
            "SELECT window, count(*) FROM STREAM clicks GROUP BY window(at, '1 second', '2 seconds')",
            "the duration (1000000 us) is at least the slide",
        ),
    ] {
        let refused = world.refused(&create(select)).await;
        assert!(refused.contains(reason), "{select}\n{refused}");
    }
    let append = counts("outputMode 'append'").replace("WATERMARK at DELAY OF INTERVAL 10 SECONDS", "");
    assert!(world.refused(&append).await.contains("never complete without a watermark"));
    assert!(world.refused(&counts("outputMode 'some'")).await.contains("'append', 'update' or 'complete'"));
}
