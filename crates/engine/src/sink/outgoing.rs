//! Records on their way to a topic.

use record::Header;

/// Records in order. Their keys and values lie one behind the other: none asks for memory of its own.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    bytes: Vec<u8>,
    records: Vec<Placed>,
}

/// Where a record lies.
#[derive(Debug)]
struct Placed {
    /// Its key begins here, and then its value.
    start: usize,
    key: Option<usize>,
    value: Option<usize>,
    partition: Option<u32>,
    headers: Vec<Header>,
}

/// One of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OutgoingRecord<'a> {
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    /// Where to; otherwise its key says it, or its turn.
    pub(crate) partition: Option<u32>,
    pub(crate) headers: &'a [Header],
}

impl Outgoing {
    /// Makes room for so many more records, of so many bytes together.
    pub(crate) fn reserve(&mut self, records: usize, bytes: usize) {
        self.records.reserve(records);
        self.bytes.reserve(bytes);
    }

    pub(crate) fn push(&mut self, record: OutgoingRecord<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(record.key.unwrap_or_default());
        self.bytes.extend_from_slice(record.value.unwrap_or_default());
        self.records.push(Placed {
            start,
            key: record.key.map(<[u8]>::len),
            value: record.value.map(<[u8]>::len),
            partition: record.partition,
            headers: record.headers.to_vec(),
        });
    }

    /// Adds a record whose value is what `write` appends.
    pub(crate) fn push_written(&mut self, key: Option<&[u8]>, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key.unwrap_or_default());
        let written = self.bytes.len();
        write(&mut self.bytes);
        let (key, value) = (key.map(<[u8]>::len), Some(self.bytes.len() - written));
        self.records.push(Placed { start, key, value, partition: None, headers: Vec::new() });
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = OutgoingRecord<'_>> {
        self.records.iter().map(|placed| self.record(placed))
    }

    /// The record of this number.
    ///
    /// # Panics
    /// If there are not so many.
    pub(crate) fn get(&self, number: usize) -> OutgoingRecord<'_> {
        self.record(&self.records[number])
    }

    fn record<'a>(&'a self, placed: &'a Placed) -> OutgoingRecord<'a> {
        let between = placed.start + placed.key.unwrap_or(0);
        OutgoingRecord {
            key: placed.key.map(|_| &self.bytes[placed.start..between]),
            value: placed.value.map(|length| &self.bytes[between..between + length]),
            partition: placed.partition,
            headers: &placed.headers,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn records_come_as_they_went_in() {
        let header: Header = (Bytes::from_static(b"h"), None);
        let records = [
            OutgoingRecord::default(),
            OutgoingRecord { key: Some(b""), value: Some(b"v"), ..OutgoingRecord::default() },
            OutgoingRecord { key: Some(b"key"), value: None, partition: Some(3), headers: &[header] },
            OutgoingRecord { key: None, value: Some(b""), ..OutgoingRecord::default() },
        ];
        let mut outgoing = Outgoing::default();
        records.iter().for_each(|record| outgoing.push(*record));
        outgoing.push_written(Some(b"k"), |out| out.extend_from_slice(b"written"));
        let written =
            OutgoingRecord { key: Some(b"k"), value: Some(b"written"), ..OutgoingRecord::default() };
        let expected: Vec<_> = records.into_iter().chain([written]).collect();
        assert_eq!(outgoing.iter().collect::<Vec<_>>(), expected);
        assert_eq!((outgoing.len(), outgoing.get(2)), (expected.len(), expected[2]));
    }
}
