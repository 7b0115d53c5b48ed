//! The options that say what bytes mean.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::error::SqlError;
use crate::source::format::Format;
use crate::source::format::avro::{Avro, Framing};
use crate::source::format::csv::Csv;
use crate::source::format::protobuf::Protobuf;
use crate::sql::options::given::{Given, wrong};

/// Of records in a topic. Without the option, a table that names columns means JSON, and one that names none the
/// record itself.
pub(super) fn of_records(given: &mut Given<'_>, columns: bool) -> Result<Format, SqlError> {
    let Some(value) = given.take("format").or_else(|| given.also("value.format")) else {
        return Ok(if columns { Format::Json } else { Format::Record });
    };
    match value.text.to_ascii_lowercase().as_str() {
        "raw" => Ok(Format::Raw),
        "kafka" => Ok(Format::Record),
        "avro" => avro(given),
        "protobuf" => protobuf(given),
        word => lines(given, word)?.ok_or_else(|| {
            let known = "known are 'json', 'csv', 'avro', 'protobuf', 'text' and 'raw'";
            wrong(value, format!("format '{}' is not known; {known}", value.text))
        }),
    }
}

/// Of one line of text.
pub(super) fn lines(given: &mut Given<'_>, word: &str) -> Result<Option<Format>, SqlError> {
    Ok(match word {
        "json" => Some(Format::Json),
        "text" => Some(Format::Text),
        "csv" => Some(Format::Csv(csv(given)?)),
        _ => None,
    })
}

fn csv(given: &mut Given<'_>) -> Result<Csv, SqlError> {
    let default = Csv::default();
    let separator = given.character("sep", default.separator)?;
    Ok(Csv {
        separator: given.character("delimiter", separator)?,
        quote: given.character("quote", default.quote)?,
        escape: given.character("escape", default.escape)?,
        null: given.text("nullValue").filter(|null| !null.is_empty()),
        header: given.boolean("header", false)?,
    })
}

fn avro(given: &mut Given<'_>) -> Result<Format, SqlError> {
    let schema = given.take("avroSchema");
    let schema = schema.ok_or_else(|| given.missing("format 'avro' needs avroSchema, the schema as JSON"))?;
    let framing = match given.take("avroFraming").map(|value| (value, value.text.to_ascii_lowercase())) {
        None => Framing::Plain,
        Some((_, word)) if word == "none" => Framing::Plain,
        Some((_, word)) if word == "single-object" => Framing::SingleObject,
        Some((_, word)) if word == "confluent" => Framing::Confluent,
        Some((value, _)) => {
            return Err(wrong(value, "avroFraming is 'none', 'single-object' or 'confluent'"));
        }
    };
    let avro = Avro::new(schema.text.clone(), framing);
    let avro = avro.map_err(|error| wrong(schema, format!("avroSchema is the JSON of a record: {error}")))?;
    Ok(Format::Avro(Box::new(avro)))
}

fn protobuf(given: &mut Given<'_>) -> Result<Format, SqlError> {
    let name = given.take("messageName");
    let name = name.ok_or_else(|| given.missing("format 'protobuf' needs messageName"))?;
    let set = given.take("descriptor").ok_or_else(|| {
        given.missing(
            "format 'protobuf' needs descriptor, in base64 what protoc --include_imports \
             --descriptor_set_out writes",
        )
    })?;
    let zeros = given.boolean("emit.default.values", false)?;
    let bytes = BASE64_STANDARD.decode(set.text.trim());
    let bytes = bytes.map_err(|error| wrong(set, format!("descriptor is base64: {error}")))?;
    let protobuf = Protobuf::new(bytes, &name.text, zeros).map_err(|reason| wrong(name, reason))?;
    Ok(Format::Protobuf(Box::new(protobuf)))
}
