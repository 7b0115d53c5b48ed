//! Flows: queries that write a table which is there already, several of them into one if need be.

use std::sync::Arc;

use datafusion::arrow::datatypes::FieldRef;

use crate::answer::Answer;
use crate::error::SqlError;
use crate::plan::compile::Compiled;
use crate::session::Inner;
use crate::session::catalog::{Catalog, FlowDef, Object, QueryDef};
use crate::session::create::{Place, check_models, place};
use crate::session::fit::check_names;
use crate::session::insert::check_takes_rows;
use crate::session::sinks::check_streamable;
use crate::session::start::Definition;
use crate::sink::aligned::Alignment;
use crate::sql::statement::CreateFlow;

impl Inner {
    pub(super) async fn create_flow(&self, create: CreateFlow, sql: String) -> Result<Answer, SqlError> {
        let catalog = self.catalog();
        let replaced = match place(&catalog, &create.name, create.if_exists, "flow")? {
            Place::Free => None,
            Place::Kept(answer) => return Ok(answer),
            Place::Taken(object) => Some(object),
        };
        let flow = flow(create, catalog.next_id, sql, &catalog)?;
        let definition = Definition::of_flow(&flow);
        let planned = self.shared.plan(definition, &flow.query, &catalog.networks()).await?;
        check_models(&self.shared.registry, &planned)?;
        self.shared.source_topics(flow.query.reads_of())?;
        self.shared.prepare(&flow.target.options)?;
        self.shared.prepare_outside(&flow.target.options).await?;
        let (journal, recovered) = self.begin(definition, &[]).await?;
        let running = self.shared.assemble(definition, planned, journal, recovered, None)?;
        let (from, into) = (flow.query.source_names(), &flow.target.name);
        let message = format!("flow {} writes {into} from {from}", flow.name);
        self.change(replaced.as_ref(), Object::Flow(Arc::new(flow))).await?;
        self.run(running);
        Ok(Answer::message(message))
    }
}

/// What the statement means among these objects.
pub(super) fn flow(create: CreateFlow, id: u64, sql: String, catalog: &Catalog) -> Result<FlowDef, SqlError> {
    let target = Arc::clone(catalog.table(&create.insert.table)?);
    check_takes_rows(&target)?;
    let query = QueryDef::over(create.insert.query, catalog)?;
    query.sources.iter().chain(&query.tables).try_for_each(|table| check_streamable(table))?;
    if query.sources.iter().chain(&query.tables).any(|table| table.options.reads(&target.options)) {
        return Err(SqlError::invalid(create.name, "the flow would read what it writes"));
    }
    Ok(FlowDef { name: create.name, id, sql, target, columns: create.insert.columns, query })
}

impl FlowDef {
    /// Which of its columns goes where.
    pub(super) fn alignment(&self, compiled: &Compiled) -> Result<Alignment, SqlError> {
        check_names(compiled)?;
        let columns: &[FieldRef] = &self.target.columns;
        Alignment::new((&self.target.name, columns), &self.columns, &compiled.output)
    }
}
