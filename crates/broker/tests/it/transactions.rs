//! Transactions over the wire, in the older manner and in the newer one, and through power cuts.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use env::{Env, ManualClock, SimDisk};
use protocol::ErrorCode;
use protocol::messages::add_partitions_to_txn::AddPartitionsToTxnTopic;
use protocol::messages::create_topics::CreatableTopic;
use protocol::messages::txn_offset_commit::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic};
use protocol::messages::write_txn_markers::{WritableTxnMarker, WritableTxnMarkerTopic};
use protocol::messages::*;
use record::{BatchBuilder, Compression, Producer};

use crate::support::*;

/// A transactional producer that speaks one of the two manners.
struct Writer {
    client: Client,
    newer: bool,
    id: i64,
    epoch: i16,
    sequence: i32,
}

const TOPICS: [&str; 2] = ["t", "u"];

impl Writer {
    async fn start(server: &Server, newer: bool) -> Result<Self, ErrorCode> {
        let mut client = server.client().await;
        let request = InitProducerIdRequest {
            transactional_id: Some("writer".into()),
            transaction_timeout_ms: 60_000,
            ..Default::default()
        };
        let given: InitProducerIdResponse = client.ask(4, &request).await;
        ok(given.error_code)?;
        let (id, epoch) = (given.producer_id, given.producer_epoch);
        Ok(Self { client, newer, id, epoch, sequence: 0 })
    }

    async fn add(&mut self, topic: &str) -> Result<(), ErrorCode> {
        let request = AddPartitionsToTxnRequest {
            transactional_id: "writer".into(),
            producer_id: self.id,
            producer_epoch: self.epoch,
            topics: vec![AddPartitionsToTxnTopic { name: topic.into(), partitions: vec![0] }],
            ..Default::default()
        };
        let added: AddPartitionsToTxnResponse = self.client.ask(3, &request).await;
        ok(added.results_by_topic[0].results_by_partition[0].partition_error_code)
    }

    fn batch(&mut self, value: &str) -> Bytes {
        let producer = Producer { id: self.id, epoch: self.epoch, base_sequence: self.sequence };
        let mut builder = BatchBuilder::new(Compression::None, producer).transactional();
        builder.push(1_000, None, Some(value.as_bytes()), &[]);
        builder.build()
    }

    /// Every topic gets the value in its turn; sequences go by partition, so each topic gets one batch per epoch at most.
    async fn write(&mut self, topic: &str, value: &str) -> Result<(), ErrorCode> {
        let records = self.batch(value);
        let mut request =
            ProduceRequest { transactional_id: Some("writer".into()), ..produce_request(topic, -1, records) };
        request.acks = -1;
        let written: ProduceResponse = self.client.ask(if self.newer { 12 } else { 9 }, &request).await;
        ok(written.responses[0].partition_responses[0].error_code)
    }

    async fn commit_offset(&mut self, offset: i64) -> Result<(), ErrorCode> {
        if !self.newer {
            let request = AddOffsetsToTxnRequest {
                transactional_id: "writer".into(),
                producer_id: self.id,
                producer_epoch: self.epoch,
                group_id: "g".into(),
            };
            let added: AddOffsetsToTxnResponse = self.client.ask(3, &request).await;
            ok(added.error_code)?;
        }
        let partition = TxnOffsetCommitRequestPartition {
            committed_offset: offset,
            committed_metadata: Some("note".into()),
            ..Default::default()
        };
        let request = TxnOffsetCommitRequest {
            transactional_id: "writer".into(),
            group_id: "g".into(),
            producer_id: self.id,
            producer_epoch: self.epoch,
            topics: vec![TxnOffsetCommitRequestTopic { name: "t".into(), partitions: vec![partition] }],
            ..Default::default()
        };
        let done: TxnOffsetCommitResponse = self.client.ask(if self.newer { 5 } else { 3 }, &request).await;
        ok(done.topics[0].partitions[0].error_code)
    }

    async fn end(&mut self, committed: bool) -> Result<(), ErrorCode> {
        let request = EndTxnRequest {
            transactional_id: "writer".into(),
            producer_id: self.id,
            producer_epoch: self.epoch,
            committed,
        };
        let ended: EndTxnResponse = self.client.ask(if self.newer { 5 } else { 3 }, &request).await;
        ok(ended.error_code)?;
        if self.newer {
            (self.id, self.epoch, self.sequence) = (ended.producer_id, ended.producer_epoch, 0);
        } else {
            self.sequence += 1;
        }
        Ok(())
    }

    /// One record in each topic and an offset, all or nothing.
    async fn transact(&mut self, value: &str, offset: i64, committed: bool) -> Result<(), ErrorCode> {
        for topic in TOPICS {
            if !self.newer {
                self.add(topic).await?;
            }
            self.write(topic, value).await?;
        }
        self.commit_offset(offset).await?;
        self.end(committed).await
    }
}

fn ok(code: i16) -> Result<(), ErrorCode> {
    match ErrorCode::from_code(code) {
        ErrorCode::None => Ok(()),
        error => Err(error),
    }
}

/// What a reader of committed records sees, as clients leave aborted records out.
async fn committed_values(client: &mut Client, topic: &str) -> (Vec<String>, i64, i64) {
    let request = FetchRequest { isolation_level: 1, ..fetch_request(topic, 0, 0) };
    let response: FetchResponse = client.ask(11, &request).await;
    let partition = &response.responses[0].partitions[0];
    assert_eq!(partition.error_code, 0);
    let mut aborted = partition.aborted_transactions.clone().expect("asked for");
    aborted.sort_by_key(|one| one.first_offset);
    let mut open: Vec<i64> = Vec::new();
    let mut seen = Vec::new();
    for batch in record::batches(partition.records.as_ref().expect("never absent")) {
        let batch = batch.expect("a whole batch");
        let (header, id) = (&batch.header, batch.header.producer_id);
        while aborted.first().is_some_and(|one| one.first_offset <= header.last_offset()) {
            open.push(aborted.remove(0).producer_id);
        }
        if header.is_control() {
            open.retain(|one| *one != id);
        } else if !header.is_transactional() || !open.contains(&id) {
            let records = batch.records(1 << 20).expect("readable").map(|record| record.expect("a record"));
            seen.extend(
                records
                    .map(|record| String::from_utf8(record.value.expect("a value").to_vec()).expect("text")),
            );
        }
    }
    (seen, partition.last_stable_offset, partition.high_watermark)
}

async fn offset_of_group(client: &mut Client) -> i64 {
    crate::group::committed(client).await.0
}

async fn touch(client: &mut Client) -> Result<(), ErrorCode> {
    for name in TOPICS {
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: 1,
            replication_factor: 1,
            ..Default::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
        let created: CreateTopicsResponse = client.ask(7, &request).await;
        ok(created.topics[0].error_code)?;
    }
    Ok(())
}

#[tokio::test]
async fn committed_is_seen_and_aborted_is_not() {
    for newer in [false, true] {
        let server = Server::start().await;
        let mut client = server.client().await;
        touch(&mut client).await.unwrap();
        let mut writer = Writer::start(&server, newer).await.unwrap();
        writer.transact("a", 1, true).await.unwrap();
        writer.transact("b", 2, false).await.unwrap();
        writer.transact("c", 3, true).await.unwrap();
        for topic in TOPICS {
            assert_eq!(committed_values(&mut client, topic).await, (vec!["a".into(), "c".into()], 6, 6));
        }
        assert_eq!(offset_of_group(&mut client).await, 3);
        if !newer {
            writer.add("t").await.unwrap();
        }
        writer.write("t", "open").await.unwrap();
        let (seen, stable, high) = committed_values(&mut client, "t").await;
        assert_eq!((seen.len(), stable, high), (2, 6, 7), "an open transaction holds readers back");
        assert_eq!(
            fetched(&client.fetch("t", 0).await).len(),
            4 + 3,
            "others see everything, markers as well"
        );
        server.stop().await;
    }
}

#[tokio::test]
async fn a_zombie_gets_nothing_in() {
    for newer in [false, true] {
        let server = Server::start().await;
        touch(&mut server.client().await).await.unwrap();
        let mut zombie = Writer::start(&server, newer).await.unwrap();
        if !newer {
            zombie.add("t").await.unwrap();
        }
        zombie.write("t", "left open").await.unwrap();
        let mut writer = Writer::start(&server, newer).await.unwrap();
        assert!(writer.id > zombie.id || writer.epoch > zombie.epoch);
        zombie.sequence += 1;
        assert_eq!(zombie.write("t", "late").await, Err(ErrorCode::InvalidProducerEpoch));
        assert_eq!(zombie.write("u", "late").await, Err(ErrorCode::InvalidProducerEpoch));
        assert!(zombie.commit_offset(9).await.is_err());
        assert_eq!(zombie.add("u").await, Err(ErrorCode::ProducerFenced));
        assert_eq!(zombie.end(true).await, Err(ErrorCode::ProducerFenced));
        writer.transact("a", 1, true).await.unwrap();
        let mut client = server.client().await;
        assert_eq!(committed_values(&mut client, "t").await.0, ["a"]);
        assert_eq!(offset_of_group(&mut client).await, 1);
        server.stop().await;
    }
}

#[tokio::test]
async fn the_older_manner_needs_its_partitions_added_first() {
    let server = Server::start().await;
    touch(&mut server.client().await).await.unwrap();
    let mut writer = Writer::start(&server, false).await.unwrap();
    assert_eq!(writer.write("t", "a").await, Err(ErrorCode::InvalidTxnState));
    assert_eq!(writer.end(true).await, Err(ErrorCode::InvalidTxnState));
    assert_eq!(writer.add("nowhere").await, Err(ErrorCode::UnknownTopicOrPartition));
    writer.add("t").await.unwrap();
    writer.write("t", "a").await.unwrap();
    assert_eq!(writer.write("u", "a").await, Err(ErrorCode::InvalidTxnState));
    let records = writer.batch("a");
    let nameless: ProduceResponse = writer.client.ask(9, &produce_request("t", -1, records)).await;
    let code = nameless.responses[0].partition_responses[0].error_code;
    assert_eq!(ErrorCode::from_code(code), ErrorCode::TransactionalIdAuthorizationFailed);
    writer.end(true).await.unwrap();
    writer.sequence -= 1;
    writer.end(true).await.unwrap();
    assert_eq!(writer.end(false).await, Err(ErrorCode::InvalidTxnState), "it was committed");
    server.stop().await;
}

#[tokio::test]
async fn an_end_that_is_repeated_gets_the_same_answer() {
    let server = Server::start().await;
    touch(&mut server.client().await).await.unwrap();
    let mut writer = Writer::start(&server, true).await.unwrap();
    writer.write("t", "a").await.unwrap();
    let before = writer.epoch;
    writer.end(true).await.unwrap();
    let after = writer.epoch;
    writer.epoch = before;
    writer.end(true).await.unwrap();
    assert_eq!((before + 1, after), (writer.epoch, writer.epoch));
    writer.write("t", "b").await.unwrap();
    writer.epoch = before;
    assert_eq!(writer.end(true).await, Err(ErrorCode::ProducerFenced), "that is another transaction");
    assert_eq!(writer.write("t", "late").await, Err(ErrorCode::InvalidProducerEpoch));
    server.stop().await;
}

#[tokio::test]
async fn transactions_can_be_looked_at_and_ended_by_hand() {
    let server = Server::start().await;
    let mut client = server.client().await;
    touch(&mut client).await.unwrap();
    let mut writer = Writer::start(&server, true).await.unwrap();
    writer.write("t", "a").await.unwrap();
    let request = DescribeTransactionsRequest { transactional_ids: vec!["writer".into(), "nobody".into()] };
    let described: DescribeTransactionsResponse = client.ask(0, &request).await;
    let [known, unknown] = &described.transaction_states[..] else { panic!() };
    assert_eq!((&*known.transaction_state, known.producer_id), ("Ongoing", writer.id));
    assert_eq!((&*known.topics[0].topic, &known.topics[0].partitions[..]), ("t", &[0][..]));
    assert_eq!(ErrorCode::from_code(unknown.error_code), ErrorCode::TransactionalIdNotFound);
    let list = |states: &[&'static str], pattern: Option<&str>| ListTransactionsRequest {
        state_filters: states.iter().map(|state| (*state).into()).collect(),
        transactional_id_pattern: pattern.map(Into::into),
        ..Default::default()
    };
    for (request, expected) in [
        (list(&[], None), 1),
        (list(&["Ongoing", "Nonsense"], Some("wr.*")), 1),
        (list(&["Empty"], None), 0),
        (list(&["Nonsense"], None), 0),
        (list(&[], Some("rite")), 0),
    ] {
        let listed: ListTransactionsResponse = client.ask(2, &request).await;
        assert_eq!((listed.error_code, listed.transaction_states.len()), (0, expected), "{request:?}");
    }
    let topic = describe_producers::TopicRequest { name: "t".into(), partition_indexes: vec![0] };
    let request = DescribeProducersRequest { topics: vec![topic] };
    let producers: DescribeProducersResponse = client.ask(0, &request).await;
    let [producer] = &producers.topics[0].partitions[0].active_producers[..] else { panic!() };
    assert_eq!((producer.producer_id, producer.current_txn_start_offset), (writer.id, 0));
    let marker = WritableTxnMarker {
        producer_id: writer.id,
        producer_epoch: writer.epoch,
        transaction_result: false,
        topics: vec![WritableTxnMarkerTopic { name: "t".into(), partition_indexes: vec![0] }],
        ..Default::default()
    };
    let request = WriteTxnMarkersRequest { markers: vec![marker] };
    let written: WriteTxnMarkersResponse = client.ask(1, &request).await;
    assert_eq!(written.markers[0].topics[0].partitions[0].error_code, 0);
    assert_eq!(committed_values(&mut client, "t").await, (Vec::new(), 2, 2));
    server.stop().await;
}

async fn on(disk: &SimDisk) -> Server {
    let env = Env::simulated(Arc::new(ManualClock::new(1_000_000)), disk, 7);
    Server::open_in(Path::new("/data"), env, |_| ()).await
}

/// How far a client got before the power went.
#[derive(Debug, Default)]
struct Promised {
    /// What was committed for sure.
    committed: Vec<&'static str>,
    /// What may be.
    asked: Option<&'static str>,
}

const HISTORY: [(&str, bool); 3] = [("a", true), ("b", false), ("c", true)];

async fn play(server: &Server, newer: bool, promised: &mut Promised) -> Result<(), ErrorCode> {
    let mut writer = Writer::start(server, newer).await?;
    for (number, (value, commit)) in HISTORY.into_iter().enumerate() {
        promised.asked = commit.then_some(value);
        writer.transact(value, i64::try_from(number).expect("few"), commit).await?;
        promised.committed.extend(promised.asked.take());
    }
    Ok(())
}

/// The power goes after each single thing that the disk does, in turn: what comes back is whole.
#[tokio::test]
async fn a_power_cut_at_any_moment_tears_no_transaction() {
    for newer in [false, true] {
        for cut in 0.. {
            let disk = SimDisk::new();
            let server = on(&disk).await;
            touch(&mut server.client().await).await.unwrap();
            disk.cut_after(cut);
            let mut promised = Promised::default();
            let whole = play(&server, newer, &mut promised).await.is_ok();
            look_after(&disk.crash(), newer, &promised).await;
            drop(server);
            if whole {
                assert!(cut > 10, "the disk had something to do");
                break;
            }
        }
    }
}

async fn look_after(disk: &SimDisk, newer: bool, promised: &Promised) {
    let server = on(disk).await;
    // Whoever takes the id over waits until the last transaction is over.
    Writer::start(&server, newer).await.expect("the id can be taken over");
    let mut client = server.client().await;
    let mut all = Vec::new();
    for topic in TOPICS {
        let (seen, stable, high) = committed_values(&mut client, topic).await;
        assert_eq!(stable, high, "{promised:?}: nothing hangs");
        all.push(seen);
    }
    assert_eq!(all[0], all[1], "{promised:?}: torn");
    let certain: Vec<&str> = promised.committed.clone();
    let possible: Vec<&str> = certain.iter().copied().chain(promised.asked).collect();
    assert!(all[0] == certain || all[0] == possible, "{promised:?}: {all:?}");
    let offset = match all[0].last().map(String::as_str) {
        None => -1,
        Some(value) => {
            let position = HISTORY.iter().position(|(known, _)| *known == value).expect("of this history");
            i64::try_from(position).expect("few")
        }
    };
    assert_eq!(offset_of_group(&mut client).await, offset, "{promised:?}: {all:?}");
    server.stop().await;
}
