//! Ways to bend an input.

use env::{Random as _, SeededRandom};

/// Inputs do not grow beyond this.
const BYTES_MAX: usize = 64 * 1024;
/// Numbers that lengths, counts and offsets are likely to be judged wrongly at.
const NUMBERS: [i64; 16] = [
    0,
    1,
    2,
    -1,
    -2,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x4000_0000,
    i64::MAX,
    i64::MIN,
];

/// Bends `input` one to four times; `other` is another input to take pieces from.
pub(crate) fn mutate(random: &SeededRandom, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) {
        bend(random, &mut bytes, other);
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn bend(random: &SeededRandom, bytes: &mut Vec<u8>, other: &[u8]) {
    if bytes.is_empty() {
        bytes.push(byte(random));
        return;
    }
    let at = below(random, bytes.len());
    let piece = 1 + below(random, 16);
    match random.below(11) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = byte(random),
        2 => bytes[at] = bytes[at].wrapping_add(if random.below(2) == 0 { 1 } else { 0xff }),
        3 => overwrite(bytes, at, &number(random)),
        4 => overwrite(bytes, at, varint(random)),
        5 => bytes.truncate(at),
        6 => drop(bytes.drain(at..(at + piece).min(bytes.len()))),
        7 => insert(bytes, at, &vec![byte(random); piece]),
        8 => {
            let again = bytes[at..(at + piece * 4).min(bytes.len())].to_vec();
            for _ in 0..=random.below(8) {
                insert(bytes, at, &again);
            }
        }
        9 if !other.is_empty() => {
            let from = below(random, other.len());
            let taken = &other[from..(from + piece * 4).min(other.len())];
            if random.below(2) == 0 { insert(bytes, at, taken) } else { overwrite(bytes, at, taken) }
        }
        _ => {
            // Rarely much: counts that are large and true.
            let many = 1 << random.below(15);
            insert(bytes, at, &vec![byte(random); many]);
        }
    }
}

/// One of the numbers above in one, two, four or eight bytes.
fn number(random: &SeededRandom) -> Vec<u8> {
    let number = NUMBERS[below(random, NUMBERS.len())].to_be_bytes();
    let width = 1 << random.below(4);
    number[8 - width..].to_vec()
}

/// Variable-length numbers at the ends of their ranges, and beyond.
fn varint(random: &SeededRandom) -> &'static [u8] {
    const VARINTS: [&[u8]; 8] = [
        &[0],
        &[1],
        &[0x80, 0x01],
        &[0xff, 0xff, 0x03],
        &[0xff, 0xff, 0xff, 0xff, 0x07],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0xfe, 0xff, 0xff, 0xff, 0x0f],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    ];
    VARINTS[below(random, VARINTS.len())]
}

fn overwrite(bytes: &mut Vec<u8>, at: usize, with: &[u8]) {
    let end = (at + with.len()).min(bytes.len());
    bytes.splice(at..end, with.iter().copied());
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    if bytes.len() + piece.len() <= BYTES_MAX {
        bytes.splice(at..at, piece.iter().copied());
    }
}

fn byte(random: &SeededRandom) -> u8 {
    random.next_u64().to_le_bytes()[0]
}

fn below(random: &SeededRandom, limit: usize) -> usize {
    let limit = u64::try_from(limit).expect("a length fits into 64 bits");
    usize::try_from(random.below(limit)).expect("below a length")
}
