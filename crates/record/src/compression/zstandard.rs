//! Zstandard frames. Setting up its decoder costs several times as much as a batch, so every thread keeps one.

use std::cell::RefCell;
use std::io;

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation as _, OutBuffer};

/// The smallest bound on the window: what the levels up to 19 ask for.
const WINDOW_LOG_MIN: u32 = 23;
/// The greatest window that zstd itself accepts by default.
const WINDOW_LOG_MAX: u32 = 27;
/// A decoder that unpacked more than this is not kept: its window is as large.
const KEPT_BYTES_MAX: usize = 1 << 20;
/// Room for what comes out at first.
const CHUNK_BYTES: usize = 16 * 1024;

thread_local! {
    static DECODER: RefCell<Option<Decoder<'static>>> = const { RefCell::new(None) };
}

/// Unpacks any number of frames; false beyond `limit` bytes.
pub(super) fn decompress(bytes: &[u8], out: &mut Vec<u8>, limit: usize) -> io::Result<bool> {
    if bytes.is_empty() {
        return Ok(true);
    }
    DECODER.with_borrow_mut(|kept| {
        // Whatever goes wrong, the next batch begins with a decoder that saw nothing of it.
        let mut decoder = match kept.take() {
            Some(decoder) => decoder,
            None => Decoder::new()?,
        };
        // A frame may ask for a window far larger than its content; one that is larger than all
        // that may come out is only there to make us allocate it.
        let window_log = usize::BITS - limit.leading_zeros();
        let window_log = window_log.clamp(WINDOW_LOG_MIN, WINDOW_LOG_MAX);
        decoder.set_parameter(DParameter::WindowLogMax(window_log))?;
        let fits = frames(&mut decoder, bytes, out, limit)?;
        if fits && out.len() <= KEPT_BYTES_MAX {
            decoder.reinit()?;
            *kept = Some(decoder);
        }
        Ok(fits)
    })
}

fn frames(decoder: &mut Decoder<'_>, bytes: &[u8], out: &mut Vec<u8>, limit: usize) -> io::Result<bool> {
    let mut input = InBuffer::around(bytes);
    loop {
        if out.len() == out.capacity() {
            // Doubling, and one byte more than the limit, which tells that it was passed.
            let more = out.len().max(CHUNK_BYTES).min(limit.saturating_add(1).saturating_sub(out.len()));
            out.reserve_exact(more.max(1));
        }
        let start = out.len();
        let left_of_frame = decoder.run(&mut input, &mut OutBuffer::around_pos(out, start))?;
        if out.len() > limit {
            return Ok(false);
        }
        if input.pos() == bytes.len() {
            if left_of_frame == 0 {
                return Ok(true);
            }
            if out.len() < out.capacity() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "truncated zstd frame"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpack(bytes: &[u8], limit: usize) -> io::Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        Ok(decompress(bytes, &mut out, limit)?.then_some(out))
    }

    #[test]
    fn the_limit_is_exact() {
        for length in [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 300_000] {
            let text = vec![7; length];
            let packed = zstd::bulk::compress(&text, 0).unwrap();
            assert_eq!(unpack(&packed, length).unwrap(), Some(text));
            assert_eq!(unpack(&packed, length - 1).unwrap(), None);
        }
    }

    #[test]
    fn a_decoder_that_saw_something_broken_is_not_kept() {
        let good = zstd::bulk::compress(b"good, good, good", 0).unwrap();
        let mut broken = good.clone();
        broken[6] ^= 0xff;
        for bad in [&good[..good.len() - 1], &broken, b"no frame at all", &[good.as_slice(), b"x"].concat()] {
            assert!(unpack(bad, 100).is_err(), "{bad:02x?}");
            assert_eq!(unpack(&good, 100).unwrap().as_deref(), Some(&b"good, good, good"[..]));
        }
        assert_eq!(unpack(&good, 3).unwrap(), None);
        let twice = [good.clone(), good].concat();
        assert_eq!(unpack(&twice, 100).unwrap().map(|text| text.len()), Some(32));
        assert_eq!(unpack(&[], 100).unwrap(), Some(Vec::new()));
    }
}
