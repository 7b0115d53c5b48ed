//! What each statement does.

use std::sync::Arc;

use crate::answer::Answer;
use crate::error::SqlError;
use crate::plan::bounded::{self, BoundedRows, Input, Planned};
use crate::plan::resolve::Known;
use crate::session::Inner;
use crate::session::catalog::{Catalog, Object, QueryDef, Table};
use crate::session::render::{answer, describe_columns};
use crate::session::sinks::check_readable;
use crate::sql::types::UTC;
use crate::sql::{Parsed, Select, Show, Statement};
use crate::status::QueryState;

/// Statements that answer once count in the `zone` that was set before them.
pub(super) async fn execute(
    inner: &Arc<Inner>,
    parsed: Parsed,
    zone: &mut String,
) -> Result<Answer, SqlError> {
    let Parsed { text, statement } = parsed;
    match statement {
        Statement::SetTimeZone(name) => {
            *zone = name;
            return Ok(Answer::message(format!("the time zone is {zone}")));
        }
        Statement::Select(select) => return inner.select(&select, zone).await,
        Statement::Show(show) => return Ok(inner.show(show)),
        Statement::ShowVersions(name) => return inner.show_versions(&name),
        Statement::Describe(name) => return inner.describe(&name),
        Statement::Explain(explain) => return inner.explain(explain, zone).await,
        Statement::Insert(insert) => return inner.insert(&insert, zone).await,
        Statement::ExportModel(export) => return inner.export_to_file(&export),
        Statement::ImportModel(import) => return inner.import_from_file(&import).await,
        _ => {}
    }
    if zone != UTC && keeps_a_query(&statement) {
        let reason = "would go on in UTC, as every query that stays; SET TIME ZONE 'UTC' before it";
        return Err(SqlError::invalid("the query", reason));
    }
    let _permit = inner.changing.acquire().await.map_err(|_| SqlError::Closed)?;
    match statement {
        Statement::CreateTable(create) => inner.create_table(create, text).await,
        Statement::CreateView(create) => inner.create_view(create, text).await,
        Statement::CreateFlow(create) => inner.create_flow(create, text).await,
        Statement::DropFlow(drop) => inner.drop_object(drop, "flow").await,
        Statement::CreateModel(create) => inner.create_model(create, text).await,
        Statement::CreateContest(create) => inner.create_contest(create, text).await,
        Statement::CreateNetwork(create) => inner.create_network(create, text).await,
        Statement::AlterModel(alter) => inner.alter_model(alter).await,
        Statement::DropTable(drop) => inner.drop_object(drop, "table").await,
        Statement::DropModel(drop) => inner.drop_object(drop, "model").await,
        Statement::Select(_)
        | Statement::Show(_)
        | Statement::ShowVersions(_)
        | Statement::Describe(_)
        | Statement::Explain(_)
        | Statement::SetTimeZone(_)
        | Statement::ExportModel(_)
        | Statement::ImportModel(_)
        | Statement::Insert(_) => unreachable!("answered above"),
    }
}

fn keeps_a_query(statement: &Statement) -> bool {
    match statement {
        Statement::CreateTable(create) => create.query.is_some(),
        Statement::CreateView(_) | Statement::CreateFlow(_) | Statement::CreateModel(_) => true,
        _ => false,
    }
}

impl Inner {
    async fn select(&self, select: &Select, zone: &str) -> Result<Answer, SqlError> {
        answer(&self.rows(select, self.shared.config.answer_rows_max, zone).await?)
    }

    /// Runs the query once.
    pub(super) async fn rows(
        &self,
        select: &Select,
        rows_max: usize,
        zone: &str,
    ) -> Result<BoundedRows, SqlError> {
        self.planned(select, &self.catalog(), zone).await?.run(rows_max).await
    }

    /// Plans the query over what there is now.
    pub(super) async fn planned(
        &self,
        select: &Select,
        catalog: &Catalog,
        zone: &str,
    ) -> Result<Planned, SqlError> {
        for stream in select.streams() {
            catalog.table(&stream.table)?;
        }
        let tables =
            catalog.tables().map(AsRef::as_ref).filter(|table: &&Table| select.mentions(&table.name));
        let tables: Vec<(&Table, Input)> = tables
            .map(|table| {
                check_readable(table)?;
                let input = match self.shared.memory_of(table) {
                    Some(memory) => Input::Memory(memory),
                    None => Input::Source(self.shared.source_once(table)?),
                };
                Ok((table, input))
            })
            .collect::<Result<_, SqlError>>()?;
        let networks = catalog.networks();
        let known = Known { networks: &networks, models: &self.shared.registry, zone };
        let (now_ms, bytes_max) = (self.shared.env.clock.now_ms(), self.shared.config.state_bytes_max);
        bounded::plan(select, &tables, known, now_ms, bytes_max).await
    }

    fn show(&self, show: Show) -> Answer {
        let catalog = self.catalog();
        match show {
            Show::Tables => {
                let row = |table: &Arc<Table>| {
                    let query = table.query.as_ref().map(QueryDef::source_names);
                    vec![table.name.clone(), table.options.log(), query.unwrap_or_default()]
                };
                Answer::strings(&["name", "topic", "reads"], catalog.tables().map(row).collect())
            }
            Show::Models => {
                let models = catalog.objects().filter_map(|object| self.model_status(object));
                let row = |model: crate::status::ModelStatus| {
                    let (version, rows) = (model.version.to_string(), model.rows_learned.to_string());
                    vec![model.name, model.algorithm, version, rows]
                };
                Answer::strings(&["name", "algorithm", "version", "rows_learned"], models.map(row).collect())
            }
            Show::Queries => {
                let queries = super::lock(&self.running);
                let rows = queries.values().map(|query| {
                    let status = query.progress.status();
                    let state = match status.state {
                        QueryState::Running => "running",
                        QueryState::Failed => "failed",
                        QueryState::Stopped => "stopped",
                    };
                    let numbers = [status.batch_id, status.rows_total, status.dead_letters.count];
                    let mut row = vec![status.name, state.to_owned()];
                    row.extend(numbers.map(|number| number.to_string()));
                    row.push(status.error.unwrap_or_default());
                    row
                });
                let names = ["name", "state", "batch", "rows", "dead_letters", "error"];
                Answer::strings(&names, rows.collect())
            }
        }
    }

    fn show_versions(&self, name: &str) -> Result<Answer, SqlError> {
        let entry = self.shared.registry.known(name)?;
        let serving = entry.serving().map(|version| version.number);
        let row = |version: crate::status::ModelVersion| {
            let time = crate::session::render::time(version.committed_ms);
            let answers = if Some(version.version) == serving { "yes" } else { "" };
            let recent = version.recent.map_or(String::new(), |recent| format!("{recent:.4}"));
            vec![
                version.version.to_string(),
                time,
                version.rows_learned.to_string(),
                recent,
                answers.to_owned(),
            ]
        };
        let names = ["version", "committed", "rows_learned", "recent", "answers"];
        Ok(Answer::strings(&names, entry.history().into_iter().map(row).collect()))
    }

    fn describe(&self, name: &str) -> Result<Answer, SqlError> {
        let catalog = self.catalog();
        match catalog.get(name) {
            Some(Object::Table(table)) => Ok(describe_columns(&table.columns)),
            Some(object) => {
                let status = self.model_status(object);
                let status = status.and_then(|status| serde_json::to_value(status).ok());
                let fields = status.as_ref().and_then(serde_json::Value::as_object);
                let text = |value: &serde_json::Value| match value {
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let rows = fields.into_iter().flatten().map(|(name, value)| vec![name.clone(), text(value)]);
                Ok(Answer::strings(&["property", "value"], rows.collect()))
            }
            None => {
                let known = catalog.objects().map(|object| object.name().to_owned()).collect();
                let known = crate::session::catalog::known_names(known);
                Err(SqlError::Unknown { what: "table or model", name: name.to_owned(), known })
            }
        }
    }
}
