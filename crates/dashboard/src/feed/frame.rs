//! Server-sent events: a name and one line of JSON.

use bytes::Bytes;
use serde::Serialize;

pub(super) fn frame(event: &str, data: &impl Serialize) -> Bytes {
    let mut bytes = format!("event: {event}\ndata: ").into_bytes();
    if let Err(error) = serde_json::to_writer(&mut bytes, data) {
        // Only a defect of ours gets here: maps with odd keys, for instance. The page goes on with the next frame.
        tracing::error!(error = &error as &dyn std::error::Error, event, "a frame was not written");
        return Bytes::new();
    }
    bytes.extend_from_slice(b"\n\n");
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_line_whatever_the_text_holds() {
        let bytes = frame("tick", &"two\nlines");
        assert_eq!(bytes, "event: tick\ndata: \"two\\nlines\"\n\n");
    }
}
