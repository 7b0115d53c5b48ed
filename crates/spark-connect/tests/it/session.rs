//! Sessions: their settings, and what is asked of plans without running them.

use spark_connect::{BindError, Config, SparkConnect};

use crate::call::{Door, SESSION};
use crate::message::Message;

/// A key and a value.
fn pair(key: &str, value: &str) -> Message {
    Message::new().text(1, key).text(2, value)
}

fn config(operation: Message) -> Message {
    Message::new().text(1, SESSION).message(3, operation)
}

#[tokio::test]
async fn settings_are_set_and_have_sparks_defaults() {
    let door = Door::open().await;
    let zone = || config(Message::new().message(2, Message::new().text(1, "spark.sql.session.timeZone")));
    let value = async || door.ask("Config", zone()).await.all(2)[0].text(2);
    assert_eq!(value().await, "UTC");
    let set = |zone| {
        let pair = pair("spark.sql.session.timeZone", zone);
        config(Message::new().message(1, Message::new().message(1, pair)))
    };
    door.ask("Config", set("Europe/Berlin")).await;
    assert_eq!(value().await, "Europe/Berlin");
    let refused = door.call("Config", set("Nowhere/Land")).await;
    assert_eq!(refused.code, 13);
    assert!(refused.error.contains("INVALID_CONF_VALUE"), "{refused:?}");
    door.close().await;
}

#[tokio::test]
async fn types_are_read_from_ddl() {
    let door = Door::open().await;
    let ask = |ddl: &str| Message::new().text(1, SESSION).message(11, Message::new().text(1, ddl));
    let answer = door.ask("AnalyzePlan", ask("a INT, b ARRAY<STRING>")).await;
    let parsed = &answer.all(9)[0].all(1)[0];
    let names: Vec<String> = parsed.all(21)[0].all(1).iter().map(|field| field.text(1)).collect();
    assert_eq!(names, ["a", "b"]);
    let refused = door.call("AnalyzePlan", ask("a NO_SUCH_TYPE")).await;
    assert!(refused.error.contains("PARSE_SYNTAX_ERROR"), "{refused:?}");
    door.close().await;
}

#[tokio::test]
async fn a_session_is_named_by_a_uuid() {
    let door = Door::open().await;
    let answer = door.call("ReleaseExecute", Message::new().text(1, "me")).await;
    assert_eq!(answer.code, 3, "{answer:?}");
    door.close().await;
}

#[tokio::test]
async fn a_call_that_is_not_there_is_refused() {
    let door = Door::open().await;
    assert_eq!(door.call("NoSuchCall", Message::new()).await.code, 12);
    door.close().await;
}

#[tokio::test]
async fn an_address_beyond_loopback_has_to_be_allowed() {
    let door = Door::open().await;
    let dir = tempfile::tempdir().unwrap();
    let env = env::Env::real();
    let (topics, _) = topics::Topics::open(topics::Config::new(dir.path()), env.clone()).unwrap();
    let engine = engine::Engine::open(engine::Config::new(dir.path()), topics, env.clone()).unwrap();
    let config = Config { addr: "0.0.0.0:0".parse().unwrap(), ..Config::default() };
    let refused = SparkConnect::bind(config, engine.clone(), env.clone()).await;
    assert!(matches!(refused, Err(BindError::Exposed { .. })));
    let taken = Config { addr: door.addr, ..Config::default() };
    assert!(matches!(SparkConnect::bind(taken, engine, env).await, Err(BindError::Listen { .. })));
    door.close().await;
}
