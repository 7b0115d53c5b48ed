//! Batches of records to an outside Kafka, each once.
//!
//! A batch is one transaction there. With its records goes a token: the batch's number, as an offset that a consumer
//! group of the query's own has committed. Whoever connects anew (after a crash, or after the outside Kafka was away)
//! first ends what was left open, then asks for the token, and leaves a batch out that is there.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use env::Clock;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::Offset;

use crate::error::SinkError;
use crate::outside::{Listener, Outside, PATIENCE as CALL, number};
use crate::sink::outgoing::{Outgoing, OutgoingRecord};

/// How long a batch is tried for before the query fails; as long as Kafka's own producers try.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long the brokers let a transaction be under way; then they end it and fence its producer off.
const TRANSACTION: Duration = Duration::from_secs(60);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// How long the client's library is asked for answers at once.
const POLL: Duration = Duration::from_millis(1);

/// Records by their topics.
pub(crate) type Records = BTreeMap<String, Outgoing>;

/// What writes the batches of one query.
pub(crate) struct Transactions {
    outside: Outside,
    /// The query's name there: of its transactions and of its consumer group.
    identity: String,
    /// The topic whose offset, of its first partition, the token is.
    topic: String,
    clock: Arc<dyn Clock>,
    link: Option<Link>,
}

/// A connection whose earlier transactions have ended.
struct Link {
    producer: BaseProducer<Listener>,
    consumer: BaseConsumer<Listener>,
    /// The last batch that is there.
    token: Option<u64>,
}

impl fmt::Debug for Transactions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transactions").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Transactions {
    /// `identity` is nobody else's, also not on another machine; `topic` is there.
    pub(crate) fn new(outside: &Outside, identity: String, topic: &str, clock: &Arc<dyn Clock>) -> Self {
        Transactions {
            outside: outside.clone(),
            identity,
            topic: topic.to_owned(),
            clock: Arc::clone(clock),
            link: None,
        }
    }

    pub(crate) fn outside(&self) -> &Outside {
        &self.outside
    }

    /// Writes a batch, if it is not there already. When it returns, the batch is there as a whole.
    pub(crate) async fn write(
        &mut self,
        records: &Records,
        batch: u64,
        time_ms: i64,
    ) -> Result<(), SinkError> {
        if records.values().all(Outgoing::is_empty) {
            return Ok(());
        }
        let until = self.clock.monotonic() + PATIENCE;
        loop {
            let begun = self.clock.monotonic();
            // librdkafka makes this thread wait: others take over its tasks meanwhile.
            let sent = tokio::task::block_in_place(|| self.send(records, batch, time_ms, until));
            let Err((error, said)) = sent else { return Ok(()) };
            let now = self.clock.monotonic();
            if is_final(&error, now.saturating_sub(begun)) || now >= until {
                let attempt = format!("write to topic {}", self.topic);
                return Err(SinkError::Outside(self.outside.error(attempt, error, said)));
            }
            tracing::warn!(topic = %self.topic, batch, %error, ?said, "the outside Kafka takes no batch; trying on");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// One try; on an error, with what the client had to say.
    fn send(
        &mut self,
        records: &Records,
        batch: u64,
        time_ms: i64,
        until: Duration,
    ) -> Result<(), (KafkaError, Option<String>)> {
        let mut link = match self.link.take() {
            Some(link) => link,
            None => self.connect()?,
        };
        if link.token.is_none_or(|token| token < batch) {
            let sent = self.transact(&link, records, batch, time_ms, until);
            // A link that has failed goes: the next one asks what has become of the batch.
            sent.map_err(|error| (error, link.producer.context().complaint()))?;
            link.token = Some(batch);
        }
        self.link = Some(link);
        Ok(())
    }

    fn connect(&self) -> Result<Link, (KafkaError, Option<String>)> {
        let mut config = self.outside.config();
        config
            .set("transactional.id", &self.identity)
            .set("transaction.timeout.ms", TRANSACTION.as_millis().to_string())
            .set("enable.idempotence", "true")
            // A batch is there as a whole: nothing is waited for that could come after it.
            .set("linger.ms", "0")
            // As the Java client sends keys where they belong, and those without wherever there is room.
            .set("partitioner", "murmur2_random");
        let unheard = |error| (error, None);
        let producer: BaseProducer<Listener> =
            config.create_with_context(Listener::default()).map_err(unheard)?;
        let mut config = self.outside.config();
        config
            .set("group.id", &self.identity)
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed");
        let consumer: BaseConsumer<Listener> =
            config.create_with_context(Listener::default()).map_err(unheard)?;
        let heard = |error| (error, producer.context().complaint());
        producer.init_transactions(CALL).map_err(heard)?;
        let mut asked = TopicPartitionList::new();
        asked.add_partition(&self.topic, 0);
        let committed = consumer.committed_offsets(asked, CALL).map_err(heard)?;
        let token = committed.elements().first().and_then(|element| match element.offset() {
            Offset::Offset(batch) => u64::try_from(batch).ok(),
            _ => None,
        });
        Ok(Link { producer, consumer, token })
    }

    /// Sends a batch with its token, and waits until both are there.
    fn transact(
        &self,
        link: &Link,
        records: &Records,
        batch: u64,
        time_ms: i64,
        until: Duration,
    ) -> Result<(), KafkaError> {
        // What it had to say since the last batch.
        link.producer.poll(Duration::ZERO);
        link.producer.begin_transaction()?;
        for (topic, records) in records {
            for record in records.iter() {
                send_record(link, topic, record, time_ms)?;
            }
        }
        let mut token = TopicPartitionList::new();
        let offset = Offset::Offset(i64::try_from(batch).unwrap_or(i64::MAX));
        token.add_partition_offset(&self.topic, 0, offset)?;
        let group = link.consumer.group_metadata();
        let group = group.ok_or(KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownGroup))?;
        self.again(until, || link.producer.send_offsets_to_transaction(&token, &group, CALL))?;
        self.acknowledged(link);
        self.again(until, || link.producer.commit_transaction(CALL))
    }

    /// Waits until the brokers have answered for all records. A commit does so too, but asks the client's library only every
    /// tenth of a second; so it also tells what does not come.
    fn acknowledged(&self, link: &Link) {
        let until = self.clock.monotonic() + CALL;
        while link.producer.in_flight_count() > 0 && self.clock.monotonic() < until {
            link.producer.poll(POLL);
        }
    }

    /// A call that may be made again goes on where it was.
    fn again(&self, until: Duration, call: impl Fn() -> Result<(), KafkaError>) -> Result<(), KafkaError> {
        loop {
            match call() {
                Err(KafkaError::Transaction(error))
                    if error.is_retriable() && self.clock.monotonic() < until => {}
                other => return other,
            }
        }
    }
}

fn send_record(
    link: &Link,
    topic: &str,
    outgoing: OutgoingRecord<'_>,
    time_ms: i64,
) -> Result<(), KafkaError> {
    let mut record = BaseRecord::<[u8], [u8]>::to(topic).timestamp(time_ms);
    if let Some(value) = outgoing.value {
        record = record.payload(value);
    }
    if let Some(key) = outgoing.key {
        record = record.key(key);
    }
    if let Some(partition) = outgoing.partition {
        record = record.partition(number(partition));
    }
    if !outgoing.headers.is_empty() {
        let mut headers = OwnedHeaders::new_with_capacity(outgoing.headers.len());
        for (key, value) in outgoing.headers {
            let key = String::from_utf8_lossy(key);
            headers = headers.insert(Header { key: &key, value: value.as_deref() });
        }
        record = record.headers(headers);
    }
    while let Err((error, refused)) = link.producer.send(record) {
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
            return Err(error);
        }
        // The queue empties as the brokers acknowledge.
        link.producer.flush(CALL)?;
        record = refused;
    }
    Ok(())
}

/// Whether trying again would only fail again.
fn is_final(error: &KafkaError, after: Duration) -> bool {
    use RDKafkaErrorCode as Code;
    if matches!(error, KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_)) {
        return true;
    }
    match error.rdkafka_error_code() {
        // By another of its name; or by the brokers, because it took too long.
        Some(Code::ProducerFenced | Code::Fenced) => after < TRANSACTION,
        code => matches!(
            code,
            Some(
                Code::MessageSizeTooLarge
                    | Code::TopicAuthorizationFailed
                    | Code::GroupAuthorizationFailed
                    | Code::TransactionalIdAuthorizationFailed
                    | Code::ClusterAuthorizationFailed
                    | Code::SaslAuthenticationFailed
                    | Code::Authentication
                    | Code::UnknownTopic
                    | Code::UnknownPartition
                    | Code::InvalidTopic
                    | Code::InvalidRecord
            )
        ),
    }
}
