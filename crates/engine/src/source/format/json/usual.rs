//! The usual JSON, read by looking at its bytes once: no escapes in its texts, short numbers, no name twice.
//!
//! A method that answers `None` has not said that something is wrong, only that it is not sure; the record is then
//! read again by who knows all of JSON. What is taken is JSON, and means the same to both.

/// Arrays and objects in each other that are stepped over.
const DEPTH_MAX: usize = 16;

/// Whole numbers of so many digits and less fit into 64 bits.
const DIGITS_MAX: usize = 18;

/// Whole numbers up to here are `f64`s.
const WHOLE_MAX: i64 = 1 << 53;

/// Powers of ten, each of them exact: a whole number that is exact, divided by one, is rounded once
/// (Clinger, How to Read Floating Point Numbers Accurately, 1990).
const TENS: [f64; 19] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// The bytes of a text, and how far they are read.
#[derive(Clone, Copy)]
pub(super) struct Usual<'j> {
    text: &'j [u8],
    at: usize,
}

impl<'j> Usual<'j> {
    /// Begins to read bytes that are known to be UTF-8.
    pub(super) fn new(text: &'j [u8]) -> Self {
        Usual { text, at: 0 }
    }

    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The first byte that is no white space; it is not taken.
    pub(super) fn next(&mut self) -> Option<u8> {
        loop {
            match self.byte()? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                other => return Some(other),
            }
        }
    }

    /// Takes this byte, after white space.
    pub(super) fn eat(&mut self, byte: u8) -> Option<()> {
        let found = self.next()? == byte;
        self.at += usize::from(found);
        found.then_some(())
    }

    /// Takes a word, at once.
    pub(super) fn word(&mut self, word: &str) -> Option<()> {
        let found = self.text.get(self.at..)?.starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found.then_some(())
    }

    /// Whether white space is all that is left.
    pub(super) fn is_done(&mut self) -> bool {
        self.next().is_none()
    }

    /// Takes the comma before the next item, or the bracket at the end: whether there is a next one.
    pub(super) fn goes_on(&mut self, end: u8) -> Option<bool> {
        let next = self.next()?;
        self.at += 1;
        match next {
            b',' => Some(true),
            other => (other == end).then_some(false),
        }
    }

    /// Takes the first bracket, and the last one if nothing is in between: whether there is an item.
    pub(super) fn opens(&mut self, begin: u8, end: u8) -> Option<bool> {
        self.eat(begin)?;
        Some(self.eat(end).is_none())
    }

    /// A name and its colon.
    pub(super) fn name(&mut self) -> Option<&'j [u8]> {
        self.next()?;
        let name = self.string()?;
        self.eat(b':')?;
        Some(name)
    }

    /// Takes this name and its colon, if they are next; white space before them in any case.
    pub(super) fn named(&mut self, name: &Name) -> bool {
        self.next();
        let taken = self.text.get(self.at..).is_some_and(|text| name.begins(text));
        self.at += if taken { name.written.len() } else { 0 };
        taken
    }

    /// What stands between quotes.
    pub(super) fn string(&mut self) -> Option<&'j [u8]> {
        if self.byte()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let end = start + end_of_string(self.text.get(start..)?)?;
        self.at = end + 1;
        self.text.get(start..end)
    }

    /// Takes digits: their number, and how many there are. Longer ones wrap around.
    fn digits(&mut self, mut number: i64) -> (i64, usize) {
        let start = self.at;
        while let Some(byte @ b'0'..=b'9') = self.byte() {
            number = number.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'));
            self.at += 1;
        }
        (number, self.at - start)
    }

    /// A sign, and digits of which the first is 0 only if it is the last.
    fn whole_part(&mut self) -> Option<(bool, i64, usize)> {
        let negative = self.word("-").is_some();
        let leads = self.byte()? == b'0';
        let (number, digits) = self.digits(0);
        (digits == 1 || digits > 1 && !leads).then_some((negative, number, digits))
    }

    /// A whole number without an exponent.
    pub(super) fn whole(&mut self) -> Option<i64> {
        let (negative, number, digits) = self.whole_part()?;
        let ends = !matches!(self.byte(), Some(b'.' | b'e' | b'E'));
        (ends && digits <= DIGITS_MAX).then_some(if negative { -number } else { number })
    }

    /// A number that is a whole one, divided by a power of ten, both exact.
    pub(super) fn fraction(&mut self) -> Option<f64> {
        let (negative, mut number, mut digits) = self.whole_part()?;
        let mut behind = 0;
        if self.word(".").is_some() {
            (number, behind) = self.digits(number);
            digits += behind;
            if behind == 0 {
                return None;
            }
        }
        let ends = !matches!(self.byte(), Some(b'e' | b'E'));
        if !ends || digits > DIGITS_MAX || number > WHOLE_MAX {
            return None;
        }
        let number = number as f64 / TENS[behind];
        Some(if negative { -number } else { number })
    }

    /// The text of any number.
    pub(super) fn number(&mut self) -> Option<&'j str> {
        let start = self.at;
        self.whole_part()?;
        if self.word(".").is_some() && self.digits(0).1 == 0 {
            return None;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits(0).1 == 0 {
                return None;
            }
        }
        std::str::from_utf8(self.text.get(start..self.at)?).ok()
    }

    /// Steps over a value.
    pub(super) fn skip(&mut self) -> Option<()> {
        self.skip_within(DEPTH_MAX)
    }

    fn skip_within(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match self.next()? {
            b'"' => self.string().map(drop),
            b'n' => self.word("null"),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'{' => {
                let mut more = self.opens(b'{', b'}')?;
                while more {
                    self.name()?;
                    self.skip_within(depth)?;
                    more = self.goes_on(b'}')?;
                }
                Some(())
            }
            b'[' => {
                let mut more = self.opens(b'[', b']')?;
                while more {
                    self.skip_within(depth)?;
                    more = self.goes_on(b']')?;
                }
                Some(())
            }
            _ => self.number().map(drop),
        }
    }
}

/// A name in quotes, with its colon, as most write it.
pub(super) struct Name {
    written: Vec<u8>,
    /// Its first bytes, and which of a word they are.
    word: u64,
    mask: u64,
}

impl Name {
    /// `None` for a name that needs escapes.
    pub(super) fn new(name: &str) -> Option<Self> {
        let written = format!("\"{name}\":").into_bytes();
        if end_of_string(&written[1..]) != Some(name.len()) {
            return None;
        }
        let length = written.len().min(WORD);
        let (mut word, mut mask) = ([0; WORD], [0; WORD]);
        word[..length].copy_from_slice(&written[..length]);
        mask[..length].fill(u8::MAX);
        Some(Name { written, word: u64::from_le_bytes(word), mask: u64::from_le_bytes(mask) })
    }

    fn begins(&self, text: &[u8]) -> bool {
        let Some((word, rest)) = text.split_first_chunk::<WORD>() else {
            return text.starts_with(&self.written);
        };
        let same = (u64::from_le_bytes(*word) ^ self.word) & self.mask == 0;
        same && self.written.get(WORD..).is_none_or(|more| rest.starts_with(more))
    }
}

/// So many bytes are looked at together.
const WORD: usize = 8;

/// Where the quote is that ends a text; `None` if something escaped or a control character comes before it.
fn end_of_string(text: &[u8]) -> Option<usize> {
    let (words, rest) = text.as_chunks::<WORD>();
    for (index, word) in words.iter().enumerate() {
        let found = stops(u64::from_le_bytes(*word));
        if found != 0 {
            let at = index * WORD + found.trailing_zeros() as usize / 8;
            return (text[at] == b'"').then_some(at);
        }
    }
    // The control characters behind the end of the text end it too.
    let mut word = [0; WORD];
    word[..rest.len()].copy_from_slice(rest);
    let at = stops(u64::from_le_bytes(word)).trailing_zeros() as usize / 8;
    (rest.get(at) == Some(&b'"')).then_some(words.len() * WORD + at)
}

/// The top bit of each byte that is a quote, a backslash or a control character; bits above the lowest one may be wrong.
fn stops(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const TOPS: u64 = ONES << 7;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    (zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5c)) | below_space) & TOPS
}
