//! What a type does not say of a column: that its values are a script's own (`UserDefinedType`), and what the script noted
//! about it. Both are kept beside the field, so they go wherever the column goes.

use std::collections::HashMap;

use datafusion::arrow::datatypes::Field;
use serde_json::{Map, Value, json};

/// What a script's own type is called in Python and on the JVM, as JSON.
const USER: &str = "spark.udt";
/// What a script noted, as JSON.
const NOTES: &str = "spark.metadata";

/// A type that a script makes of another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UserType {
    pub(crate) jvm_class: Option<String>,
    pub(crate) python_class: Option<String>,
    pub(crate) serialized_python_class: Option<String>,
}

/// The names of the parts in the JSON of PySpark's types.
const PARTS: [&str; 3] = ["class", "pyClass", "serializedClass"];

impl UserType {
    /// Of the type's JSON.
    pub(crate) fn read(value: &Value) -> UserType {
        let [jvm_class, python_class, serialized_python_class] =
            PARTS.map(|part| value.get(part).and_then(Value::as_str).map(str::to_owned));
        UserType { jvm_class, python_class, serialized_python_class }
    }

    /// The type's JSON, over that of what its values are made of.
    pub(crate) fn json(&self, made_of: Value) -> Value {
        let mut whole = self.parts();
        whole.insert("type".to_owned(), json!("udt"));
        whole.insert("sqlType".to_owned(), made_of);
        Value::Object(whole)
    }

    fn parts(&self) -> Map<String, Value> {
        let given = [&self.jvm_class, &self.python_class, &self.serialized_python_class];
        let given = PARTS.into_iter().zip(given);
        given.filter_map(|(name, part)| part.as_ref().map(|part| (name.to_owned(), json!(part)))).collect()
    }

    /// The type's own name in a tree of types.
    pub(crate) fn word(&self) -> String {
        let class = self.jvm_class.as_deref().and_then(|class| class.rsplit('.').next());
        class.map_or_else(
            || "pythonuserdefined".to_owned(),
            |class| class.trim_end_matches("UDT").to_lowercase(),
        )
    }

    /// As a field's metadata.
    pub(crate) fn metadata(&self) -> HashMap<String, String> {
        HashMap::from([(USER.to_owned(), Value::Object(self.parts()).to_string())])
    }
}

/// The script's own type whose values a field holds.
pub(crate) fn user_type(field: &Field) -> Option<UserType> {
    let value: Value = serde_json::from_str(field.metadata().get(USER)?).ok()?;
    Some(UserType::read(&value))
}

/// The field with a script's own type.
pub(crate) fn typed(field: Field, user: Option<&UserType>) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.extend(user.map(UserType::metadata).unwrap_or_default());
    field.with_metadata(metadata)
}

/// What was noted about a field, as JSON.
pub(crate) fn notes(field: &Field) -> Option<&str> {
    field.metadata().get(NOTES).map(String::as_str)
}

/// The field with what is noted about it, unless that is nothing.
pub(crate) fn with_notes(field: Field, notes: Option<&str>) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.extend(notes.map(as_metadata).unwrap_or_default());
    field.with_metadata(metadata)
}

/// Notes as a field's metadata.
pub(crate) fn as_metadata(notes: &str) -> HashMap<String, String> {
    match notes.trim() {
        "" | "{}" => HashMap::new(),
        notes => HashMap::from([(NOTES.to_owned(), notes.to_owned())]),
    }
}

/// What is to be kept of a field's metadata: no file and no plan adds to it.
pub(crate) fn kept(field: &Field) -> HashMap<String, String> {
    let known = field.metadata().iter().filter(|(name, _)| [USER, NOTES].contains(&name.as_str()));
    known.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{DataType, Schema};

    use crate::schema::{json as types, message};

    use super::*;

    const POINT: &str = r#"{"type": "udt", "pyClass": "points.PointType", "serializedClass": "AAA=", "sqlType":
        {"type": "array", "elementType": "double", "containsNull": true}}"#;

    fn row() -> Schema {
        let text = format!(
            r#"{{"type": "struct", "fields": [
                {{"name": "p", "type": {POINT}, "nullable": true, "metadata": {{"unit": "m"}}}},
                {{"name": "l", "type": {{"type": "array", "elementType": {POINT}, "containsNull": true}},
                  "nullable": true, "metadata": {{}}}},
                {{"name": "m", "type": {{"type": "map", "keyType": "string", "valueType": {POINT},
                  "valueContainsNull": true}}, "nullable": true, "metadata": {{}}}}]}}"#
        );
        crate::schema::parse_schema(&text).unwrap()
    }

    #[test]
    fn own_types_and_notes_pass_through_both_notations() {
        let schema = row();
        let wanted: Value = serde_json::from_str(POINT).unwrap();
        let told = types::write_schema(&schema);
        assert_eq!(told["fields"][0]["type"], wanted);
        assert_eq!(told["fields"][0]["metadata"], json!({"unit": "m"}));
        assert_eq!(told["fields"][1]["type"]["elementType"], wanted);
        assert_eq!(told["fields"][2]["type"]["valueType"], wanted);
        let DataType::Struct(fields) = message::read(&message::write_schema(&schema)).unwrap() else {
            panic!()
        };
        assert_eq!(types::write_schema(&Schema::new(fields)), told);
    }

    #[test]
    fn a_type_computed_with_keeps_what_lies_inside() {
        let schema = row();
        let list = crate::schema::canonical(schema.field(1).data_type());
        assert_eq!(&list, schema.field(1).data_type());
        assert!(user_type(&Field::new("x", list, true)).is_none());
        assert_eq!(user_type(schema.field(0)).unwrap().word(), "pythonuserdefined");
        assert!(notes(schema.field(1)).is_none());
    }
}
