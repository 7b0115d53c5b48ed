//! Which Kafka the topics of a table are in, and what a query is called in another one than this program's own.

use std::sync::Arc;

use crate::error::{SinkError, SqlError};
use crate::outside::Outside;
use crate::session::Shared;
use crate::session::start::Definition;
use crate::sink::outside::transactions::{Records, Transactions};
use crate::sink::side_topic::SideTopic;
use crate::sink::topic::TopicSink;
use crate::sql::options::TableOptions;
use crate::sql::options::source::SourceOptions;

impl Shared {
    /// The Kafka that topics are in of which nobody says where they are, if it is not this program.
    pub(super) fn kafka(&self) -> Option<Outside> {
        self.config.kafka.clone().map(Outside::new)
    }

    /// Decides which Kafka the table's topics are in: who names this program's own address means its log.
    pub(super) fn settle(&self, options: &mut TableOptions) {
        let SourceOptions::Kafka(kafka) = &mut options.source else { return };
        kafka.outside = match kafka.outside.take() {
            Some(named) if is_here(named.address(), &self.config.kafka_addresses) => None,
            Some(named) => Some(named),
            None => self.kafka(),
        };
    }

    /// Makes the topics that a query writes in another cluster and nobody has made yet.
    pub(super) async fn prepare_outside(&self, options: &TableOptions) -> Result<(), SqlError> {
        let written = options.outside().map(|outside| (outside.clone(), &options.topic, options.partitions));
        let late = self.late_cluster(options).zip(options.late_topic.as_ref());
        let late = late.map(|(outside, topic)| (outside, topic, None));
        for (outside, topic, partitions) in written.into_iter().chain(late) {
            let failed = |error| SqlError::failed(format!("write to topic {topic}"), error);
            outside.prepare(&[topic], partitions).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Late rows go where the others go, or where topics are of which nobody says where they are.
    fn late_cluster(&self, options: &TableOptions) -> Option<Outside> {
        options.outside().cloned().or_else(|| self.kafka())
    }

    /// The topic for rows that come too late.
    pub(super) fn late_topic(
        &self,
        definition: Definition<'_>,
        options: &TableOptions,
        producer_id: i64,
    ) -> Result<Option<SideTopic>, SqlError> {
        let Some(topic) = &options.late_topic else { return Ok(None) };
        let outside = self.late_cluster(options);
        if outside.is_none() {
            self.topic(topic, None)?;
        }
        self.side_topic(definition, outside.as_ref(), (topic, "-late"), producer_id).map(Some)
    }

    /// A topic beside the query's own; `suffix` tells its transactions from the query's others.
    pub(super) fn side_topic(
        &self,
        definition: Definition<'_>,
        outside: Option<&Outside>,
        (topic, suffix): (&str, &str),
        producer_id: i64,
    ) -> Result<SideTopic, SqlError> {
        let Some(outside) = outside else {
            let sink = TopicSink::new(&self.topics, topic, producer_id);
            return Ok(SideTopic::Here { topics: self.topics.clone(), sink });
        };
        let transactions = self.transactions(definition, outside, (topic, suffix))?;
        Ok(SideTopic::Outside { topic: topic.to_owned(), transactions })
    }

    /// What writes a query's batches there.
    pub(super) fn transactions(
        &self,
        definition: Definition<'_>,
        outside: &Outside,
        (topic, suffix): (&str, &str),
    ) -> Result<Transactions, SqlError> {
        let identity = self.name_outside(definition)? + suffix;
        Ok(Transactions::new(outside, identity, topic, &self.env.clock))
    }

    /// What another Kafka, or a database, knows the query by: no other query has this name, also not on another machine.
    pub(super) fn name_outside(&self, definition: Definition<'_>) -> Result<String, SqlError> {
        let place = self.home(definition)?.join("outside-name");
        let failed = |error| SqlError::failed(format!("read {}", place.path().display()), error);
        if let Some(name) = place.read().map_err(failed)? {
            return Ok(String::from_utf8_lossy(&name).into_owned());
        }
        let name = self.new_name(definition.name);
        place.claim(name.clone().into()).map_err(failed)?;
        Ok(name)
    }

    fn new_name(&self, purpose: &str) -> String {
        let random = u128::from_be_bytes(self.env.random.next_16_bytes());
        format!("pelton-{purpose}-{random:032x}")
    }

    /// Writes records once and for all, for nobody's query.
    pub(super) async fn write_outside(
        &self,
        outside: &Outside,
        topic: &str,
        records: Records,
    ) -> Result<(), SinkError> {
        let clock = Arc::clone(&self.env.clock);
        let mut transactions = Transactions::new(outside, self.new_name("insert"), topic, &clock);
        transactions.write(&records, 1, clock.now_ms()).await
    }
}

/// Whether all brokers are this program's own door.
fn is_here(brokers: &str, own: &[String]) -> bool {
    let plain = |address: &str| {
        let (host, port) = address.trim().rsplit_once(':').unwrap_or((address.trim(), "9092"));
        let host = match host.trim_matches(['[', ']']) {
            "localhost" | "::1" | "0.0.0.0" | "::" => "127.0.0.1",
            other => other,
        };
        (host.to_owned(), port.to_owned())
    };
    brokers.split(',').all(|broker| own.iter().any(|own| plain(own) == plain(broker)))
}

#[cfg(test)]
mod tests {
    use super::is_here;

    #[test]
    fn its_own_address_has_several_names() {
        let own = ["127.0.0.1:9092".to_owned(), "pelton.example:19092".to_owned()];
        for here in ["127.0.0.1:9092", "localhost:9092", "localhost", "localhost:9092, pelton.example:19092"]
        {
            assert!(is_here(here, &own), "{here}");
        }
        for outside in ["127.0.0.1:9093", "kafka:9092", "localhost:9092,kafka:9092"] {
            assert!(!is_here(outside, &own), "{outside}");
        }
        assert!(!is_here("localhost:9092", &[]));
    }
}
