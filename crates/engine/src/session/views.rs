//! Materialized views: the result of a query, kept current and asked by SQL.
//!
//! Every table that the query names is read as a stream. A result that changes (groups) is kept in memory as a whole
//! and made again from the query's state at each start; one that only grows is a topic of the view's own.

use crate::answer::Answer;
use crate::error::SqlError;
use crate::plan::compile::compile;
use crate::plan::resolve::Known;
use crate::session::catalog::{Catalog, QueryDef, Table};
use crate::session::create::{Place, place, refuse_used};
use crate::session::fit::stored_columns;
use crate::session::{Inner, Shared};
use crate::sql::sink_options::SinkOptions;
use crate::sql::statement::CreateView;
use crate::sql::types::UTC;

impl Inner {
    pub(super) async fn create_view(&self, create: CreateView, sql: String) -> Result<Answer, SqlError> {
        let catalog = self.catalog();
        let replaced = match place(&catalog, &create.name, create.if_exists, "table")? {
            Place::Free => None,
            Place::Kept(answer) => return Ok(answer),
            Place::Taken(object) => Some(object),
        };
        if let Some(object) = &replaced {
            refuse_used(&catalog, object)?;
        }
        let table = self.shared.view(create, catalog.next_id, sql, &catalog).await?;
        self.fill_table(table, replaced.as_ref()).await
    }
}

impl Shared {
    /// The table that a view is.
    pub(super) async fn view(
        &self,
        create: CreateView,
        id: u64,
        sql: String,
        catalog: &Catalog,
    ) -> Result<Table, SqlError> {
        let query = QueryDef::over(create.query.streaming()?, catalog)?;
        let known = Known { networks: &catalog.networks(), models: &self.registry, zone: UTC };
        // Without a mode everything can be compiled that remembers one thing at most.
        let config = self.pipeline_config(id, None);
        let compiled = match compile(&query, known, &config).await {
            Ok(compiled) => compiled,
            // What only complete mode can do, such as ORDER BY: it says itself what is wrong, if anything is.
            Err(SqlError::Unsupported(_)) => {
                let (options, _) = SinkOptions::of_view(None)?;
                compile(&query, known, &self.pipeline_config(id, options.output_mode)).await?
            }
            Err(error) => return Err(error),
        };
        let topic = (!compiled.pipeline.is_stateful()).then(|| format!("{}-view-{id}", create.name));
        let (mut options, sink) = SinkOptions::of_view(topic)?;
        self.settle(&mut options);
        let columns = stored_columns(&compiled);
        Ok(Table { name: create.name, id, sql, options, sink, columns, query: Some(query) })
    }
}
