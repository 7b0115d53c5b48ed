//! The few parts of the protocol-buffer format that ONNX files are made of.

/// Kinds of values, as `TensorProto.DataType` numbers them.
pub(super) const INT64: i64 = 7;
pub(super) const STRING: i64 = 8;
pub(super) const DOUBLE: i64 = 11;

/// A message that is being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message(pub(super) Vec<u8>);

impl Message {
    /// A number in seven bits per byte.
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// A field of a whole number.
    pub(super) fn int(mut self, field: u32, number: i64) -> Self {
        self.varint(u64::from(field) << 3);
        self.varint(number.cast_unsigned());
        self
    }

    /// A field of bytes: a text or another message.
    pub(super) fn bytes(mut self, field: u32, bytes: &[u8]) -> Self {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn text(self, field: u32, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub(super) fn message(self, field: u32, message: &Message) -> Self {
        self.bytes(field, &message.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_format_has_them() {
        let inner = Message::default().text(1, "x");
        let written = Message::default().int(1, 150).int(2, -1).message(3, &inner).0;
        let minus_one = [&[0x10][..], &[0xff; 9], &[0x01]].concat();
        assert_eq!(written, [&[0x08, 0x96, 0x01][..], &minus_one, &[0x1a, 0x03, 0x0a, 0x01, b'x']].concat());
    }
}
