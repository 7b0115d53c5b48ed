//! JSON as a tree that keeps what Spark shows again: the order of fields and the digits of numbers.

use std::borrow::Cow;

/// Deeper JSON is refused, as Spark's reader does at a thousand; this is within any thread's stack.
const DEPTH_MAX: usize = 200;

/// A value of JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Boolean(bool),
    /// As written.
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    /// In the order of the text; a name may come twice.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// The first value of the text, and whether nothing follows it.
pub(super) fn parse(text: &str) -> Option<Json<'_>> {
    Reader { text, next: 0 }.value(0)
}

struct Reader<'a> {
    text: &'a str,
    next: usize,
}

impl<'a> Reader<'a> {
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.next).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.next += 1;
        }
        bytes.get(self.next).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.next += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        if depth > DEPTH_MAX {
            return None;
        }
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            quote @ (b'"' | b'\'') => self.text(quote).map(Json::Text),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json<'a>> {
        self.next += 1;
        let mut fields = Vec::new();
        if self.accept(b'}') {
            return Some(Json::Object(fields));
        }
        loop {
            let quote = self.peek().filter(|byte| matches!(byte, b'"' | b'\''))?;
            let name = self.text(quote)?;
            if !self.accept(b':') {
                return None;
            }
            fields.push((name, self.value(depth + 1)?));
            if self.accept(b'}') {
                return Some(Json::Object(fields));
            }
            if !self.accept(b',') {
                return None;
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Json<'a>> {
        self.next += 1;
        let mut items = Vec::new();
        if self.accept(b']') {
            return Some(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.accept(b']') {
                return Some(Json::List(items));
            }
            if !self.accept(b',') {
                return None;
            }
        }
    }

    fn word(&mut self) -> Option<Json<'a>> {
        let words = [
            ("null", Json::Null),
            ("true", Json::Boolean(true)),
            ("false", Json::Boolean(false)),
            ("NaN", Json::Number("NaN")),
            ("Infinity", Json::Number("Infinity")),
            ("+INF", Json::Number("Infinity")),
        ];
        for (word, value) in words {
            if self.text[self.next..].starts_with(word) {
                self.next += word.len();
                let ends = !self.text[self.next..].starts_with(|c: char| c.is_alphanumeric());
                return ends.then_some(value);
            }
        }
        None
    }

    fn number(&mut self) -> Option<Json<'a>> {
        let start = self.next;
        let rest = &self.text[start..];
        for (word, value) in [("-Infinity", "-Infinity"), ("-INF", "-Infinity")] {
            if rest.starts_with(word) {
                self.next += word.len();
                return Some(Json::Number(value));
            }
        }
        let length =
            rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let digits = &rest[..length];
        self.next += length;
        let whole = digits.trim_start_matches('-');
        let leading = whole.len() > 1 && whole.starts_with('0') && whole.as_bytes()[1].is_ascii_digit();
        let fits = !leading && !digits.ends_with('.') && digits.parse::<f64>().is_ok();
        fits.then_some(Json::Number(digits))
    }

    fn text(&mut self, quote: u8) -> Option<Cow<'a, str>> {
        self.next += 1;
        let start = self.next;
        let bytes = self.text.as_bytes();
        loop {
            match *bytes.get(self.next)? {
                byte if byte == quote => {
                    self.next += 1;
                    return Some(Cow::Borrowed(&self.text[start..self.next - 1]));
                }
                b'\\' => break,
                0..=0x1f => return None,
                _ => self.next += 1,
            }
        }
        let mut owned = self.text[start..self.next].to_owned();
        loop {
            let character = self.text[self.next..].chars().next()?;
            self.next += character.len_utf8();
            match character {
                '\\' => owned.push(self.escape()?),
                c if c == char::from(quote) => return Some(Cow::Owned(owned)),
                c if c < ' ' => return None,
                c => owned.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = *self.text.as_bytes().get(self.next)?;
        self.next += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' | b'\'' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.unit()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high);
                }
                if !self.text[self.next..].starts_with("\\u") {
                    return None;
                }
                self.next += 2;
                let low = self.unit()?.checked_sub(0xdc00)?;
                char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)?
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.next..self.next + 4)?;
        self.next += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

impl Json<'_> {
    /// As compact JSON.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Number(digits) => out.push_str(&number(digits)),
            Json::Text(text) => quoted(text, out),
            Json::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Json::Object(fields) => {
                out.push('{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    quoted(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// A string as it is, anything else as JSON.
    pub(super) fn shown(&self) -> String {
        match self {
            Json::Text(text) => text.clone().into_owned(),
            other => {
                let mut text = String::new();
                other.write(&mut text);
                text
            }
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Json::Object(fields) => fields.iter().find(|(known, _)| known == name).map(|(_, value)| value),
            _ => None,
        }
    }
}

/// A number as Spark writes it again: fractions as Java's doubles.
fn number(digits: &str) -> Cow<'_, str> {
    match digits.parse::<f64>() {
        Ok(value) if digits.contains(['.', 'e', 'E']) => Cow::Owned(crate::functions::number::double(value)),
        _ => Cow::Borrowed(digits),
    }
}

/// The text in quotes, with what JSON must not hold escaped.
pub(super) fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
