//! The LZ4 frame format, and the two ways its header checksum was computed in Kafka's history.

use std::io::{self, Read, Write};

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
const FLAGS_AT: usize = 4;
const FLAG_CONTENT_SIZE: u8 = 1 << 3;
const FLAG_DICTIONARY: u8 = 1;

pub(super) fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    // What Java clients write and can read: independent blocks of 64 KiB.
    let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(bytes)?;
    encoder.finish().map_err(io::Error::other)
}

pub(super) fn decoder(bytes: &[u8]) -> impl Read + '_ {
    FrameDecoder::new(bytes)
}

/// Rewrites the header checksum as the first Kafka clients computed it, over the magic number
/// too. Message format 0 keeps that mistake, and its readers check it.
pub(crate) fn break_header_checksum(frame: &mut [u8]) {
    set_header_checksum(frame, 0);
}

/// Rewrites the header checksum as the frame format defines it, whatever stood there.
pub(crate) fn repair_header_checksum(frame: &mut [u8]) {
    set_header_checksum(frame, FLAGS_AT);
}

fn set_header_checksum(frame: &mut [u8], from: usize) {
    if !frame.starts_with(&MAGIC) || frame.len() <= FLAGS_AT {
        return;
    }
    let flags = frame[FLAGS_AT];
    let mut checksum_at = FLAGS_AT + 2;
    if flags & FLAG_CONTENT_SIZE != 0 {
        checksum_at += 8;
    }
    if flags & FLAG_DICTIONARY != 0 {
        checksum_at += 4;
    }
    if checksum_at < frame.len() {
        let hash = xxh32(&frame[from..checksum_at]);
        frame[checksum_at] = hash.to_le_bytes()[1];
    }
}

/// XXH32 with seed 0. A frame header is at most 19 bytes, so speed does not matter.
fn xxh32(bytes: &[u8]) -> u32 {
    const PRIMES: [u32; 5] = [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f, 0x1656_67b1];
    let [p1, p2, p3, p4, p5] = PRIMES;
    let (stripes, tail) = bytes.as_chunks::<16>();
    let mut hash = if stripes.is_empty() {
        p5
    } else {
        let mut lanes = [p1.wrapping_add(p2), p2, 0, 0_u32.wrapping_sub(p1)];
        for stripe in stripes {
            for (lane, word) in lanes.iter_mut().zip(stripe.as_chunks::<4>().0) {
                *lane = lane
                    .wrapping_add(u32::from_le_bytes(*word).wrapping_mul(p2))
                    .rotate_left(13)
                    .wrapping_mul(p1);
            }
        }
        let [a, b, c, d] = lanes;
        a.rotate_left(1)
            .wrapping_add(b.rotate_left(7))
            .wrapping_add(c.rotate_left(12))
            .wrapping_add(d.rotate_left(18))
    };
    let length = u32::try_from(bytes.len()).expect("a frame header is short");
    hash = hash.wrapping_add(length);
    let (words, rest) = tail.as_chunks::<4>();
    for word in words {
        let input = u32::from_le_bytes(*word).wrapping_mul(p3);
        hash = hash.wrapping_add(input).rotate_left(17).wrapping_mul(p4);
    }
    for byte in rest {
        hash = hash.wrapping_add(u32::from(*byte).wrapping_mul(p5)).rotate_left(11).wrapping_mul(p1);
    }
    hash = (hash ^ (hash >> 15)).wrapping_mul(p2);
    hash = (hash ^ (hash >> 13)).wrapping_mul(p3);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xxh32_knows_its_published_values() {
        assert_eq!(xxh32(b""), 0x02cc_5d05);
        assert_eq!(xxh32(b"abc"), 0x32d1_53ff);
        assert_eq!(xxh32(b"Nobody inspects the spammish repetition"), 0xe229_3b2f);
    }

    #[test]
    fn a_broken_header_is_repaired_to_what_it_was() {
        let frame = compress(b"some bytes, some bytes").unwrap();
        let mut other = frame.clone();
        break_header_checksum(&mut other);
        assert_ne!(frame, other);
        assert!(io::read_to_string(decoder(&other)).is_err());
        repair_header_checksum(&mut other);
        assert_eq!(frame, other);
    }
}
