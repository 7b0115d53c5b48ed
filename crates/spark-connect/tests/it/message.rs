//! Protobuf by hand: a message is its fields, by number.

/// A message that is being written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    pub(crate) fn new() -> Self {
        Message::default()
    }

    pub(crate) fn text(self, field: u32, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    #[expect(clippy::needless_pass_by_value, reason = "messages are built inside one another")]
    pub(crate) fn message(self, field: u32, message: Message) -> Self {
        self.bytes(field, &message.0)
    }

    pub(crate) fn bytes(mut self, field: u32, bytes: &[u8]) -> Self {
        varint(&mut self.0, u64::from(field << 3 | 2));
        varint(&mut self.0, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn number(mut self, field: u32, number: u64) -> Self {
        varint(&mut self.0, u64::from(field << 3));
        varint(&mut self.0, number);
        self
    }
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A message that was read: number and content of each field; numbers have theirs in `Vec::new()`.
#[derive(Debug, Clone)]
pub(crate) struct Fields(Vec<(u32, Vec<u8>, u64)>);

impl Fields {
    pub(crate) fn read(mut bytes: &[u8]) -> Self {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = take_varint(&mut bytes);
            let field = u32::try_from(key >> 3).unwrap();
            match key & 7 {
                0 => fields.push((field, Vec::new(), take_varint(&mut bytes))),
                2 => {
                    let length = usize::try_from(take_varint(&mut bytes)).unwrap();
                    fields.push((field, bytes[..length].to_vec(), 0));
                    bytes = &bytes[length..];
                }
                kind => panic!("wire type {kind} is not expected here"),
            }
        }
        Fields(fields)
    }

    pub(crate) fn has(&self, field: u32) -> bool {
        self.0.iter().any(|(known, ..)| *known == field)
    }

    pub(crate) fn all(&self, field: u32) -> Vec<Fields> {
        self.0.iter().filter(|(known, ..)| *known == field).map(|(_, bytes, _)| Fields::read(bytes)).collect()
    }

    pub(crate) fn text(&self, field: u32) -> String {
        let found = self.0.iter().find(|(known, ..)| *known == field);
        found.map(|(_, bytes, _)| String::from_utf8(bytes.clone()).unwrap()).unwrap_or_default()
    }

    pub(crate) fn number(&self, field: u32) -> u64 {
        self.0.iter().find(|(known, ..)| *known == field).map_or(0, |(_, _, number)| *number)
    }
}

fn take_varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    number
}
