//! Commands: what a plan may do instead of being a DataFrame.

use std::io::Cursor;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::arrow::json::ReaderBuilder;
use engine::Answer;

use crate::database::{GLOBAL, TableName, view_keys};
use crate::error::{Class, Result, SparkError};
use crate::expression::name_parts;
use crate::operation::Operation;
use crate::plan::frame::Stored;
use crate::plan::{Planner, local_relation};
use crate::python::Function;
use crate::schema::parse_type;
use crate::service::{databases, describe, streaming, tables, variables, write};
use crate::session::Session;
use crate::sql::{self, Arguments};
use crate::wire::command::{Command, CommandType, CreateDataFrameViewCommand, SqlCommand};
use crate::wire::execute::{
    CheckpointCommandResult, CreateResourceProfileCommandResult, ResponseType, SqlCommandResult,
};
use crate::wire::local::CachedRemoteRelation;
use crate::wire::relation::{RelType, Relation, Sql};
use crate::wire::statistics::Catalog;

/// Does what the command says.
pub(crate) async fn run(session: &Arc<Session>, operation: &Operation, command: Command) -> Result<()> {
    let kind = command.command_type.ok_or_else(|| SparkError::missing("command_type"))?;
    match kind {
        CommandType::SqlCommand(command) => {
            let relation = statement(session, command).await?;
            let result = SqlCommandResult { relation: Some(Box::new(relation)) };
            operation.tell(session, ResponseType::SqlCommandResult(result)).await;
            Ok(())
        }
        CommandType::CreateDataframeView(view) => create_view(session, view).await,
        CommandType::CheckpointCommand(command) => {
            let relation = command.relation.ok_or_else(|| SparkError::missing("relation"))?;
            let stored = Stored::Relation { relation: Arc::new(*relation), views: session.views() };
            let relation = Some(CachedRemoteRelation { relation_id: session.hold(stored) });
            let result = CheckpointCommandResult { relation };
            operation.tell(session, ResponseType::CheckpointCommandResult(result)).await;
            Ok(())
        }
        CommandType::RemoveCachedRemoteRelationCommand(command) => {
            if let Some(relation) = command.relation {
                session.let_go(&relation.relation_id);
            }
            Ok(())
        }
        // Sent when a script ends: there is no cache of models to clear.
        CommandType::MlCommand(_) => Ok(()),
        CommandType::RegisterFunction(function) => {
            Function::read(&function)?.makes()?;
            session.register(function);
            Ok(())
        }
        CommandType::RegisterTableFunction(function) => {
            session.register_table(function);
            Ok(())
        }
        CommandType::RegisterDataSource(source) => session.register_source(source),
        CommandType::CreateResourceProfileCommand(command) => {
            let tasks = command.profile.unwrap_or_default().task_resources;
            let profile_id = session.add_profile(tasks.get("cpus").map_or(1, |cpus| whole(cpus.amount)))?;
            let result = CreateResourceProfileCommandResult { profile_id };
            operation.tell(session, ResponseType::CreateResourceProfileCommandResult(result)).await;
            Ok(())
        }
        CommandType::WriteStreamOperationStart(start) => streaming::start(session, operation, start).await,
        CommandType::StreamingQueryCommand(command) => streaming::query(session, operation, command).await,
        CommandType::StreamingQueryManagerCommand(command) => {
            streaming::manager(session, operation, command).await
        }
        CommandType::StreamingQueryListenerBusCommand(command) => {
            streaming::listeners(session, operation, command).await
        }
        CommandType::WriteOperation(operation) => write::write(session, operation).await,
        CommandType::WriteOperationV2(operation) => write::write_to(session, operation).await,
        _ => Err(SparkError::unsupported("this command")),
    }
}

/// A number of processors, as PySpark's `TaskContext.cpus()` has it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the nearest number that there is"
)]
fn whole(amount: f64) -> u32 {
    amount as u32
}

async fn create_view(session: &Arc<Session>, view: CreateDataFrameViewCommand) -> Result<()> {
    let relation = view.input.ok_or_else(|| SparkError::missing("input"))?;
    Planner::new(session).relation(&relation).await?;
    // A frame of a stream's batch goes with the batch: what a view needs of it stays with the view.
    let stored = match session.all_held() {
        held if held.is_empty() => Stored::Relation { relation: Arc::new(*relation), views: session.views() },
        held => Stored::Kept { relation: Arc::new(*relation), views: session.views(), held },
    };
    let name = if view.is_global { format!("{GLOBAL}.{}", view.name) } else { view.name };
    session.create_view(&name, stored, view.replace)
}

/// What a view that is not temporary is kept under.
fn kept_as(session: &Session, name: &str) -> Result<String> {
    let table = TableName::read(session, name)?;
    table.place(&session.engine)?;
    Ok(table.key())
}

/// The relation that a statement leaves.
async fn statement(session: &Arc<Session>, command: SqlCommand) -> Result<Relation> {
    let input = match command.input {
        Some(input) => *input,
        None => {
            let sql = Sql { query: command.sql, ..Default::default() };
            Relation { common: None, rel_type: Some(RelType::Sql(Box::new(sql))) }
        }
    };
    let Some(RelType::Sql(text)) = &input.rel_type else {
        Planner::new(session).relation(&input).await?;
        return Ok(input);
    };
    let arguments = Arguments::new(&text.named_arguments, &text.pos_arguments);
    let arguments = arguments.knowing(session.sql_functions());
    match sql::Command::parse(&text.query, &arguments)? {
        sql::Command::Query => {
            Planner::new(session).relation(&input).await?;
            return Ok(input);
        }
        sql::Command::Describe(described, text) => {
            return match describe::describe(session, &described).await? {
                Some(answer) => shown(answer),
                None => asked(session, &text).await,
            };
        }
        sql::Command::Show(shows) => return shown(describe::show(session, &shows).await?),
        sql::Command::Execute(execute) => return carried_out(session, *execute).await,
        sql::Command::Set { key, value } => {
            super::config::check(&key, &value)?;
            session.set(&key, Some(value.clone()));
            return setting(key, value);
        }
        sql::Command::CreateTable(table) => write::create_table(session, *table).await?,
        sql::Command::Insert(insert) => {
            // Streams and topics are the engine's to fill.
            if !write::insert_rows(session, &insert).await? {
                session.engine.execute(&text.query).await?;
            }
        }
        sql::Command::Databases(statement) => {
            return match databases::run(session, *statement).await? {
                Some(answer) => shown(answer),
                None => empty(),
            };
        }
        sql::Command::Engine(text) => return asked(session, &text).await,
        other => by_name(session, other).await?,
    }
    empty()
}

/// What is done to tables and views by name.
async fn by_name(session: &Arc<Session>, command: sql::Command) -> Result<()> {
    match command {
        sql::Command::CreateView { name, temporary, query, replace } => {
            let views = session.views();
            Planner::new(session).query(&query).await?;
            let name = if temporary { name } else { kept_as(session, &name)? };
            session.create_view(&name, Stored::Query { query, views }, replace)?;
        }
        sql::Command::DropView { name, if_exists } => {
            let parts = name_parts(&name)?;
            let mut keys = view_keys(session, &parts).into_iter();
            if !keys.any(|key| session.drop_view(&key)) && !if_exists {
                return Err(SparkError::table(&parts.join("`.`")));
            }
        }
        sql::Command::DropTable { name, if_exists } => {
            let table = TableName::read(session, &name)?;
            match table.is_known(&session.engine) {
                true => tables::forget(session, &table).await?,
                false if if_exists => {}
                false => return Err(table.missing()),
            }
        }
        sql::Command::Upkeep(upkeep) => {
            let asked = Catalog { cat_type: Some(upkeep.deed) };
            match Planner::new(session).catalog(&asked).await {
                Err(error) if upkeep.if_exists && error.condition == "TABLE_OR_VIEW_NOT_FOUND" => {}
                done => drop(done?),
            }
        }
        other => kept(session, other).await?,
    }
    Ok(())
}

/// What the session keeps: variables and functions.
async fn kept(session: &Arc<Session>, command: sql::Command) -> Result<()> {
    match command {
        sql::Command::Declare(declare) => variables::declare(session, &declare).await,
        sql::Command::SetVariables(set) => variables::set(session, &set).await,
        sql::Command::DropVariable { name, if_exists } => {
            if session.drop_variable(&name) || if_exists {
                return Ok(());
            }
            let text = format!("The variable `system`.`session`.`{name}` cannot be found.");
            Err(SparkError::new(Class::Analysis, "VARIABLE_NOT_FOUND", "42883", text))
        }
        sql::Command::CreateFunction(function) => {
            let (name, left) = (function.name.clone(), function.if_not_exists);
            if !session.create_function(*function) || left {
                return Ok(());
            }
            let text = format!(
                "Cannot create the routine `{name}` because it already exists. Choose a different name, drop or replace \
                 the existing routine, or add the IF NOT EXISTS clause to tolerate a pre-existing routine."
            );
            Err(SparkError::new(Class::Analysis, "ROUTINE_ALREADY_EXISTS", "42723", text))
        }
        sql::Command::DropFunction { name, if_exists } => {
            if session.drop_function(&name) || if_exists {
                return Ok(());
            }
            let text = format!("The routine `default`.`{name}` cannot be found.");
            Err(SparkError::new(Class::Analysis, "ROUTINE_NOT_FOUND", "42883", text))
        }
        _ => Err(SparkError::unsupported("this command")),
    }
}

/// What the engine answers.
async fn asked(session: &Arc<Session>, text: &str) -> Result<Relation> {
    let mut answers = session.engine.execute(text).await?;
    match answers.pop() {
        Some(answer) => told(&described(answer)),
        None => empty(),
    }
}

/// `EXECUTE IMMEDIATE`: a text that a value holds.
async fn carried_out(session: &Arc<Session>, execute: sql::Execute) -> Result<Relation> {
    let (query, named_arguments, pos_arguments) = variables::text(session, &execute).await?;
    let again = query.trim_start().get(..7).is_some_and(|word| word.eq_ignore_ascii_case("execute"));
    if again {
        let text = "Nested EXECUTE IMMEDIATE commands are not allowed.";
        return Err(SparkError::new(Class::Analysis, "NESTED_EXECUTE_IMMEDIATE", "07501", text));
    }
    if execute.into.is_empty() {
        let sql = Sql { query, named_arguments, pos_arguments, ..Default::default() };
        let input = Relation { common: None, rel_type: Some(RelType::Sql(Box::new(sql))) };
        let command = SqlCommand { input: Some(Box::new(input)), ..Default::default() };
        return Box::pin(statement(session, command)).await;
    }
    let arguments = Arguments::new(&named_arguments, &pos_arguments).knowing(session.sql_functions());
    variables::keep(session, &execute.into, sql::query(&query, &arguments)?).await?;
    empty()
}

pub(crate) fn shown(answer: describe::Told) -> Result<Relation> {
    let column =
        |(name, kind): (&str, &str)| engine::Column { name: name.to_owned(), type_name: kind.to_owned() };
    let columns = answer.columns.into_iter().map(column).collect();
    told(&Answer { columns, rows: answer.rows, message: None })
}

/// `DESCRIBE` has a third column in Spark: what was said about a column.
fn described(mut answer: Answer) -> Answer {
    let names: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
    if names == ["col_name", "data_type"] {
        answer.columns.push(engine::Column { name: "comment".to_owned(), type_name: "STRING".to_owned() });
        answer.rows.iter_mut().for_each(|row| row.push(serde_json::Value::Null));
    }
    answer
}

/// A setting, as `SET` tells it.
fn setting(key: String, value: String) -> Result<Relation> {
    let column = |name: &str| engine::Column { name: name.to_owned(), type_name: "STRING".to_owned() };
    let columns = vec![column("key"), column("value")];
    told(&Answer { columns, rows: vec![vec![key.into(), value.into()]], message: None })
}

/// An answer of the engine as rows.
fn told(answer: &Answer) -> Result<Relation> {
    if answer.columns.is_empty() {
        return empty();
    }
    let field = |column: &engine::Column| Ok(Field::new(&column.name, parse_type(&column.type_name)?, true));
    let schema = Arc::new(Schema::new(answer.columns.iter().map(field).collect::<Result<Vec<_>>>()?));
    let mut lines = Vec::new();
    for row in &answer.rows {
        let cells = answer.columns.iter().zip(row).map(|(column, cell)| (column.name.clone(), cell.clone()));
        let object: serde_json::Map<String, serde_json::Value> = cells.collect();
        lines.extend(serde_json::to_vec(&object).map_err(|error| SparkError::internal(error.to_string()))?);
        lines.push(b'\n');
    }
    let wrong = |error: datafusion::arrow::error::ArrowError| SparkError::internal(error.to_string());
    let reader = ReaderBuilder::new(Arc::clone(&schema)).build(Cursor::new(lines)).map_err(wrong)?;
    let batches = reader.collect::<Result<Vec<RecordBatch>, _>>().map_err(wrong)?;
    local_relation(&schema, &batches)
}

fn empty() -> Result<Relation> {
    local_relation(&Arc::new(Schema::empty()), &[])
}
