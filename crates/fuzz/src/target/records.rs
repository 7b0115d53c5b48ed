//! Record batches, message sets of the older formats, and the codecs.

use bytes::Bytes;
use record::{Batch, BatchBuilder, Compression, ControlRecord, Error, Header, Producer, batches, legacy};

use super::{Allowance, Target};

/// What compressed bytes may unfold to.
const UNFOLDED_MAX: usize = 64 * 1024;
/// Working memory of the codecs: lz4 holds two blocks of 4 MiB if a frame asks for them.
const CODEC: usize = 9 << 20;
/// A record header of two bytes is a key and a value of 32 bytes each in memory; message sets are turned into lists
/// of records of 104 bytes, each from at least 26.
const RECORDS: Allowance = Allowance { per_byte: 40, fixed: CODEC + 40 * UNFOLDED_MAX };
/// The vector that collects what comes out doubles, and is copied when it does.
const UNFOLDING: Allowance = Allowance { per_byte: 1, fixed: CODEC + 4 * UNFOLDED_MAX };

pub(super) fn targets() -> Vec<Target> {
    let mut targets = vec![
        Target::new("record-batches", RECORDS, seed_batches(), record_batches),
        Target::new("records", RECORDS, seed_records(), packed_records),
        Target::new("message-sets", RECORDS, seed_sets(), message_sets),
        Target::new("packed-message-sets", RECORDS, seed_sets(), packed_message_sets),
        Target::new(
            "control-records",
            RECORDS,
            vec![Bytes::from_static(&[4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 7])],
            control,
        ),
    ];
    for codec in Compression::ALL.into_iter().skip(1) {
        let seeds = texts().iter().map(|text| Bytes::from(codec.compress(text))).collect();
        targets.push(Target::new(format!("decompress-{codec}"), UNFOLDING, seeds, move |input| {
            codec.decompress(input, UNFOLDED_MAX).map(|unfolded| {
                assert!(unfolded.len() <= UNFOLDED_MAX, "{} bytes came out", unfolded.len());
                unfolded.len()
            })
        }));
    }
    targets
}

fn texts() -> Vec<Vec<u8>> {
    vec![b"x".to_vec(), b"some text, some text, some text".to_vec(), vec![0; 60_000], vec![0; 100_000]]
}

fn batch(codec: Compression, count: i64) -> Bytes {
    let mut builder = BatchBuilder::new(codec, Producer { id: 5, epoch: 1, base_sequence: 0 });
    let headers: Vec<Header> = vec![("h".into(), Some("a".into())), ("".into(), None)];
    for i in 0..count {
        let headers = if i % 2 == 0 { &headers[..] } else { &[] };
        builder.push(1_700_000_000_000 + i * 40, Some(b"key"), (i != 1).then_some(&b"value"[..]), headers);
    }
    builder.build()
}

fn seed_batches() -> Vec<Bytes> {
    let mut seeds: Vec<Bytes> = Compression::ALL.into_iter().map(|codec| batch(codec, 3)).collect();
    let marker = ControlRecord::EndTransaction { commit: true, coordinator_epoch: 3 };
    seeds.push(marker.to_batch(5, 1, 0));
    seeds.push(Bytes::from([batch(Compression::None, 1), batch(Compression::Lz4, 2)].concat()));
    seeds
}

/// Reads batches as a broker and a consumer would.
fn record_batches(input: &Bytes) -> Vec<Result<usize, Error>> {
    batches(input).map(|batch| look_into(&batch?)).collect()
}

/// What a broker accepts, a consumer must be able to read.
fn look_into(batch: &Batch) -> Result<usize, Error> {
    let crc = batch.verify_crc();
    let valid = batch.validate(UNFOLDED_MAX);
    let mut count = 0;
    for record in batch.records(UNFOLDED_MAX)? {
        match record {
            Ok(_) => count += 1,
            Err(error) => {
                assert!(valid.is_err(), "a valid batch has a broken record: {error}");
                return Err(error);
            }
        }
    }
    if batch.header.is_control() {
        let _ = ControlRecord::from_batch(batch);
    }
    for magic in [0, 1] {
        let old = legacy::from_v2(&batch.bytes, magic, UNFOLDED_MAX);
        assert!(old.is_ok() || valid.is_err() || !expressible(batch), "{old:?}");
    }
    crc?;
    valid?;
    Ok(count)
}

fn expressible(batch: &Batch) -> bool {
    !batch.header.compression().is_ok_and(|codec| codec == Compression::Zstd)
}

/// Inputs are the records alone: one byte for the codec, one for the count.
fn seed_records() -> Vec<Bytes> {
    let payload = |count: u8| {
        let batch = batch(Compression::None, i64::from(count));
        let mut input = vec![0, count];
        input.extend_from_slice(&batch[record::HEADER_BYTES..]);
        input
    };
    let all = (0..5).map(|codec| {
        let mut input = payload(3);
        input[0] = codec;
        Bytes::from(input)
    });
    all.chain([Bytes::from(payload(40))]).collect()
}

/// Packs any bytes as the records of a batch that is sound from outside, as a clever peer would.
fn packed_records(input: &Bytes) -> Option<Result<usize, Error>> {
    let (&[codec, count], records) = input.split_first_chunk::<2>()?;
    let codec = Compression::ALL[usize::from(codec) % Compression::ALL.len()];
    let packed = codec.compress(records);
    let mut bytes = batch(Compression::None, 1)[..record::HEADER_BYTES].to_vec();
    bytes.extend_from_slice(&packed);
    let length = i32::try_from(bytes.len() - 12).expect("a small batch");
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[22] = codec.id();
    bytes[23..27].copy_from_slice(&(i32::from(count) - 1).max(0).to_be_bytes());
    bytes[57..61].copy_from_slice(&i32::from(count).to_be_bytes());
    let crc = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    Some(Batch::parse(&Bytes::from(bytes)).and_then(|batch| look_into(&batch)))
}

fn seed_sets() -> Vec<Bytes> {
    let mut seeds = Vec::new();
    for codec in [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4] {
        for magic in [0, 1] {
            seeds.push(legacy::from_v2(&batch(codec, 3), magic, UNFOLDED_MAX).expect("an honest batch"));
        }
    }
    seeds
}

/// Mends the checksums of a set's outermost messages, so that more than checksums is tried.
fn mend(set: &Bytes) -> Vec<u8> {
    let mut set = set.to_vec();
    let mut at = 0;
    while let Some(size) = set.get(at + 8..at + 12) {
        let size = u32::from_be_bytes(size.try_into().expect("four bytes"));
        let end = at + 12 + usize::try_from(size).unwrap_or(usize::MAX / 2);
        let Some(checked) = set.get(at + 16..end) else { break };
        let mut crc = flate2::Crc::new();
        crc.update(checked);
        set[at + 12..at + 16].copy_from_slice(&crc.sum().to_be_bytes());
        at = end;
    }
    set
}

fn message_sets(input: &Bytes) -> Result<usize, Error> {
    convert(&Bytes::from(mend(input)))
}

/// Whatever an old producer may send becomes batches that anybody can read.
fn convert(set: &Bytes) -> Result<usize, Error> {
    let new = legacy::to_v2(set, UNFOLDED_MAX)?;
    let mut count = 0;
    for batch in batches(&new) {
        let batch = batch.expect("a batch of our own");
        batch.verify_crc().expect("a checksum of our own");
        count += look_into(&batch).expect("records of our own");
    }
    Ok(count)
}

/// Packs any bytes as the inside of a wrapper message; the first byte chooses codec and format.
fn packed_message_sets(input: &Bytes) -> Option<Result<usize, Error>> {
    let (&choice, inner) = input.split_first()?;
    let codec = Compression::ALL[usize::from(choice >> 1) % Compression::ALL.len()];
    let magic = choice & 1;
    let packed = codec.compress(&mend(&Bytes::copy_from_slice(inner)));
    let mut message = vec![0; 16];
    message.extend_from_slice(&[magic, codec.id()]);
    message.extend_from_slice(if magic == 1 { &[0; 8] } else { &[] });
    message.extend_from_slice(&(-1_i32).to_be_bytes());
    message.extend_from_slice(&u32::try_from(packed.len()).expect("a small set").to_be_bytes());
    message.extend_from_slice(&packed);
    let size = u32::try_from(message.len() - 12).expect("a small set");
    message[8..12].copy_from_slice(&size.to_be_bytes());
    Some(convert(&Bytes::from(mend(&Bytes::from(message)))))
}

/// The first byte of an input is the length of the key; the rest is the value.
fn control(input: &Bytes) -> Option<Result<ControlRecord, Error>> {
    let (&length, rest) = input.split_first()?;
    let (key, value) = rest.split_at_checked(usize::from(length))?;
    let record = record::Record {
        key: Some(Bytes::copy_from_slice(key)),
        value: Some(Bytes::copy_from_slice(value)),
        ..record::Record::default()
    };
    Some(ControlRecord::from_record(&record))
}
