//! An outside Kafka: how it is reached, what it says, and the topics that are made in it. All through librdkafka.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{NoCustomPartitioner, ProducerContext};

/// How long an answer may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What stands before the name of a log that is a topic there. No topic of this program has a name like that.
const SCHEME: &str = "kafka://";

/// "As the brokers are told": for the number of partitions and of replicas.
const BROKERS_CHOICE: i32 = -1;

/// A cluster, with what librdkafka is told about it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Outside {
    settings: Arc<BTreeMap<String, String>>,
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The settings may hold passwords.
        f.debug_tuple("Outside").field(&self.address()).finish()
    }
}

impl Outside {
    /// `settings` hold `bootstrap.servers`.
    pub(crate) fn new(mut settings: BTreeMap<String, String>) -> Self {
        if let Some(login) = settings.remove("sasl.jaas.config") {
            for name in ["username", "password"] {
                settings.extend(of_jaas(&login, name).map(|value| (format!("sasl.{name}"), value)));
            }
        }
        Outside { settings: Arc::new(settings) }
    }

    /// The brokers that are asked first.
    pub(crate) fn address(&self) -> &str {
        self.settings.get("bootstrap.servers").map_or("", String::as_str)
    }

    /// What people, and the journals of queries, call a topic there.
    pub(crate) fn log(&self, topic: &str) -> String {
        format!("{SCHEME}{}/{topic}", self.address())
    }

    /// The topic that a log is, if it is one there.
    pub(crate) fn topic<'a>(&self, log: &'a str) -> Option<&'a str> {
        log.strip_prefix(SCHEME)?.strip_prefix(self.address())?.strip_prefix('/')
    }

    pub(crate) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("client.id", "pelton");
        if self.settings.get("security.protocol").is_some_and(|name| name.to_lowercase().ends_with("ssl")) {
            // OpenSSL is linked in and knows no directory of this machine: the usual ones are tried.
            config.set("ssl.ca.location", "probe");
        }
        for (name, value) in self.settings.iter() {
            config.set(name, value);
        }
        config
    }

    /// Makes the topics that are not there yet.
    pub(crate) async fn prepare(&self, topics: &[&str], partitions: Option<u32>) -> Result<(), OutsideError> {
        let (outside, names) = (self.clone(), topics.iter().map(|name| (*name).to_owned()).collect());
        let missing = apart(move || outside.missing(names)).await?;
        if missing.is_empty() {
            return Ok(());
        }
        let failed = |error| self.error(format!("create topic {}", missing.join(", ")), error, None);
        let admin: AdminClient<Listener> =
            self.config().create_with_context(Listener::default()).map_err(failed)?;
        let partitions = partitions.map_or(BROKERS_CHOICE, number);
        let new = |name| NewTopic::new(name, partitions, TopicReplication::Fixed(BROKERS_CHOICE));
        let new: Vec<NewTopic<'_>> = missing.iter().map(|name| new(name)).collect();
        let options = AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE));
        let made = admin.create_topics(&new, &options).await;
        // Its thread takes a moment to end.
        apart(move || drop(admin)).await;
        for made in made.map_err(failed)? {
            match made {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => {
                    let error = KafkaError::AdminOp(code);
                    return Err(self.error(format!("create topic {topic}"), error, None));
                }
            }
        }
        Ok(())
    }

    fn missing(&self, mut topics: Vec<String>) -> Result<Vec<String>, OutsideError> {
        let attempt = "ask for topics";
        let consumer: BaseConsumer<Listener> = self
            .config()
            .create_with_context(Listener::default())
            .map_err(|error| self.error(attempt, error, None))?;
        let mut failure = None;
        topics.retain(|topic| match is_missing(&consumer, topic) {
            Ok(missing) => missing,
            Err(error) => {
                failure.get_or_insert(error);
                false
            }
        });
        match failure {
            Some(error) => Err(self.error(attempt, error, heard(&consumer))),
            None => Ok(topics),
        }
    }

    /// `said` is what the client had to say of it.
    pub(crate) fn error(
        &self,
        attempt: impl Into<String>,
        source: KafkaError,
        said: Option<String>,
    ) -> OutsideError {
        let advice = advice(&source, said.as_deref().unwrap_or_default());
        let mut reason = format!("{} at {}", attempt.into(), self.address());
        for part in [advice.map(str::to_owned), said].into_iter().flatten() {
            reason = format!("{reason}: {part}");
        }
        OutsideError { reason, source: Box::new(source) }
    }
}

fn is_missing(consumer: &BaseConsumer<Listener>, topic: &str) -> Result<bool, KafkaError> {
    use RDKafkaErrorCode as Code;
    let found = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    match found.topics().iter().find_map(MetadataTopic::error).map(Code::from) {
        None | Some(Code::LeaderNotAvailable) => Ok(false),
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition) => Ok(true),
        Some(code) => Err(KafkaError::MetadataFetch(code)),
    }
}

/// A part of what Java's clients are told of a login: `...LoginModule required username="u" password="p";`.
fn of_jaas(login: &str, name: &str) -> Option<String> {
    let (_, value) = login.split_once(&format!("{name}="))?;
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?.0,
        None => value.split([' ', ';']).next()?,
    };
    Some(value.to_owned())
}

/// What an outside Kafka has not done, and what can be done about it.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct OutsideError {
    reason: String,
    source: Box<KafkaError>,
}

impl OutsideError {
    /// Whether records were asked for that are not there any more.
    pub(crate) fn is_lost(&self) -> bool {
        use RDKafkaErrorCode as Code;
        matches!(self.source.rdkafka_error_code(), Some(Code::AutoOffsetReset | Code::OffsetOutOfRange))
    }

    /// Whether librdkafka gets over it by itself, in time.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(*self.source, KafkaError::NoMessageReceived)
            || self.source.rdkafka_error_code().is_some_and(is_passing)
    }
}

/// What time mends: nobody answers for now, or another broker has to be asked. What Kafka's clients call retriable.
pub(crate) fn is_passing(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    is_away(code)
        || matches!(
            code,
            Code::LeaderNotAvailable
                | Code::NotLeaderForPartition
                | Code::NetworkException
                | Code::CoordinatorLoadInProgress
                | Code::CoordinatorNotAvailable
                | Code::NotCoordinator
                | Code::WaitingForCoordinator
                | Code::BrokerNotAvailable
                | Code::ReplicaNotAvailable
                | Code::KafkaStorageError
                | Code::FencedLeaderEpoch
                | Code::UnknownLeaderEpoch
                | Code::OffsetNotAvailable
                | Code::ListenerNotFound
                | Code::FetchSessionIdNotFound
                | Code::InvalidFetchSessionEpoch
        )
}

fn is_away(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::Resolve
    )
}

fn advice(error: &KafkaError, said: &str) -> Option<&'static str> {
    use RDKafkaErrorCode as Code;
    let code = error.rdkafka_error_code();
    if said.contains("SASL") || matches!(code, Some(Code::Authentication | Code::SaslAuthenticationFailed)) {
        return Some(
            "it refuses the login; check kafka.security.protocol, kafka.sasl.mechanism, kafka.sasl.username and \
             kafka.sasl.password",
        );
    }
    if said.contains("SSL") || matches!(code, Some(Code::SSL)) {
        return Some("TLS does not come about; check kafka.security.protocol and kafka.ssl.ca.location");
    }
    match code? {
        code if is_away(code) => {
            Some("no broker answers; check kafka.bootstrap.servers, and that the cluster runs")
        }
        Code::UnknownTopic | Code::UnknownTopicOrPartition => {
            Some("the topic does not exist; create it there, or correct its name")
        }
        Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed
        | Code::ClusterAuthorizationFailed => {
            Some("the user may not do that; its administrator can allow it")
        }
        _ => None,
    }
}

/// Hears what librdkafka says, passes it on to the log, and keeps the last complaint.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    complaint: Mutex<Option<String>>,
}

impl Listener {
    pub(crate) fn complaint(&self) -> Option<String> {
        self.complaint.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, text: &str) {
        // What comes before names a thread and the broker once more.
        let text = text.rsplit_once("]: ").map_or(text, |(_, text)| text);
        *self.complaint.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.trim().to_owned());
    }
}

impl ClientContext for Listener {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        use RDKafkaLogLevel as Level;
        match level {
            Level::Emerg | Level::Alert | Level::Critical | Level::Error => {
                self.keep(message);
                tracing::warn!(facility, message, "librdkafka");
            }
            _ => tracing::debug!(facility, message, "librdkafka"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.keep(reason);
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl ConsumerContext for Listener {}

impl ProducerContext<NoCustomPartitioner> for Listener {
    type DeliveryOpaque = ();

    /// The end of the transaction tells whether all of it has arrived.
    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// What a consumer's client complains of. Its words wait until somebody polls.
pub(crate) fn heard(consumer: &BaseConsumer<Listener>) -> Option<String> {
    while consumer.poll(Duration::ZERO).is_some() {}
    consumer.context().complaint()
}

/// A partition's number, or how many there are, as librdkafka counts.
pub(crate) fn number(partition: u32) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}

/// Does what makes a thread wait on one of its own, so that whoever waits for it can give up.
pub(crate) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime ends, and this task with it.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outside(settings: &[(&str, &str)]) -> Outside {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Outside::new(settings.iter().map(own).collect())
    }

    #[test]
    fn logs_of_two_clusters_are_two() {
        let (one, two) =
            (outside(&[("bootstrap.servers", "a:1")]), outside(&[("bootstrap.servers", "a:1,b:2")]));
        assert_eq!(one.topic(&one.log("t")), Some("t"));
        assert_eq!((one.topic(&two.log("t")), two.topic(&one.log("t")), one.topic("t")), (None, None, None));
    }

    #[test]
    fn passwords_are_not_printed() {
        let outside = outside(&[("bootstrap.servers", "a:1"), ("sasl.password", "secret")]);
        assert_eq!(format!("{outside:?}"), "Outside(\"a:1\")");
        assert_eq!(outside.config().get("sasl.password"), Some("secret"));
    }

    #[test]
    fn a_login_in_javas_words_is_understood() {
        let login =
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=u password=\"p; q\";";
        let config = outside(&[("bootstrap.servers", "a:1"), ("sasl.jaas.config", login)]).config();
        assert_eq!((config.get("sasl.username"), config.get("sasl.password")), (Some("u"), Some("p; q")));
    }

    #[test]
    fn what_went_wrong_comes_with_what_to_do() {
        let outside = outside(&[("bootstrap.servers", "a:1")]);
        let away = KafkaError::MetadataFetch(RDKafkaErrorCode::BrokerTransportFailure);
        let said = |text: &str| Some(text.to_owned());
        let refused = outside.error("ask for topics", away.clone(), said("SASL authentication error: no"));
        assert!(refused.to_string().starts_with("ask for topics at a:1: it refuses the login; check kafka."));
        let error = outside.error("ask for topics", away, said("Connection refused"));
        assert!(error.is_passing() && error.to_string().contains("no broker answers; check"), "{error}");
    }
}
