//! Produce, key 0, versions 0 to 13.
//!
//! Hands each partition's batch to its owner and answers when it is written (`acks=1`), or flushed (`acks=all`).
//! `acks=0` has no answer; after an error the connection is closed, so that such a producer notices at all. A
//! repeated batch of an idempotent producer succeeds with the offset it got the first time. Each partition succeeds or
//! fails on its own.
//!
//! A transactional batch passes the gate of the transactions: its partition must be in the producer's transaction. From
//! version 12 (KIP-890) the batch itself takes its partition in. While the last transaction is still being ended, older clients
//! hear NOT_ENOUGH_REPLICAS, from version 12 CONCURRENT_TRANSACTIONS; for a partition outside of the transaction older ones
//! hear INVALID_TXN_STATE, from version 11 TRANSACTION_ABORTABLE.
//!
//! Not done: the request's time-out is not looked at: there are no replicas to wait for.
//!
//! Versions 0 to 2 carry message sets of magic 0 and 1, which Kafka 4 refuses; they are converted on arrival. From
//! version 3 there is exactly one batch per partition. Zstd needs version 7. From version 13 topics go by id.

use bytes::Bytes;
use futures::future::{BoxFuture, Either, join_all};
use groups::TransactionalProducer;
use groups::transactions::Version;
use protocol::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, TopicProduceData, TopicProduceResponse,
};
use protocol::messages::{ProduceRequest, ProduceResponse};
use protocol::{ErrorCode, StrBytes};
use record::{BatchHeader, Compression};
use topics::{Acks, AppendError, AppendFuture, Appended, Topic};

use crate::context::{Context, is_internal, partition};
use crate::error_code;
use crate::transactions::Admission;
use crate::transactions::gate::{Passage, Passed, Stopped};

const NEWEST_WITH_MESSAGE_SETS: i16 = 2;
const FIRST_WITH_ZSTD: i16 = 7;
const FIRST_WITH_ABORTABLE: i16 = 11;
const FIRST_TAKING_IN: i16 = 12;
const FIRST_WITH_TOPIC_IDS: i16 = 13;
/// Where both batches and messages say which format they have.
const MAGIC_AT: usize = 16;

pub(crate) fn handle(
    context: &Context,
    request: ProduceRequest,
) -> impl Future<Output = ProduceResponse> + Send + use<> {
    let acks = acks(request.acks);
    let mut admission = request.transactional_id.map(|id| {
        let takes_in = context.api_version >= FIRST_TAKING_IN;
        let version = if takes_in { Version::V2 } else { Version::V1 };
        context.transactions().admission(id.to_string(), version)
    });
    let started: Vec<StartedTopic> = request
        .topic_data
        .into_iter()
        .map(|topic_data| start_topic(context, topic_data, acks, admission.as_mut()))
        .collect();
    let asking = admission.map(Admission::ask);
    let version = context.api_version;
    async move {
        let finishing = join_all(started.into_iter().map(|topic| topic.finish(version)));
        let responses = match asking {
            Some(asking) => futures::join!(finishing, asking).0,
            None => finishing.await,
        };
        ProduceResponse { responses, ..Default::default() }
    }
}

/// Whether any partition failed.
pub(crate) fn has_error(response: &ProduceResponse) -> bool {
    response
        .responses
        .iter()
        .flat_map(|topic| &topic.partition_responses)
        .any(|partition| partition.error_code != ErrorCode::None.code())
}

fn acks(acks: i16) -> Option<Acks> {
    match acks {
        0 => Some(Acks::None),
        1 => Some(Acks::Leader),
        -1 => Some(Acks::All),
        _ => None,
    }
}

/// Why a batch was not appended.
struct Refused {
    code: ErrorCode,
    message: Option<String>,
}

impl From<ErrorCode> for Refused {
    fn from(code: ErrorCode) -> Self {
        Self { code, message: None }
    }
}

impl From<AppendError> for Refused {
    fn from(error: AppendError) -> Self {
        Self { code: error_code::append(&error), message: Some(chain(&error)) }
    }
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

fn invalid(rule: &str) -> Refused {
    Refused { code: ErrorCode::InvalidRecord, message: Some(rule.to_owned()) }
}

/// Why a transactional batch was not appended, as this version's clients understand it.
fn stopped(stopped: Stopped, version: i16) -> Refused {
    let code = match stopped {
        Stopped::Append(error) => return error.into(),
        Stopped::Unavailable => ErrorCode::NotEnoughReplicas,
        Stopped::Transaction(error) => match error_code::transaction(error) {
            ErrorCode::ProducerFenced => ErrorCode::InvalidProducerEpoch,
            ErrorCode::ConcurrentTransactions if version < FIRST_TAKING_IN => ErrorCode::NotEnoughReplicas,
            ErrorCode::TransactionAbortable if version < FIRST_WITH_ABORTABLE => ErrorCode::InvalidTxnState,
            code => code,
        },
    };
    Refused { code, message: Some("the transaction does not have this partition".to_owned()) }
}

/// A batch on its way: at the gate of the transactions, or with its partition's owner.
type Started = Result<Either<AppendFuture, BoxFuture<'static, Passed>>, Refused>;

/// A topic whose batches are on their way.
struct StartedTopic {
    response: TopicProduceResponse,
    appends: Vec<(i32, Started)>,
}

impl StartedTopic {
    async fn finish(mut self, version: i16) -> TopicProduceResponse {
        for (index, append) in self.appends {
            let appended = finish(append, version).await;
            self.response.partition_responses.push(match appended {
                Ok(appended) => PartitionProduceResponse {
                    index,
                    base_offset: appended.base_offset,
                    log_append_time_ms: appended.log_append_time,
                    log_start_offset: appended.log_start_offset,
                    ..Default::default()
                },
                Err(refused) => PartitionProduceResponse {
                    index,
                    error_code: refused.code.code(),
                    base_offset: -1,
                    error_message: refused.message.map(StrBytes::from),
                    ..Default::default()
                },
            });
        }
        self.response
    }
}

async fn finish(append: Started, version: i16) -> Result<Appended, Refused> {
    let append = match append? {
        Either::Left(append) => append,
        Either::Right(passing) => passing.await.map_err(|why| stopped(why, version))?,
    };
    Ok(append.await?)
}

fn start_topic(
    context: &Context,
    data: TopicProduceData,
    acks: Option<Acks>,
    mut admission: Option<&mut Admission>,
) -> StartedTopic {
    let topic = find(context, &data);
    let appends = data
        .partition_data
        .into_iter()
        .map(|partition_data| {
            let index = partition_data.index;
            (index, start(context, topic.as_ref(), partition_data, acks, admission.as_deref_mut()))
        })
        .collect();
    let response = TopicProduceResponse { name: data.name, topic_id: data.topic_id, ..Default::default() };
    StartedTopic { response, appends }
}

fn find(context: &Context, data: &TopicProduceData) -> Result<Topic, ErrorCode> {
    let topic = if context.api_version >= FIRST_WITH_TOPIC_IDS {
        context.topics().topic_by_id(data.topic_id).ok_or(ErrorCode::UnknownTopicId)?
    } else {
        context.topics().topic(&data.name).ok_or(ErrorCode::UnknownTopicOrPartition)?
    };
    if is_internal(topic.name()) { Err(ErrorCode::InvalidTopicException) } else { Ok(topic) }
}

fn start(
    context: &Context,
    topic: Result<&Topic, &ErrorCode>,
    data: PartitionProduceData,
    acks: Option<Acks>,
    admission: Option<&mut Admission>,
) -> Started {
    let acks = acks.ok_or(ErrorCode::InvalidRequiredAcks)?;
    let topic = topic.map_err(|error| *error)?;
    let partition = partition(topic, data.index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let batches = batches(context, data.records.unwrap_or_default())?;
    let header = BatchHeader::parse(&batches).map_err(corrupt)?;
    if !header.is_transactional() {
        return Ok(Either::Left(context.client.burst().enqueue(&partition, batches, acks)?));
    }
    let admission = admission.ok_or(ErrorCode::TransactionalIdAuthorizationFailed)?;
    let passage = Passage {
        producer: TransactionalProducer { id: header.producer_id, epoch: header.producer_epoch },
        topic: topic.name().to_owned(),
        partition,
        batches,
        acks,
    };
    Ok(Either::Right(Box::pin(admission.pass(passage))))
}

/// The records as batches of format 2, whatever the client sent.
fn batches(context: &Context, records: Bytes) -> Result<Bytes, Refused> {
    let magic = records.get(MAGIC_AT).copied().ok_or_else(|| invalid("there is no whole record"))?;
    if magic < 2 {
        if context.api_version > NEWEST_WITH_MESSAGE_SETS {
            return Err(invalid("message sets of format 0 and 1 need a produce request of version 0 to 2"));
        }
        let limit = context.config().max_uncompressed_bytes;
        let converted = record::legacy::to_v2(&records, limit).map_err(corrupt)?;
        return if converted.is_empty() { Err(invalid("there is no whole record")) } else { Ok(converted) };
    }
    let header = BatchHeader::parse(&records).map_err(corrupt)?;
    if header.total_bytes() > records.len() {
        return Err(Refused {
            code: ErrorCode::CorruptMessage,
            message: Some("the batch is cut off".to_owned()),
        });
    }
    if header.total_bytes() < records.len() {
        return Err(invalid("there must be exactly one batch per partition"));
    }
    if header.is_control() {
        return Err(invalid("clients must not write control records"));
    }
    if matches!(header.compression(), Ok(Compression::Zstd)) && context.api_version < FIRST_WITH_ZSTD {
        return Err(ErrorCode::UnsupportedCompressionType.into());
    }
    Ok(records)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn corrupt(error: record::Error) -> Refused {
    Refused { code: ErrorCode::CorruptMessage, message: Some(chain(&error)) }
}
