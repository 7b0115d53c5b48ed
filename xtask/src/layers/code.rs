//! Just enough of Rust's grammar to tell what a line of code names.

/// The same text with comments, strings and characters blanked out; lines keep their numbers.
pub(crate) fn without_comments_and_texts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_word = false;
    while let Some(first) = rest.chars().next() {
        let length = if after_word { 0 } else { raw_string(rest) };
        let length = if length > 0 { length } else { opaque(rest) };
        if length > 0 {
            let (hidden, shown) = rest.split_at(length);
            out.extend(hidden.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = shown;
            after_word = false;
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            after_word = is_word(first);
        }
    }
    out
}

/// The length of the comment, string or character that `text` begins with, or zero.
fn opaque(text: &str) -> usize {
    if text.starts_with("//") {
        text.find('\n').unwrap_or(text.len())
    } else if text.starts_with("/*") {
        block_comment(text)
    } else if text.starts_with('"') {
        string(text)
    } else if text.starts_with('\'') {
        character(text)
    } else {
        0
    }
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text.as_bytes()[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if text.as_bytes()[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `'x'` and `'\n'` are characters, `'a` is a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            chars.next();
            chars.find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1)
        }
        Some(_) => chars.next().filter(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

fn raw_string(text: &str) -> usize {
    let Some(rest) = text.strip_prefix("br").or_else(|| text.strip_prefix('r')) else { return 0 };
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    if !rest[hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - rest.len() + hashes + 1;
    text[start..].find(&end).map_or(text.len(), |at| start + at + end.len())
}

/// The identifiers on a line that begin a path (`name::`) or are imported whole (`use name;`).
pub(crate) fn path_roots(line: &str) -> impl Iterator<Item = &str> {
    words(line).filter_map(|(at, word)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let begins = match before.strip_suffix("::") {
            Some(left) => !left.ends_with(|c| is_word(c) || c == '>'),
            None => true,
        };
        let imported = matches!(before.trim_end().rsplit(' ').next(), Some("use" | "crate"));
        (begins && (after.starts_with("::") || imported)).then_some(word)
    })
}

/// Whether the word stands on the line, not as a part of a longer one.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    words(line).any(|(_, found)| found == word)
}

fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    line.split(|c| !is_word(c)).filter(|word| !word.is_empty()).map(|word| (offset(line, word), word))
}

/// Where a part of the line begins.
fn offset(line: &str, part: &str) -> usize {
    part.as_ptr().addr() - line.as_ptr().addr()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
