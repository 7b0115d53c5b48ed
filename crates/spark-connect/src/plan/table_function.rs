//! Table functions of Python, and joins with what a table makes of each row.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::functions_aggregate::expr_fn::array_agg;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, SortExpr, lit};

use crate::error::{Class, Result, SparkError};
use crate::expression::{Generator, Named};
use crate::plan::frame::{Frame, column};
use crate::plan::{Planner, whole};
use crate::python::{Analyzed, Argument, Call, Function, Ordered, Table, analyze, code, each_once};
use crate::schema::message;
use crate::wire::expression::{ExprType, Expression, SubqueryExpression};
use crate::wire::function::TableFunction;

/// What the kind of a subquery is that stands for a table among arguments.
pub(crate) const TABLE_ARG: i32 = 3;

/// The table among the arguments of a call.
struct Given {
    place: usize,
    frame: Frame,
    /// What the function gets of a row.
    columns: Vec<Named>,
    partition: Vec<Named>,
    order: Vec<SortExpr>,
    /// The call says how the table is divided.
    divided: bool,
}

impl Planner<'_> {
    /// The rows with what a table function makes of each. They come last.
    pub(crate) async fn beside_each(
        &mut self,
        left: Frame,
        call: &TableFunction,
        outer: bool,
    ) -> Result<Frame> {
        let (names, arguments) = split(&call.arguments)?;
        each_once(&call.function_name, &names)?;
        let mut given = self.given(&arguments)?;
        let mut scalars = Vec::with_capacity(arguments.len());
        for (place, argument) in arguments.iter().enumerate() {
            let is_table = given.as_ref().is_some_and(|given| given.place == place);
            scalars.push(if is_table { None } else { Some(self.resolver(&left).named(argument)?.expr) });
        }
        let declared = code(call)?.return_type.as_deref().map(message::read).transpose()?;
        let (output, analyzed) = match declared {
            Some(output) => (output, None),
            None => {
                let analyzed = self.analyzed(call, &left, &names, &scalars, given.as_ref()).await?;
                let output = crate::schema::json::read(&analyzed.schema)?;
                if let Some(given) = &mut given {
                    self.arranged(given, &analyzed)?;
                }
                (output, Some(analyzed.analyzed))
            }
        };
        let DataType::Struct(fields) = output else {
            let text = format!("The return type of the table function {} is no struct.", call.function_name);
            return Err(SparkError::invalid(text));
        };
        let told = code(call)?.return_type.as_deref().map(crate::schema::json::declared).transpose()?;
        let declared = told.map(|told| told.to_string());
        let table = Table { analyzed, outer, declared, ..Table::default() };
        match given {
            Some(_) if !left.columns.is_empty() => {
                Err(SparkError::unsupported("a table as an argument of a lateral table function"))
            }
            Some(given) => self.made_of_table(call, (names, scalars, fields, table), given),
            None => {
                let function = Function::of_table(call, names, fields, table)?;
                let list =
                    Call::table(function.clone(), scalars.into_iter().flatten().collect(), &self.python);
                self.unnested(left, list, &function)
            }
        }
    }

    /// The table among the arguments, if there is one.
    fn given(&mut self, arguments: &[Expression]) -> Result<Option<Given>> {
        let mut tables =
            arguments.iter().enumerate().filter_map(|(place, argument)| match &argument.expr_type {
                Some(ExprType::SubqueryExpression(table)) if table.subquery_type == TABLE_ARG => {
                    Some((place, table))
                }
                _ => None,
            });
        let Some((place, table)) = tables.next() else { return Ok(None) };
        let others = tables.count();
        if others > 0 {
            let text = format!(
                "There are too many table arguments for table-valued function. It allows one table argument, but got: {}.",
                others + 1
            );
            let condition = "TABLE_VALUED_FUNCTION_TOO_MANY_TABLE_ARGUMENTS";
            return Err(SparkError::new(Class::Analysis, condition, "54023", text));
        }
        self.divided(place, table).map(Some)
    }

    fn divided(&mut self, place: usize, table: &SubqueryExpression) -> Result<Given> {
        let nothing = self.nothing()?;
        let frame = self.resolver(&nothing).frame(table.plan_id)?.clone();
        let options = table.table_arg_options.clone().unwrap_or_default();
        let resolver = self.resolver(&frame);
        let partition = resolver.list(&options.partition_spec)?;
        let order = options.order_spec.iter().map(|order| resolver.order(order)).collect::<Result<_>>()?;
        let columns = frame.columns.iter().map(whole).collect();
        let divided = !partition.is_empty() || options.with_single_partition.unwrap_or(false);
        Ok(Given { place, columns, partition, order, divided, frame })
    }

    /// What the function's `analyze` says of the call.
    async fn analyzed(
        &mut self,
        call: &TableFunction,
        left: &Frame,
        names: &[Option<String>],
        scalars: &[Option<Expr>],
        given: Option<&Given>,
    ) -> Result<Analyzed> {
        let mut arguments = Vec::with_capacity(scalars.len());
        let mut constants = Vec::new();
        for (place, scalar) in scalars.iter().enumerate() {
            let data_type = match (scalar, given) {
                (Some(expr), _) => crate::schema::canonical(&self.resolver(left).type_of(expr)?),
                (None, Some(given)) => DataType::Struct(given.frame.schema().fields().clone()),
                (None, None) => DataType::Null,
            };
            if let Some(expr) = scalar
                && expr.column_refs().is_empty()
                && !expr.contains_outer()
                && !expr.is_volatile()
            {
                constants.push(
                    datafusion::prelude::cast(expr.clone(), data_type.clone()).alias(place.to_string()),
                );
            }
            arguments.push(Argument { name: names[place].clone(), data_type, is_table: scalar.is_none() });
        }
        let values = self.constants(constants).await?;
        let (call, run) = (call.clone(), std::sync::Arc::clone(&self.python));
        let asked = tokio::task::spawn_blocking(move || analyze(&call, &arguments, &values, &run));
        asked.await.map_err(|error| SparkError::internal(error.to_string()))?
    }

    /// The values of these, as a row.
    async fn constants(&self, exprs: Vec<Expr>) -> Result<RecordBatch> {
        if exprs.is_empty() {
            let options = datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(1));
            let schema = std::sync::Arc::new(datafusion::arrow::datatypes::Schema::empty());
            let row = RecordBatch::try_new_with_options(schema, Vec::new(), &options);
            return row.map_err(|error| SparkError::internal(error.to_string()));
        }
        let plan = LogicalPlanBuilder::empty(true).project(exprs)?.build()?;
        let mut rows = self.session.engine.dataframes(&self.session.zone()).run(plan).await?;
        let row = rows.next().await.ok_or_else(|| SparkError::internal("constants have no row"))?;
        Ok(row?)
    }

    /// The table as `analyze` wants it.
    fn arranged(&mut self, given: &mut Given, analyzed: &Analyzed) -> Result<()> {
        let wants = analyzed.single || !analyzed.partition.is_empty();
        if wants && given.divided {
            let text = "The table-valued function requires a partitioning of its own, but the call says another one.";
            let condition = "TABLE_VALUED_FUNCTION_REQUIRED_METADATA_INCOMPATIBLE_WITH_CALL";
            return Err(SparkError::new(Class::Analysis, condition, "22023", text));
        }
        let resolver = self.resolver(&given.frame);
        let named = |text: &str| resolver.named(&crate::sql::expression(text)?);
        for name in &analyzed.partition {
            given.partition.push(named(name)?);
        }
        for Ordered { name, ascending, nulls } in &analyzed.order {
            let nulls_first = if *nulls == 0 { *ascending } else { *nulls == 1 };
            given.order.push(named(name)?.expr.sort(*ascending, nulls_first));
        }
        if !analyzed.select.is_empty() {
            let chosen = analyzed.select.iter().map(|one| {
                let found = named(&one.name)?;
                let alias = Some(one.alias.clone()).filter(|alias| !alias.is_empty());
                Ok(Named { column: alias.or_else(|| found.column.clone()), ..found })
            });
            given.columns = chosen.collect::<Result<_>>()?;
        }
        Ok(())
    }

    /// What the function makes of the table: a list of structs for each partition, whose last fields say which it is.
    fn made_of_table(
        &mut self,
        call: &TableFunction,
        (names, scalars, fields, mut table): (Vec<Option<String>>, Vec<Option<Expr>>, Fields, Table),
        given: Given,
    ) -> Result<Frame> {
        let before = given.columns.len();
        let mut parts = Vec::new();
        for named in &given.columns {
            parts.extend([lit(named.column_name()), self.settled(&given.frame, named.expr.clone())?]);
        }
        let mut groups = Vec::new();
        for (at, key) in given.partition.iter().enumerate() {
            parts.extend([lit(format!("partition_by_{at}")), self.settled(&given.frame, key.expr.clone())?]);
            groups.push(key.expr.clone().alias(self.new_id()));
        }
        table.place = Some(given.place);
        table.partition = (before..before + groups.len()).collect();
        let rows = array_agg(named_struct(parts));
        let rows = if given.order.is_empty() { rows } else { rows.order_by(given.order).build()? };
        let id = self.new_id();
        let plan =
            LogicalPlanBuilder::from(given.frame.plan).aggregate(groups, [rows.alias(&id)])?.build()?;
        let arguments = scalars.into_iter().map(|scalar| scalar.unwrap_or_else(|| column(&id))).collect();
        let function = Function::of_table(call, names, fields, table)?;
        let list = Call::table(function.clone(), arguments, &self.python);
        self.unnested(Frame { plan, columns: Vec::new() }, list, &function)
    }

    /// The rows with those in the list beside each.
    fn unnested(&mut self, left: Frame, list: Expr, function: &Function) -> Result<Frame> {
        let DataType::Struct(fields) = &function.output else {
            return Err(SparkError::internal("a table function makes structs"));
        };
        let outer = function.table.as_ref().is_some_and(|table| table.outer);
        let fields = fields.iter().map(|field| (field.name().clone(), Some(field.name().clone()))).collect();
        self.each_with(left, &Generator { list, places: None, outer, fields })
    }

    /// The rows with what a generator makes of each. It comes last.
    pub(crate) fn each_with(&mut self, left: Frame, generator: &Generator) -> Result<Frame> {
        let (frame, made) = self.unnest(left, generator)?;
        let mut outputs: Vec<Named> = frame.columns.iter().map(whole).collect();
        outputs.extend(made.into_iter().map(|(name, expr)| Named::new(expr, name)));
        self.projected(frame, outputs)
    }
}

/// The arguments' names and values.
fn split(arguments: &[Expression]) -> Result<(Vec<Option<String>>, Vec<Expression>)> {
    let mut names = Vec::with_capacity(arguments.len());
    let mut values = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match &argument.expr_type {
            Some(ExprType::NamedArgumentExpression(named)) => {
                names.push(Some(named.key.clone()));
                let value = named.value.as_deref().ok_or_else(|| SparkError::missing("value"))?;
                values.push(Expression::clone(value));
            }
            _ => {
                names.push(None);
                values.push(argument.clone());
            }
        }
    }
    Ok((names, values))
}
