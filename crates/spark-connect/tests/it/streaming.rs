//! Streaming queries: started, asked, stopped, and started again where they were.

use crate::call::{Answer, Door, SESSION};
use crate::message::{Fields, Message};

/// Fields of an answer.
const ARROW_BATCH: u32 = 2;
const STARTED: u32 = 8;
const ASKED: u32 = 9;
const MANAGED: u32 = 11;
const EVENTS: u32 = 16;

/// What is asked of a query, and the fields of what comes back.
const STATUS: u32 = 2;
const RECENT_PROGRESS: u32 = 4;
const STOP: u32 = 5;
const PROCESS_ALL_AVAILABLE: u32 = 6;
const EXCEPTION: u32 = 8;
const AWAIT_TERMINATION: u32 = 9;

/// `ExecutePlan` of a command or a relation.
fn plan(kind: u32, message: Message) -> Message {
    Message::new().text(1, SESSION).message(3, Message::new().message(kind, message))
}

fn command(kind: u32, message: Message) -> Message {
    plan(2, Message::new().message(kind, message))
}

fn sql(text: &str) -> Message {
    Message::new().message(10, Message::new().text(1, text))
}

/// A table as a stream.
fn stream(table: &str) -> Message {
    Message::new().message(2, Message::new().message(1, Message::new().text(1, table)).number(3, 1))
}

fn pair(key: &str, value: &str) -> Message {
    Message::new().text(1, key).text(2, value)
}

/// `writeStream` of a relation.
fn start(input: Message, format: &str, mode: &str, name: &str) -> Message {
    Message::new().message(1, input).text(2, format).text(9, mode).text(10, name)
}

impl Door {
    async fn done(&self, message: Message) -> Answer {
        let answer = self.call("ExecutePlan", message).await;
        assert_eq!(answer.code, 0, "{answer:?}");
        answer
    }

    async fn statement(&self, text: &str) {
        self.done(command(5, Message::new().text(1, text))).await;
    }

    /// How many rows the query has.
    async fn count(&self, query: &str) -> u64 {
        let answer = self.done(plan(1, sql(query))).await;
        answer.messages.iter().flat_map(|message| message.all(ARROW_BATCH)).map(|batch| batch.number(1)).sum()
    }

    /// A view `words` over the stream of a table `lines`.
    async fn words(&self) {
        self.statement("CREATE STREAMING TABLE lines (word STRING) USING kafka OPTIONS (topic 'lines')")
            .await;
        self.done(command(3, Message::new().message(1, stream("lines")).text(2, "words"))).await;
    }

    /// Starts a query; gives its ids as a message.
    async fn started(&self, start: Message) -> Fields {
        self.announced(start).await.0
    }

    /// Starts a query; says too whether listeners were told of it.
    async fn announced(&self, start: Message) -> (Fields, bool) {
        let answer = self.done(command(6, start)).await;
        let found = answer.messages.iter().flat_map(|message| message.all(STARTED)).next().unwrap();
        (found.all(1).remove(0), found.has(3))
    }

    async fn asked(&self, ids: &Fields, what: u32, how: Message) -> Fields {
        let id = Message::new().text(1, &ids.text(1)).text(2, &ids.text(2));
        let ask = Message::new().message(1, id).message(what, how);
        let answer = self.done(command(7, ask)).await;
        answer.messages.iter().flat_map(|message| message.all(ASKED)).next().unwrap()
    }

    /// What is asked by a flag.
    async fn flagged(&self, ids: &Fields, what: u32) -> Fields {
        let id = Message::new().text(1, &ids.text(1)).text(2, &ids.text(2));
        let answer = self.done(command(7, Message::new().message(1, id).number(what, 1))).await;
        answer.messages.iter().flat_map(|message| message.all(ASKED)).next().unwrap()
    }
}

fn counted() -> Message {
    sql("SELECT word, count(*) AS times FROM words GROUP BY word")
}

#[tokio::test]
async fn a_stream_is_counted_into_memory_and_asked_in_sql() {
    let door = Door::open().await;
    door.words().await;
    door.statement("INSERT INTO lines VALUES ('a'), ('b'), ('a')").await;
    let ids = door.started(start(counted(), "memory", "complete", "counts")).await;
    door.flagged(&ids, PROCESS_ALL_AVAILABLE).await;
    assert_eq!(door.count("SELECT * FROM counts WHERE word = 'a' AND times = 2").await, 1);
    door.statement("INSERT INTO lines VALUES ('a')").await;
    door.flagged(&ids, PROCESS_ALL_AVAILABLE).await;
    assert_eq!(door.count("SELECT * FROM counts WHERE word = 'a' AND times = 3").await, 1);
    assert_eq!(door.count("SELECT * FROM counts").await, 2);
    let status = door.flagged(&ids, STATUS).await.all(2).remove(0);
    assert_eq!(status.number(4), 1, "{status:?}");
    let progress = door.flagged(&ids, RECENT_PROGRESS).await.all(3).remove(0);
    assert!(progress.text(5).contains("\"batchId\":0"), "{progress:?}");
    door.flagged(&ids, STOP).await;
    let status = door.flagged(&ids, STATUS).await.all(2).remove(0);
    assert_eq!((status.text(1).as_str(), status.number(4)), ("Stopped", 0));
    assert!(!door.flagged(&ids, EXCEPTION).await.all(5).remove(0).has(1));
    assert_eq!(door.count("SELECT * FROM counts").await, 2);
    door.close().await;
}

#[tokio::test]
async fn a_query_goes_on_at_its_checkpoint() {
    let door = Door::open().await;
    door.words().await;
    door.statement("INSERT INTO lines VALUES ('a'), ('b')").await;
    let dir = tempfile::tempdir().unwrap();
    let option = |name: &str, path: &str| pair(name, dir.path().join(path).to_str().unwrap());
    let copied = || {
        start(sql("SELECT upper(word) AS word FROM words"), "json", "append", "")
            .message(3, option("path", "out"))
            .message(3, option("checkpointLocation", "checkpoint"))
            .number(6, 1)
    };
    let run = async || {
        let ids = door.started(copied()).await;
        let ended = door.asked(&ids, AWAIT_TERMINATION, Message::new()).await;
        assert_eq!(ended.all(6)[0].number(1), 1);
        ids
    };
    let lines = || {
        let files = std::fs::read_dir(dir.path().join("out")).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
        let mut lines: Vec<String> = files
            .flat_map(|file| {
                let text = std::fs::read_to_string(file).unwrap();
                text.lines().map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        lines.sort();
        lines
    };
    let first = run().await;
    assert_eq!(lines(), [r#"{"word":"A"}"#, r#"{"word":"B"}"#]);
    door.statement("INSERT INTO lines VALUES ('c')").await;
    let second = run().await;
    assert_eq!(lines(), [r#"{"word":"A"}"#, r#"{"word":"B"}"#, r#"{"word":"C"}"#]);
    assert_eq!(first.text(1), second.text(1));
    assert_ne!(first.text(2), second.text(2));
    door.close().await;
}

#[tokio::test]
async fn what_spark_refuses_is_refused_in_its_words() {
    let door = Door::open().await;
    door.words().await;
    let refused = async |message: Message, words: &str| {
        let answer = door.call("ExecutePlan", message).await;
        assert_eq!(answer.code, 13, "{answer:?}");
        // gRPC escapes its texts.
        assert!(answer.error.replace("%20", " ").contains(words), "{words} in {answer:?}");
    };
    refused(plan(1, counted()), "Queries with streaming sources must be executed with writeStream.start()")
        .await;
    let ends = || sql("SELECT 1 AS one");
    refused(command(6, start(ends(), "noop", "append", "")), "WRITE_STREAM_NOT_ALLOWED").await;
    refused(command(6, start(counted(), "noop", "append", "")), "streaming aggregations without watermark")
        .await;
    refused(command(6, start(stream("lines"), "noop", "complete", "")), "no streaming aggregations").await;
    refused(command(6, start(stream("lines"), "memory", "append", "")), "queryName must be specified").await;
    let files = start(stream("lines"), "json", "append", "").message(3, pair("path", "/nowhere"));
    refused(command(6, files), "checkpointLocation must be specified").await;
    refused(command(6, start(stream("lines"), "nosuch", "append", "")), "DATA_SOURCE_NOT_FOUND").await;
    let query = start(stream("lines"), "noop", "append", "only");
    door.started(query.clone()).await;
    refused(command(6, query), "already active").await;
    door.close().await;
}

#[tokio::test]
async fn the_manager_knows_what_runs_and_listeners_hear_of_it() {
    let door = Door::open().await;
    door.words().await;
    let managed = async |message: Message| {
        let answer = door.done(command(9, message)).await;
        answer.messages.iter().flat_map(|message| message.all(MANAGED)).next().unwrap()
    };
    let listening = door.call("ExecutePlan", command(11, Message::new().number(1, 1)));
    let work = async {
        door.statement("INSERT INTO lines VALUES ('a'), ('b')").await;
        // Until the listeners are there.
        let ids = loop {
            let (ids, told) = door.announced(start(stream("lines"), "noop", "append", "heard")).await;
            if told {
                break ids;
            }
            door.flagged(&ids, STOP).await;
        };
        managed(Message::new().number(4, 1)).await;
        let active = managed(Message::new().number(1, 1)).await.all(1).remove(0);
        assert_eq!(active.all(1)[0].text(2), "heard");
        let unended = managed(Message::new().message(3, Message::new().number(1, 1))).await;
        assert!(!unended.all(3)[0].has(1), "{unended:?}");
        door.flagged(&ids, PROCESS_ALL_AVAILABLE).await;
        door.flagged(&ids, STOP).await;
        let ended = managed(Message::new().message(3, Message::new())).await;
        assert_eq!(ended.all(3)[0].number(1), 1);
        assert!(!managed(Message::new().text(2, &ids.text(1))).await.has(2));
        // The listeners hear of the end before they are taken off: their queue is emptied.
        door.done(command(11, Message::new().number(2, 1))).await;
        ids
    };
    let (heard, ids) = tokio::join!(listening, work);
    assert_eq!(heard.code, 0, "{heard:?}");
    let results: Vec<Fields> = heard.messages.iter().flat_map(|message| message.all(EVENTS)).collect();
    assert_eq!(results[0].number(2), 1);
    let events: Vec<String> =
        results.iter().flat_map(|result| result.all(1)).map(|event| event.text(1)).collect();
    let events: Vec<String> = events.into_iter().filter(|event| event.contains(&ids.text(2))).collect();
    assert!(events[0].contains("\"numInputRows\":2"), "{events:?}");
    assert!(events[events.len() - 1].contains("\"exception\":null"), "{events:?}");
    door.close().await;
}
