//! `EXPLAIN`: how a query would run.

use datafusion::physical_plan::displayable;

use crate::answer::{Answer, Column};
use crate::error::SqlError;
use crate::plan::compile::compile;
use crate::plan::resolve::Known;
use crate::session::Inner;
use crate::session::catalog::QueryDef;
use crate::sql::sink_options::mode_of;
use crate::sql::statement::Explain;
use crate::sql::types::UTC;

impl Inner {
    /// One row with the plan as text, as Spark answers.
    pub(super) async fn explain(&self, explain: Explain, zone: &str) -> Result<Answer, SqlError> {
        let catalog = self.catalog();
        let text = if explain.query.streams().is_empty() {
            let planned = self.planned(&explain.query, &catalog, zone).await?;
            text_of(&planned.logical, planned.physical.as_ref(), explain.extended)
        } else {
            let output = explain.options.as_ref().map(mode_of).transpose()?.flatten();
            let query = QueryDef::over(explain.query, &catalog)?;
            let networks = catalog.networks();
            let known = Known { networks: &networks, models: &self.shared.registry, zone: UTC };
            let compiled = compile(&query, known, &self.shared.pipeline_config(0, output)).await?;
            let mut text = text_of(&compiled.logical, compiled.physical.as_ref(), explain.extended);
            text += "\n== Streaming ==\n";
            for (table, input) in query.sources.iter().zip(&compiled.inputs) {
                text += &format!("reads {} in batches", table.name);
                if let Some((column, delay_us)) = input.watermark {
                    let column = input.schema.field(column).name();
                    text += &format!(", watermark of {column} {} ms behind", delay_us / 1_000);
                }
                text += "\n";
            }
            let mode = if compiled.pipeline.is_stateful() { "remembers groups" } else { "remembers nothing" };
            text + mode + " between batches\n"
        };
        let columns = vec![Column { name: "plan".to_owned(), type_name: "STRING".to_owned() }];
        Ok(Answer { columns, rows: vec![vec![text.into()]], message: None })
    }
}

fn text_of(
    logical: &datafusion::logical_expr::LogicalPlan,
    physical: &dyn datafusion::physical_plan::ExecutionPlan,
    extended: bool,
) -> String {
    let mut text = String::new();
    if extended {
        text += &format!("== Logical Plan ==\n{}\n\n", logical.display_indent());
    }
    text + &format!("== Physical Plan ==\n{}", displayable(physical).indent(false))
}
