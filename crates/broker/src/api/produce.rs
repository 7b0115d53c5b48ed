//! Produce, key 0, versions 0 to 13.
//!
//! Hands each partition's batch to its owner and answers when it is written (`acks=1`), or flushed (`acks=all`).
//! `acks=0` has no answer; after an error the connection is closed, so that such a producer notices at all. A
//! repeated batch of an idempotent producer succeeds with the offset it got the first time. Each partition succeeds or
//! fails on its own.
//!
//! Not done: transactions. Their batches are refused with INVALID_TXN_STATE, their producers get no id in the first
//! place. The request's time-out is not looked at: there are no replicas to wait for.
//!
//! Versions 0 to 2 carry message sets of magic 0 and 1, which Kafka 4 refuses; they are converted on arrival. From
//! version 3 there is exactly one batch per partition. Zstd needs version 7. From version 13 topics go by id.

use bytes::Bytes;
use futures::future::join_all;
use protocol::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, TopicProduceData, TopicProduceResponse,
};
use protocol::messages::{ProduceRequest, ProduceResponse};
use protocol::{ErrorCode, StrBytes};
use record::{BatchHeader, Compression};
use topics::{Acks, AppendError, AppendFuture, Topic};

use crate::context::{Context, is_internal, partition};
use crate::error_code;

const NEWEST_WITH_MESSAGE_SETS: i16 = 2;
const FIRST_WITH_ZSTD: i16 = 7;
const FIRST_WITH_TOPIC_IDS: i16 = 13;
/// Where both batches and messages say which format they have.
const MAGIC_AT: usize = 16;

pub(crate) fn handle(
    context: &Context,
    request: ProduceRequest,
) -> impl Future<Output = ProduceResponse> + Send + use<> {
    let acks = acks(request.acks);
    let transactional = request.transactional_id.is_some();
    let started: Vec<StartedTopic> = request
        .topic_data
        .into_iter()
        .map(|topic_data| start_topic(context, topic_data, acks, transactional))
        .collect();
    async move {
        let responses = join_all(started.into_iter().map(StartedTopic::finish)).await;
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

/// A topic whose batches are on their way.
struct StartedTopic {
    response: TopicProduceResponse,
    appends: Vec<(i32, Result<AppendFuture, Refused>)>,
}

impl StartedTopic {
    async fn finish(mut self) -> TopicProduceResponse {
        for (index, append) in self.appends {
            let appended = match append {
                Ok(append) => append.await.map_err(Refused::from),
                Err(refused) => Err(refused),
            };
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

fn start_topic(
    context: &Context,
    data: TopicProduceData,
    acks: Option<Acks>,
    transactional: bool,
) -> StartedTopic {
    let topic = find(context, &data);
    let appends = data
        .partition_data
        .into_iter()
        .map(|partition_data| {
            let index = partition_data.index;
            (index, start(context, topic.as_ref(), partition_data, acks, transactional))
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
    transactional: bool,
) -> Result<AppendFuture, Refused> {
    let acks = acks.ok_or(ErrorCode::InvalidRequiredAcks)?;
    if transactional {
        return Err(ErrorCode::InvalidTxnState.into());
    }
    let topic = topic.map_err(|error| *error)?;
    let partition = partition(topic, data.index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let batches = batches(context, data.records.unwrap_or_default())?;
    Ok(partition.enqueue(batches, acks)?)
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
    if header.is_transactional() {
        return Err(ErrorCode::InvalidTxnState.into());
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
