//! Snappy, framed as xerial's Java library does it, or bare.

use std::io;

/// What a framed stream begins with; two version numbers follow.
const MAGIC: &[u8; 8] = b"\x82SNAPPY\0";
const STREAM_HEADER_BYTES: usize = 16;
const VERSION: i32 = 1;
/// The uncompressed bytes per block that Java clients use.
const BLOCK_BYTES: usize = 32 * 1024;

pub(super) fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(STREAM_HEADER_BYTES + bytes.len() / 2);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&VERSION.to_be_bytes());
    let mut encoder = snap::raw::Encoder::new();
    for block in bytes.chunks(BLOCK_BYTES) {
        let packed = encoder.compress_vec(block)?;
        let length = i32::try_from(packed.len()).map_err(io::Error::other)?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&packed);
    }
    Ok(out)
}

/// Unpacks either form; false beyond `limit` bytes.
pub(super) fn decompress(bytes: &[u8], out: &mut Vec<u8>, limit: usize) -> io::Result<bool> {
    if !bytes.starts_with(MAGIC) {
        return append_block(out, bytes, limit);
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        // Streams may be concatenated, each with its own header.
        if rest.starts_with(MAGIC) {
            rest = rest.get(STREAM_HEADER_BYTES..).ok_or_else(truncated)?;
            continue;
        }
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(truncated)?;
        let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| truncated())?;
        let block = after.get(..length).ok_or_else(truncated)?;
        if !append_block(out, block, limit)? {
            return Ok(false);
        }
        rest = &after[length..];
    }
    Ok(true)
}

/// Appends one block; false if it would pass the limit.
fn append_block(out: &mut Vec<u8>, block: &[u8], limit: usize) -> io::Result<bool> {
    let start = out.len();
    let length = snap::raw::decompress_len(block)?;
    if length > limit - start {
        return Ok(false);
    }
    // Snappy copies at most 64 bytes per three-byte element, so a block that claims more than
    // this is refused before its claim is believed.
    if length / 64 > block.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "impossible snappy length"));
    }
    out.resize(start + length, 0);
    let written = snap::raw::Decoder::new().decompress(block, &mut out[start..])?;
    out.truncate(start + written);
    Ok(true)
}

fn truncated() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "truncated snappy stream")
}
