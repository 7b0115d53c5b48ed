//! Kafka messages to and from bytes.
