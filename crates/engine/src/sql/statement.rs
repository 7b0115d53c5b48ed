//! What a statement asks for.

use std::collections::BTreeMap;

use datafusion::arrow::datatypes::FieldRef;

use crate::error::Position;
use crate::sql::Select;

/// A statement and the text it was read from.
#[derive(Debug, Clone)]
pub(crate) struct Parsed {
    pub(crate) text: String,
    pub(crate) statement: Statement,
}

#[derive(Debug, Clone)]
pub(crate) enum Statement {
    CreateTable(CreateTable),
    CreateModel(CreateModel),
    CreateNetwork(CreateNetwork),
    CreateContest(CreateContest),
    AlterModel(AlterModel),
    ExportModel(ExportModel),
    ImportModel(ImportModel),
    DropTable(Drop),
    DropModel(Drop),
    Show(Show),
    ShowVersions(String),
    Describe(String),
    Select(Select),
    CreateView(CreateView),
    CreateFlow(CreateFlow),
    DropFlow(Drop),
    Insert(Insert),
    Explain(Explain),
    /// The statements behind it count in another zone.
    SetTimeZone(String),
}

/// `CREATE MATERIALIZED VIEW`: the result of a query, kept current.
#[derive(Debug, Clone)]
pub(crate) struct CreateView {
    pub(crate) name: String,
    pub(crate) if_exists: IfExists,
    pub(crate) query: Select,
}

/// `CREATE FLOW ... AS INSERT INTO`: one more query that writes a table.
#[derive(Debug, Clone)]
pub(crate) struct CreateFlow {
    pub(crate) name: String,
    pub(crate) if_exists: IfExists,
    pub(crate) insert: Insert,
}

/// `INSERT INTO`: rows for a table.
#[derive(Debug, Clone)]
pub(crate) struct Insert {
    pub(crate) table: String,
    pub(crate) columns: Columns,
    pub(crate) query: Select,
}

/// Which columns of a table the rows of a query fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Columns {
    /// All of them, in their order.
    ByPosition,
    /// Those of the same name.
    ByName,
    /// These, in this order.
    Listed(Vec<String>),
}

/// `EXPLAIN`: how a query would run.
#[derive(Debug, Clone)]
pub(crate) struct Explain {
    pub(crate) query: Select,
    /// Of the table that the query fills.
    pub(crate) options: Option<Options>,
    /// The logical plan too.
    pub(crate) extended: bool,
}

/// What happens when the name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfExists {
    Refuse,
    Replace,
    Leave,
}

/// `CREATE STREAMING TABLE`: a topic read as rows or, with a query, written as rows.
#[derive(Debug, Clone)]
pub(crate) struct CreateTable {
    pub(crate) name: String,
    pub(crate) if_exists: IfExists,
    pub(crate) columns: Vec<FieldRef>,
    /// The word after `USING`.
    pub(crate) provider: Provider,
    pub(crate) options: Options,
    pub(crate) query: Option<Select>,
}

/// What stands behind a table.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    /// In lower case.
    pub(crate) name: String,
    pub(crate) position: Position,
}

/// `CREATE MODEL ... AS SELECT`: learns from every row.
#[derive(Debug, Clone)]
pub(crate) struct CreateModel {
    pub(crate) name: String,
    pub(crate) if_exists: IfExists,
    pub(crate) options: Options,
    pub(crate) query: Select,
}

/// `CREATE MODEL ... FROM ONNX`: a network that becomes a function.
#[derive(Debug, Clone)]
pub(crate) struct CreateNetwork {
    pub(crate) name: String,
    pub(crate) if_exists: IfExists,
    pub(crate) file: String,
}

/// `ALTER MODEL`.
#[derive(Debug, Clone)]
pub(crate) struct AlterModel {
    pub(crate) name: String,
    pub(crate) change: ModelChange,
}

/// `EXPORT MODEL ... TO 'file'`.
#[derive(Debug, Clone)]
pub(crate) struct ExportModel {
    pub(crate) name: String,
    /// The one that answers, if none is named.
    pub(crate) version: Option<u64>,
    pub(crate) file: String,
    pub(crate) form: ExportForm,
}

/// What a model is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExportForm {
    /// Everything it is: it can be imported.
    Json,
    /// What it answers, as a graph.
    Onnx,
}

/// `IMPORT MODEL ... FROM 'file'`.
#[derive(Debug, Clone)]
pub(crate) struct ImportModel {
    pub(crate) name: String,
    pub(crate) file: String,
}

/// What becomes of a model.
#[derive(Debug, Clone)]
pub(crate) enum ModelChange {
    /// Options of the learner, such as its learning rate.
    Set(Options),
    /// It learns on from an older version: by default from the one before the latest.
    Rollback(Option<u64>),
    /// This version answers, whatever is learned meanwhile; or again the latest does.
    Pin(Option<u64>),
    /// It forgets everything.
    Reset,
    Rename(String),
}

/// `CREATE MODEL ... FROM MODELS (a, b)`: the best of them answers.
#[derive(Debug, Clone)]
pub(crate) struct CreateContest {
    pub(crate) name: String,
    pub(crate) if_exists: IfExists,
    pub(crate) members: Vec<String>,
    pub(crate) options: Options,
}

#[derive(Debug, Clone)]
pub(crate) struct Drop {
    pub(crate) name: String,
    pub(crate) if_exists: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    Tables,
    Models,
    Queries,
}

/// The list after `OPTIONS`.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Where the list stands, or where it would have stood.
    pub(crate) position: Position,
    /// Names as written.
    pub(crate) given: BTreeMap<String, OptionValue>,
}

#[derive(Debug, Clone)]
pub(crate) struct OptionValue {
    pub(crate) text: String,
    pub(crate) position: Position,
}
