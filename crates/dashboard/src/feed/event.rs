//! What a record of a gallery topic says.

use std::sync::Arc;

use serde::Deserialize;

use super::pixels;
use crate::Gallery;
use crate::wire::Kind;

/// Longer ids and labels are not ids and labels.
const ID_BYTES_MAX: usize = 200;
const LABEL_BYTES_MAX: usize = 40;

/// What the page reads a topic for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Question(Kind),
    Answer(Kind),
    Label,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    pub(super) at_ms: i64,
    pub(super) id: Arc<str>,
    pub(super) body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    /// The image, unless it has the wrong size.
    Question(Kind, Option<Arc<str>>),
    Answer(Kind, Answer),
    Label(Arc<str>),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) at_ms: i64,
    pub(super) segment: Option<u32>,
    pub(super) segment_raw: Option<u32>,
    pub(super) model_version: Option<u64>,
}

#[derive(Deserialize)]
struct QuestionRow {
    id: Name,
    #[serde(default)]
    pixels: Option<Vec<Option<f32>>>,
}

#[derive(Deserialize)]
struct AnswerRow {
    id: Name,
    segment: Option<u32>,
    segment_raw: Option<u32>,
    model_version: Option<u64>,
}

#[derive(Deserialize)]
struct LabelRow {
    id: Name,
    label: Name,
}

/// Text, or a number that is meant as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Number(serde_json::Number),
}

impl Name {
    fn within(self, bytes_max: usize) -> Option<Arc<str>> {
        let text = match self {
            Name::Text(text) => text,
            Name::Number(number) => number.to_string(),
        };
        (!text.is_empty() && text.len() <= bytes_max).then(|| text.into())
    }
}

/// `None` if the record is not what the page reads. Where that matters, the query that reads the same topic says why.
pub(super) fn read(role: Role, gallery: &Gallery, at_ms: i64, value: &[u8]) -> Option<Event> {
    // Serde would take an array for an object whose names were left out.
    if value.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let (id, body) = match role {
        Role::Question(kind) => {
            let row: QuestionRow = serde_json::from_slice(value).ok()?;
            (row.id, Body::Question(kind, image(row.pixels, gallery.pixels())))
        }
        Role::Answer(kind) => {
            let row: AnswerRow = serde_json::from_slice(value).ok()?;
            let AnswerRow { segment, segment_raw, model_version, .. } = row;
            (row.id, Body::Answer(kind, Answer { at_ms, segment, segment_raw, model_version }))
        }
        Role::Label => {
            let row: LabelRow = serde_json::from_slice(value).ok()?;
            (row.id, Body::Label(row.label.within(LABEL_BYTES_MAX)?))
        }
    };
    Some(Event { at_ms, id: id.within(ID_BYTES_MAX)?, body })
}

fn image(pixels: Option<Vec<Option<f32>>>, wanted: usize) -> Option<Arc<str>> {
    let values: Vec<f32> = pixels?.into_iter().map(|value| value.unwrap_or(0.0)).collect();
    (values.len() == wanted).then(|| pixels::encode(&values).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::tests::gallery;

    #[test]
    fn rows_are_read_and_nonsense_is_not() {
        let gallery = gallery();
        let read = |role, text: &str| read(role, &gallery, 5, text.as_bytes());
        let question = read(Role::Question(Kind::Enrolled), r#"{"id":"a","pixels":[0,8,16,1.4]}"#).unwrap();
        assert_eq!(question.body, Body::Question(Kind::Enrolled, Some("08g1".into())));
        let wrong_size = read(Role::Question(Kind::Enrolled), r#"{"id":"a","pixels":[0]}"#).unwrap();
        assert_eq!(wrong_size.body, Body::Question(Kind::Enrolled, None));
        let answer =
            read(Role::Answer(Kind::Uploaded), r#"{"id":7,"segment":3,"segment_raw":null}"#).unwrap();
        let body = Answer { at_ms: 5, segment: Some(3), ..Answer::default() };
        assert_eq!((answer.id.as_ref(), answer.body), ("7", Body::Answer(Kind::Uploaded, body)));
        assert_eq!(read(Role::Label, r#"{"id":"a","label":7}"#).unwrap().body, Body::Label("7".into()));
        for nonsense in
            ["", "null", "[]", r#"["a","7"]"#, "{}", r#"{"id":"a"}"#, r#"{"id":"","label":"x"}"#, "\u{0}"]
        {
            assert_eq!(read(Role::Label, nonsense), None, "{nonsense}");
        }
        let long = format!(r#"{{"id":"{}","label":"7"}}"#, "x".repeat(ID_BYTES_MAX + 1));
        assert_eq!(read(Role::Label, &long), None);
    }
}
