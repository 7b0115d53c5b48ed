//! What is done with models that are there.

use datafusion::sql::sqlparser::tokenizer::Token;

use super::option_list;
use crate::error::SqlError;
use crate::sql::cursor::Cursor;
use crate::sql::statement::{AlterModel, ExportForm, ExportModel, ImportModel, ModelChange, Statement};

pub(super) fn alter(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect("MODEL")?;
    let name = cursor.name("the name of the model")?;
    let change = if cursor.accept("SET") {
        let _ = cursor.accept("OPTIONS");
        ModelChange::Set(option_list(cursor)?)
    } else if cursor.accept("ROLLBACK") {
        ModelChange::Rollback(if cursor.accept_all(&["TO", "VERSION"]) {
            Some(version(cursor)?)
        } else {
            None
        })
    } else if cursor.accept_all(&["PIN", "VERSION"]) {
        ModelChange::Pin(Some(version(cursor)?))
    } else if cursor.accept("UNPIN") {
        ModelChange::Pin(None)
    } else if cursor.accept("RESET") {
        ModelChange::Reset
    } else if cursor.accept_all(&["RENAME", "TO"]) {
        ModelChange::Rename(cursor.name("the new name")?)
    } else {
        return Err(cursor.error(
            "SET (option value, ...), ROLLBACK [TO VERSION n], PIN VERSION n, UNPIN, RESET or RENAME TO name",
        ));
    };
    cursor.finish()?;
    Ok(Statement::AlterModel(AlterModel { name, change }))
}

fn version(cursor: &mut Cursor<'_>) -> Result<u64, SqlError> {
    match cursor.peek() {
        Some(Token::Number(number, _)) if number.parse::<u64>().is_ok() => {
            cursor.take();
            number.parse().map_err(|_| cursor.error("a version"))
        }
        _ => Err(cursor.error("the number of a version")),
    }
}

/// After `EXPORT MODEL`.
pub(super) fn export(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let name = cursor.name("the name of the model")?;
    let version = if cursor.accept("VERSION") {
        let _ = cursor.accept_all(&["AS", "OF"]);
        Some(version(cursor)?)
    } else {
        None
    };
    cursor.expect("TO")?;
    let file = cursor.string("the file's name in quotes")?;
    let form = if !cursor.accept("FORMAT") {
        if file.to_ascii_lowercase().ends_with(".onnx") { ExportForm::Onnx } else { ExportForm::Json }
    } else if cursor.accept("JSON") {
        ExportForm::Json
    } else if cursor.accept("ONNX") {
        ExportForm::Onnx
    } else {
        return Err(cursor.error("JSON or ONNX"));
    };
    cursor.finish()?;
    Ok(Statement::ExportModel(ExportModel { name, version, file, form }))
}

/// After `IMPORT MODEL`.
pub(super) fn import(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let name = cursor.name("the name of the model")?;
    cursor.expect("FROM")?;
    let file = cursor.string("the file's name in quotes")?;
    cursor.finish()?;
    Ok(Statement::ImportModel(ImportModel { name, file }))
}
