//! Variables of a session, and texts that are carried out.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::ScalarValue;

use crate::error::{Class, Result, SparkError};
use crate::plan::{Planner, limited};
use crate::schema::parse_type;
use crate::service::execute::collected;
use crate::session::{Session, Variable};
use crate::sql::{Declare, Execute, Query, SetVariables};
use crate::wire::expression::Expression;

/// The only row of a query; NULLs if it has none.
async fn row(session: &Arc<Session>, query: &Query) -> Result<Vec<ScalarValue>> {
    let mut planner = Planner::new(session);
    let frame = planner.query(query).await?;
    let types: Vec<_> = frame.columns.iter().map(|column| frame.data_type(column)).collect();
    let batches = collected(planner, limited(frame, 0, Some(2))?).await?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if rows > 1 {
        let text = "More than one row returned by a subquery used as a row.";
        return Err(SparkError::new(Class::Spark, "ROW_SUBQUERY_TOO_MANY_ROWS", "21000", text));
    }
    match batches.iter().find(|batch| batch.num_rows() > 0) {
        Some(batch) => {
            batch.columns().iter().map(|column| Ok(ScalarValue::try_from_array(column, 0)?)).collect()
        }
        None => types.iter().map(|found| Ok(ScalarValue::try_from(found)?)).collect(),
    }
}

async fn value(session: &Arc<Session>, query: &Query) -> Result<ScalarValue> {
    let mut row = row(session, query).await?;
    match row.len() {
        1 => Ok(row.remove(0)),
        several => Err(arity(several, 1)),
    }
}

fn arity(given: usize, wanted: usize) -> SparkError {
    let text = format!("The query gives {given} values for {wanted} variables.");
    SparkError::new(Class::Analysis, "ASSIGNMENT_ARITY_MISMATCH", "42802", text)
}

/// `DECLARE VARIABLE`.
pub(crate) async fn declare(session: &Arc<Session>, declare: &Declare) -> Result<()> {
    for name in &declare.names {
        if !declare.replace && session.variable(name).is_some() {
            let text = format!(
                "Cannot create the variable `system`.`session`.`{name}` because it already exists. Choose a different \
                 name, or drop or replace the existing variable."
            );
            let error = SparkError::new(Class::Analysis, "VARIABLE_ALREADY_EXISTS", "42723", text);
            return Err(error.with("variableName", format!("`system`.`session`.`{name}`")));
        }
        let first = match (&declare.value, &declare.data_type) {
            (Some(query), _) => value(session, query).await?,
            (None, Some(data_type)) => ScalarValue::try_from(&parse_type(data_type)?)?,
            (None, None) => ScalarValue::Null,
        };
        session.set_variable(name, Variable { value: first.clone(), first });
    }
    Ok(())
}

/// `SET VAR`.
pub(crate) async fn set(session: &Arc<Session>, set: &SetVariables) -> Result<()> {
    let mut made = Vec::new();
    for (names, query) in &set.sets {
        let known = names
            .iter()
            .map(|name| session.variable(name).ok_or_else(|| crate::sql::unresolved_variable(name)));
        let known = known.collect::<Result<Vec<Variable>>>()?;
        let values = match query {
            Some(query) => row(session, query).await?,
            None => known.iter().map(|variable| variable.first.clone()).collect(),
        };
        if values.len() != names.len() {
            return Err(arity(values.len(), names.len()));
        }
        for ((name, variable), value) in names.iter().zip(known).zip(values) {
            if made.iter().any(|(other, _): &(String, Variable)| other == name) {
                let text = format!(
                    "Multiple assignments for the same column or variable `system`.`session`.`{name}` are not allowed."
                );
                return Err(SparkError::new(Class::Analysis, "DUPLICATE_ASSIGNMENTS", "42701", text));
            }
            let value = value.cast_to(&variable.first.data_type())?;
            made.push((name.clone(), Variable { value, ..variable }));
        }
    }
    for (name, variable) in made {
        session.set_variable(&name, variable);
    }
    Ok(())
}

/// The text of an `EXECUTE IMMEDIATE`, and what its marks stand for.
pub(crate) async fn text(
    session: &Arc<Session>,
    execute: &Execute,
) -> Result<(String, BTreeMap<String, Expression>, Vec<Expression>)> {
    let text = value(session, &execute.text).await?;
    let Some(text) = text.try_as_str().flatten().map(str::to_owned) else {
        let shown = "EXECUTE IMMEDIATE requires a non-null text.";
        return Err(SparkError::new(Class::Analysis, "NULL_QUERY_STRING_EXECUTE_IMMEDIATE", "22004", shown));
    };
    let (mut named, mut placed) = (BTreeMap::new(), Vec::new());
    for (name, query) in &execute.using {
        let value = crate::expression::literal::message(&value(session, query).await?)?;
        match name {
            Some(name) if named.contains_key(name) => {
                let condition = "EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES";
                let shown =
                    format!("The USING clause of this EXECUTE IMMEDIATE contains the alias `{name}` twice.");
                return Err(SparkError::new(Class::Analysis, condition, "42701", shown));
            }
            Some(name) => drop(named.insert(name.clone(), value)),
            None => placed.push(value),
        }
    }
    if !named.is_empty() && !placed.is_empty() {
        let condition = if text.contains('?') {
            "INVALID_QUERY_MIXED_QUERY_PARAMETERS"
        } else {
            "ALL_PARAMETERS_MUST_BE_NAMED"
        };
        let shown = "A parameterized query has either named parameters or places for them, not both.";
        return Err(SparkError::new(Class::Analysis, condition, "42613", shown));
    }
    Ok((text, named, placed))
}

/// Puts the only row of a query into variables.
pub(crate) async fn keep(session: &Arc<Session>, names: &[String], query: Query) -> Result<()> {
    set(session, &SetVariables { sets: vec![(names.to_vec(), Some(query))] }).await
}
