//! Kafka record batches: layout, checksum, compression, and the older message sets on the way in and out.
