//! Running plans, and answers that wait until they are released.

use std::collections::HashSet;

use crate::call::{Answer, Door, SESSION, execute};
use crate::message::Message;

/// Fields of an answer.
const ARROW_BATCH: u32 = 2;
const SCHEMA: u32 = 7;
const OPERATION_ID: u32 = 12;
const RESPONSE_ID: u32 = 13;
const RESULT_COMPLETE: u32 = 14;
const SERVER_SESSION: u32 = 15;

const OPERATION: &str = "aaaaaaaa-2222-4333-8444-555555555555";

fn reattach(last: Option<&str>) -> Message {
    let message = Message::new().text(1, SESSION).text(3, OPERATION);
    match last {
        Some(last) => message.text(5, last),
        None => message,
    }
}

fn ids(answer: &Answer) -> Vec<String> {
    answer.messages.iter().map(|message| message.text(RESPONSE_ID)).collect()
}

#[tokio::test]
async fn a_query_is_answered_in_sparks_order() {
    let door = Door::open().await;
    let answer = door.call("ExecutePlan", execute(OPERATION, "SELECT 1 AS one UNION ALL SELECT 2")).await;
    assert_eq!(answer.code, 0, "{answer:?}");
    let messages = &answer.messages;
    assert!(messages[0].has(SCHEMA) && !messages[0].has(ARROW_BATCH));
    let rows: u64 =
        messages.iter().flat_map(|message| message.all(ARROW_BATCH)).map(|batch| batch.number(1)).sum();
    assert_eq!(rows, 2);
    assert!(messages.last().unwrap().has(RESULT_COMPLETE));
    assert!(messages.iter().all(|message| message.text(OPERATION_ID) == OPERATION));
    let unique: HashSet<String> = ids(&answer).into_iter().collect();
    assert_eq!(unique.len(), messages.len());
    let server: HashSet<String> = messages.iter().map(|message| message.text(SERVER_SESSION)).collect();
    assert_eq!(server.len(), 1);
    door.close().await;
}

#[tokio::test]
async fn answers_can_be_had_again_until_they_are_released() {
    let door = Door::open().await;
    let first = ids(&door.call("ExecutePlan", execute(OPERATION, "SELECT 1 AS one")).await);
    assert_eq!(ids(&door.call("ReattachExecute", reattach(None)).await), first);
    assert_eq!(ids(&door.call("ReattachExecute", reattach(Some(&first[0]))).await), first[1..]);
    let release = Message::new().text(1, SESSION).text(3, OPERATION);
    let until = release.clone().message(6, Message::new().text(1, &first[0]));
    door.ask("ReleaseExecute", until).await;
    assert_eq!(ids(&door.call("ReattachExecute", reattach(None)).await), first[1..]);
    door.ask("ReleaseExecute", release.message(5, Message::new())).await;
    let gone = door.call("ReattachExecute", reattach(None)).await;
    assert_eq!(gone.code, 5, "{gone:?}");
    assert!(gone.error.contains("OPERATION_NOT_FOUND"), "{gone:?}");
    door.close().await;
}

#[tokio::test]
async fn an_operation_of_the_same_id_is_refused() {
    let door = Door::open().await;
    door.call("ExecutePlan", execute(OPERATION, "SELECT 1")).await;
    let again = door.call("ExecutePlan", execute(OPERATION, "SELECT 1")).await;
    assert_eq!(again.code, 13);
    assert!(again.error.contains("OPERATION_ALREADY_EXISTS"), "{again:?}");
    door.close().await;
}

#[tokio::test]
async fn an_interrupted_operation_says_so() {
    let door = Door::open().await;
    let endless = "SELECT sum(id % 7) FROM range(1000000000000000)";
    let run = door.call("ExecutePlan", execute(OPERATION, endless));
    let interrupt = async {
        loop {
            let all = Message::new().text(1, SESSION).number(4, 1);
            if door.ask("Interrupt", all).await.has(2) {
                break;
            }
        }
    };
    let (answer, ()) = tokio::join!(run, interrupt);
    assert_eq!(answer.code, 13);
    assert!(answer.error.contains("OPERATION_CANCELED"), "{answer:?}");
    door.close().await;
}

#[tokio::test]
async fn an_error_has_its_details() {
    let door = Door::open().await;
    let answer = door.call("ExecutePlan", execute(OPERATION, "SELECT no_such FROM range(3)")).await;
    assert_eq!(answer.code, 13);
    assert!(answer.error.contains("UNRESOLVED_COLUMN"), "{answer:?}");
    assert!(answer.details.len() > 100, "{answer:?}");
    let nobody = Message::new().text(1, SESSION).text(3, "no such error");
    assert!(!door.ask("FetchErrorDetails", nobody).await.has(2));
    door.close().await;
}
