//! `writeStream.format("model")`: a query whose rows a model of the engine learns.
//!
//! The model is an object of the catalog like one that SQL makes: it stays when the query ends, and learns on from what
//! the next one brings. Rows get to it through a table of its own, over a topic, each once.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use engine::dataframe::type_name;
use engine::{QueryKind, QueryState, QueryStatus};

use crate::error::{Class, Result, SparkError};
use crate::service::tables::{quoted, text};
use crate::session::Session;
use crate::streaming::Query;

/// A model that is to learn.
pub(crate) struct Lesson {
    pub(crate) model: String,
    /// As after `OPTIONS` of `CREATE MODEL`.
    options: BTreeMap<String, String>,
}

impl Lesson {
    /// What the options say: the model's name is the table's, the path's, or the query's.
    pub(super) fn new(names: [Option<&str>; 3], mut options: BTreeMap<String, String>) -> Result<Self> {
        options.retain(|name, _| !name.eq_ignore_ascii_case("path"));
        let name = names.into_iter().flatten().find(|name| !name.is_empty());
        let missing = || {
            SparkError::argument(
                "A model has a name: toTable(\"name\"), start(\"name\") or queryName(\"name\").",
            )
        };
        let name = name.ok_or_else(missing)?;
        if !options.keys().any(|name| ["algorithm", "model_type"].contains(&name.to_lowercase().as_str())) {
            return Err(SparkError::argument(
                "A model learns by an algorithm: option(\"algorithm\", \"...\").",
            ));
        }
        Ok(Lesson { model: name.to_owned(), options })
    }

    /// The table that its rows go through.
    pub(crate) fn table(&self) -> String {
        format!("{}_rows", self.model)
    }

    /// Makes the model if there is none.
    ///
    /// # Errors
    /// There is one that learns from something else, or in another way.
    pub(crate) async fn prepare(&self, session: &Arc<Session>, columns: &Schema) -> Result<()> {
        let known =
            session.engine.models().into_iter().find(|known| known.name.eq_ignore_ascii_case(&self.model));
        let Some(known) = known else { return self.create(session, columns).await };
        let refused = |reason: &str| {
            let text = format!("model {} {reason}; name another one, or DROP MODEL {0}", self.model);
            Err(SparkError::argument(text))
        };
        if !session.engine.has_table(&self.table()) {
            return refused("is there already and learns from something else");
        }
        for (name, value) in &self.options {
            let name = name.to_lowercase();
            let is = match name.as_str() {
                "algorithm" | "model_type" => Some(&known.algorithm),
                "label" | "input_label_cols" => known.label.as_ref(),
                other => known.options.get(other),
            };
            if is.is_none_or(|is| !is.eq_ignore_ascii_case(value)) {
                return refused(&format!("is there already, with another {name}"));
            }
        }
        Ok(())
    }

    async fn create(&self, session: &Arc<Session>, columns: &Schema) -> Result<()> {
        let (model, table) = (quoted(&self.model), quoted(&self.table()));
        let fields = columns.fields().iter();
        let typed =
            fields.clone().map(|field| format!("{} {}", quoted(field.name()), type_name(field.data_type())));
        let typed = typed.collect::<Vec<_>>().join(", ");
        let names = fields.map(|field| quoted(field.name())).collect::<Vec<_>>().join(", ");
        // Rows of a model of this name that is gone lie in another topic.
        let topic = text(&format!("{}-{}", self.table(), session.new_id()));
        let table_made = format!(
            "CREATE OR REPLACE STREAMING TABLE {table} ({typed}) USING kafka OPTIONS (topic {topic}, format 'json')"
        );
        session.engine.execute(&table_made).await?;
        let option = |(name, value): (&String, &String)| format!("{name} {}", text(value));
        let options = self.options.iter().map(option).collect::<Vec<_>>().join(", ");
        let made = format!("CREATE MODEL {model} OPTIONS ({options}) AS SELECT {names} FROM STREAM {table}");
        if let Err(error) = session.engine.execute(&made).await {
            session.engine.execute(&format!("DROP TABLE IF EXISTS {table}")).await?;
            return Err(error.into());
        }
        Ok(())
    }
}

/// Waits until a query's model has learned what was written for it.
///
/// # Errors
/// The model does not learn any more.
pub(crate) async fn learned(session: &Session, query: &Query) -> Result<()> {
    let Some(model) = &query.learns else { return Ok(()) };
    let mut changed = session.engine.watch();
    loop {
        let is =
            |status: &QueryStatus| status.kind == QueryKind::Learn && status.name.eq_ignore_ascii_case(model);
        let Some(status) = session.engine.queries().into_iter().find(is) else { return Ok(()) };
        if status.state != QueryState::Running {
            let reason = status.error.unwrap_or_else(|| "it was stopped".to_owned());
            let text = format!("model {model} does not learn any more: {reason}");
            return Err(SparkError::new(Class::StreamingQuery, "STREAM_FAILED", "XXKST", text));
        }
        let mut places = status.source.values().flat_map(BTreeMap::values);
        if places.all(|place| place.offset >= place.end) || changed.changed().await.is_err() {
            return Ok(());
        }
    }
}
