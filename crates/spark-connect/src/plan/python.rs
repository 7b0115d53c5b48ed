//! Rows made by Python functions: `mapInPandas`, `applyInPandas` and their kin.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::functions_aggregate::expr_fn::array_agg;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::prelude::cast;
use engine::streaming::keyed::{Due, Keyed, KeyedFunction, Timeout};
use engine::streaming::{OutputMode, timed_as};

use crate::error::{Class, Result, SparkError};
use crate::expression::{Generator, Named, row};
use crate::plan::frame::{Column, Frame, column};
use crate::plan::{Planner, input};
use crate::python::{Beginning, Call, Function, Groups, Makes, ProcessorCall, Run, StateCall, StateTimeout};
use crate::schema::parse_schema;
use crate::wire::expression::{Expression, InlineFunction};
use crate::wire::function::{
    ApplyInPandasWithState, CoGroupMap, GroupMap, MapPartitions, TransformWithStateInfo,
};

/// What a function that remembers says of it.
struct Remembers {
    state: String,
    mode: OutputMode,
    timeout: Timeout,
    due: Due,
    /// The column of what it makes that carries the event time.
    time: Option<String>,
}

impl Planner<'_> {
    /// Every batch is a partition to the function.
    pub(crate) async fn map_partitions(&mut self, map: &MapPartitions) -> Result<Frame> {
        let frame = self.relation(input(&map.input, "input")?).await?;
        let mut function = read(map.func.as_ref(), &[Makes::Rows])?.0;
        if let Some(profile) = map.profile_id {
            function.cpus = self.session.cpus(profile)?;
        }
        let columns: Vec<Expr> = frame.columns.iter().map(Column::expr).collect();
        let names = frame.names();
        let call = |run: &_, function| Call::rows(function, columns, names, run);
        let list = call(&self.python, function.clone());
        self.rows_of(Frame { columns: Vec::new(), ..frame }, list, &function)
    }

    pub(crate) async fn group_map(&mut self, map: &GroupMap) -> Result<Frame> {
        if let Some(info) = &map.transform_with_state_info {
            return self.transform_with_state(map, info).await;
        }
        if map.is_map_groups_with_state.is_some() {
            return Err(SparkError::unsupported("mapGroupsWithState"));
        }
        let frame = self.relation(input(&map.input, "input")?).await?;
        let (function, makes) = read(map.func.as_ref(), &[Makes::GroupRows])?;
        let (frame, groups) = self.grouped(frame, &map.grouping_expressions)?;
        let lists = frame.columns.iter().skip(map.grouping_expressions.len()).map(Column::expr).collect();
        let list = Call::groups(function.clone(), makes, lists, vec![groups], &self.python);
        self.rows_of(Frame { columns: Vec::new(), ..frame }, list, &function)
    }

    pub(crate) async fn co_group_map(&mut self, map: &CoGroupMap) -> Result<Frame> {
        let (function, makes) = read(map.func.as_ref(), &[Makes::PairRows])?;
        let left = self.relation(input(&map.input, "input")?).await?;
        let (left, of_left) = self.grouped(left, &map.input_grouping_expressions)?;
        let right = self.relation(input(&map.other, "other")?).await?;
        let (right, of_right) = self.grouped(right, &map.other_grouping_expressions)?;
        let (keys, others) = (map.input_grouping_expressions.len(), map.other_grouping_expressions.len());
        if keys != others {
            let text = "The cogroup requires the same number of grouping columns on both sides.";
            return Err(SparkError::invalid(text));
        }
        let lists = vec![left.columns[keys].expr(), right.columns[keys].expr()];
        let pairs = left.columns.iter().zip(&right.columns).take(keys);
        // Rows whose keys are null belong together, as in any group.
        let equal = pairs.map(|(left, right)| {
            let operator = datafusion::logical_expr::Operator::IsNotDistinctFrom;
            datafusion::logical_expr::binary_expr(left.expr(), operator, right.expr())
        });
        let mut equal: Vec<Expr> = equal.collect();
        if equal.is_empty() {
            // All rows of both are one pair.
            equal.push(lit(true));
        }
        let plan = LogicalPlanBuilder::from(left.plan).join_on(right.plan, JoinType::Full, equal)?.build()?;
        let groups = vec![of_left, of_right];
        let list = Call::groups(function.clone(), makes, lists, groups, &self.python);
        self.rows_of(Frame { plan, columns: Vec::new() }, list, &function)
    }

    /// A row for each key: its values, then the list of the frame's rows. The key's values are in the rows, too.
    fn grouped(&mut self, frame: Frame, by: &[Expression]) -> Result<(Frame, Groups)> {
        let keys = self.resolver(&frame).list(by)?;
        let (exprs, names, places) = with_keys(&frame, &keys);
        let values = (0..frame.columns.len()).collect();
        let list = self.new_id();
        let mut columns = Vec::new();
        let mut groups = Vec::new();
        for key in keys {
            let id = self.new_id();
            groups.push(key.expr.alias(&id));
            columns.push(Column::new(&id, &id));
        }
        columns.push(Column::new(&list, &list));
        let rows = array_agg(row(exprs)).alias(&list);
        let plan = LogicalPlanBuilder::from(frame.plan).aggregate(groups, [rows])?.build()?;
        Ok((Frame { plan, columns }, Groups { names, keys: places, values }))
    }

    /// `applyInPandasWithState`: a function of each key's rows that remembers something of the key.
    pub(crate) async fn keyed_map(&mut self, map: &ApplyInPandasWithState) -> Result<Frame> {
        let frame = self.relation(input(&map.input, "input")?).await?;
        let (mut function, _) = read(map.func.as_ref(), &[Makes::States])?;
        let state = parse_schema(&map.state_schema)?;
        function.state = Some(crate::schema::json::write_schema(&state).to_string());
        let (mode, timeout) = (state_mode(&map.output_mode)?, StateTimeout::read(&map.timeout_conf)?);
        let remembers = Remembers {
            state: crate::schema::name(&DataType::Struct(state.fields().clone())),
            mode,
            timeout: timeout.of_engine(),
            due: Due::Passed,
            time: None,
        };
        self.remembering(frame, &map.grouping_expressions, function, remembers, |function, groups, run| {
            Arc::new(StateCall::new(function, groups, timeout, run))
        })
    }

    /// `transformWithState` and `transformWithStateInPandas`: a processor with states and timers of each key.
    async fn transform_with_state(&mut self, map: &GroupMap, info: &TransformWithStateInfo) -> Result<Frame> {
        let frame = self.relation(input(&map.input, "input")?).await?;
        let (function, _) = read(map.func.as_ref(), &[Makes::States])?;
        let timeout = match info.time_mode.to_lowercase().as_str() {
            "none" => Timeout::None,
            "processingtime" => Timeout::ProcessingTime,
            "eventtime" => Timeout::EventTime,
            other => return Err(SparkError::illegal(format!("There is no time mode {other}."))),
        };
        let mode = state_mode(map.output_mode.as_deref().unwrap_or_default())?;
        let state = "states and timers".to_owned();
        let time = Some(info.event_time_column_name.clone()).filter(|name| !name.is_empty());
        let remembers = Remembers { state, mode, timeout, due: Due::Reached, time };
        if map.initial_input.is_some() {
            return self.beginning(frame, map, function, remembers).await;
        }
        self.remembering(frame, &map.grouping_expressions, function, remembers, |function, groups, run| {
            Arc::new(ProcessorCall::new(function, groups, run))
        })
    }

    /// The frame of a function that remembers.
    fn remembering(
        &mut self,
        frame: Frame,
        by: &[Expression],
        function: Function,
        remembers: Remembers,
        call: impl FnOnce(Function, Groups, &Arc<Run>) -> Arc<dyn KeyedFunction>,
    ) -> Result<Frame> {
        let DataType::Struct(fields) = function.output.clone() else {
            return Err(SparkError::invalid(format!("The schema of {} is no struct.", function.name)));
        };
        let keys = self.resolver(&frame).list(by)?;
        let (exprs, names, places) = with_keys(&frame, &keys);
        let values = (0..frame.columns.len()).collect();
        let groups = Groups { names, keys: places, values };
        let exprs: Vec<Expr> = exprs.into_iter().map(|expr| expr.alias(self.new_id())).collect();
        let plan = LogicalPlanBuilder::from(frame.plan).project(exprs)?.build()?;
        let keys = groups.keys.clone();
        let function = call(function, groups, &self.python);
        self.keyed_frame(plan, keys, &fields, function, remembers)
    }

    /// The frame of a function over a plan's rows by key.
    fn keyed_frame(
        &mut self,
        plan: LogicalPlan,
        keys: Vec<usize>,
        fields: &Fields,
        function: Arc<dyn KeyedFunction>,
        remembers: Remembers,
    ) -> Result<Frame> {
        let mut columns = Vec::with_capacity(fields.len());
        let mut output = Vec::with_capacity(fields.len());
        for field in fields {
            let id = self.new_id();
            output.push(Field::new(&id, field.data_type().clone(), true));
            columns.push(Column::new(field.name(), id));
        }
        let Remembers { state, mode, timeout, due, time } = remembers;
        if let Some(name) = time {
            output = timed(&plan, output, &columns, &name)?;
        }
        let output = Arc::new(Schema::new(output));
        let keyed = Keyed { function, keys, output, state, mode, timeout, due };
        Ok(Frame { plan: self.frames.keyed(plan, keyed)?, columns })
    }

    /// The frame of a function that remembers, and begins with what another frame says of keys: its rows stand in a column
    /// beside those of the stream, in front of the first ones.
    async fn beginning(
        &mut self,
        frame: Frame,
        map: &GroupMap,
        function: Function,
        remembers: Remembers,
    ) -> Result<Frame> {
        let DataType::Struct(fields) = function.output.clone() else {
            return Err(SparkError::invalid(format!("The schema of {} is no struct.", function.name)));
        };
        let initial = self.relation(input(&map.initial_input, "initial_input")?).await?;
        crate::streaming::not_streaming(&initial.plan)?;
        let keys = self.resolver(&frame).list(&map.grouping_expressions)?;
        let first_keys = self.resolver(&initial).list(&map.initial_grouping_expressions)?;
        if keys.len() != first_keys.len() {
            return Err(SparkError::invalid("The initial state has other keys than the rows."));
        }
        let (mut exprs, names, places) = with_keys(&frame, &keys);
        let (first, first_names, first_places) = with_keys(&initial, &first_keys);
        let groups = Groups { names, keys: places.clone(), values: (0..frame.columns.len()).collect() };
        let of_first = Groups {
            names: first_names.clone(),
            keys: first_places,
            values: (0..initial.columns.len()).collect(),
        };
        let parts = first_names.iter().zip(first).flat_map(|(name, expr)| [lit(name.as_str()), expr]);
        let beginning = named_struct(parts.collect());
        let kind = self.resolver(&initial).type_of(&beginning)?;
        exprs.push(lit(ScalarValue::try_from(&kind)?));
        let exprs: Vec<Expr> = exprs.into_iter().map(|expr| expr.alias(self.new_id())).collect();
        let plan = LogicalPlanBuilder::from(frame.plan).project(exprs)?.build()?;
        let known = plan.schema().fields();
        let mut columns = Vec::with_capacity(known.len());
        for (at, field) in known.iter().enumerate() {
            let value = match places.iter().position(|place| *place == at) {
                Some(key) => cast(first_keys[key].expr.clone(), field.data_type().clone()),
                None if at + 1 == known.len() => beginning.clone(),
                None => lit(ScalarValue::try_from(field.data_type())?),
            };
            columns.push(value.alias(field.name()));
        }
        let first = LogicalPlanBuilder::from(initial.plan).project(columns)?.build()?;
        let (engine, zone) = (self.session.engine.clone(), self.session.zone());
        let beginning = Beginning { groups: of_first, plan: first, engine, zone };
        let call = ProcessorCall::new(function, groups, &self.python).beginning_with(beginning);
        self.keyed_frame(plan, places, &fields, Arc::new(call), remembers)
    }

    /// Functions of Python with what they give for the same arguments computed once, as Spark does.
    pub(super) fn once(&mut self, mut frame: Frame, mut list: Vec<Named>) -> Result<(Frame, Vec<Named>)> {
        while let Some(call) = asked_again(&list) {
            let id = self.new_id();
            let known = frame.plan.schema().columns().into_iter().map(Expr::Column);
            let exprs: Vec<Expr> = known.chain([call.clone().alias(&id)]).collect();
            frame.plan = LogicalPlanBuilder::from(frame.plan).project(exprs)?.build()?;
            for named in &mut list {
                let replaced = std::mem::take(&mut named.expr).transform_down(|inner| {
                    Ok(if inner == call { Transformed::yes(column(&id)) } else { Transformed::no(inner) })
                });
                named.expr = replaced?.data;
            }
        }
        Ok((frame, list))
    }

    /// The rows in a list, under the names of the function's schema.
    pub(super) fn rows_of(&mut self, frame: Frame, list: Expr, function: &Function) -> Result<Frame> {
        let DataType::Struct(fields) = &function.output else {
            return Err(SparkError::invalid(format!("The schema of {} is no struct.", function.name)));
        };
        let id = self.new_id();
        let plan = LogicalPlanBuilder::from(frame.plan).project([list.alias(&id)])?.build()?;
        let fields = fields.iter().map(|field| (field.name().clone(), Some(field.name().clone())));
        let generator = Generator { list: column(&id), places: None, outer: false, fields: fields.collect() };
        let frame = Frame { plan, columns: Vec::new() };
        let made = Named { generator: Some(generator), ..Named::new(column(&id), &function.name) };
        self.chosen(frame, vec![made])
    }
}

/// A function of Python that is asked more than once for the same; of those within each other the innermost.
fn asked_again(list: &[Named]) -> Option<Expr> {
    let calls: Vec<&Expr> = list.iter().flat_map(|named| Call::within(&named.expr)).collect();
    let again = (1..calls.len())
        .rev()
        .find(|at| !Call::is_random(calls[*at]) && calls[..*at].contains(&calls[*at]))?;
    Some(calls[again].clone())
}

/// A frame's columns, those of them that are keys, and the keys that are none: expressions, names, and the keys' places.
fn with_keys(frame: &Frame, keys: &[Named]) -> (Vec<Expr>, Vec<String>, Vec<usize>) {
    let mut names = frame.names();
    let mut exprs: Vec<Expr> = frame.columns.iter().map(Column::expr).collect();
    let mut places = Vec::new();
    for key in keys {
        let known = exprs.iter().position(|expr| *expr == key.expr);
        places.push(known.unwrap_or(exprs.len()));
        if known.is_none() {
            exprs.push(key.expr.clone());
            names.push(key.column_name().to_owned());
        }
    }
    (exprs, names, places)
}

/// The fields of what a function of keys makes of this plan's rows, with the watermark of those rows on one of them.
fn timed(plan: &LogicalPlan, mut fields: Vec<Field>, columns: &[Column], name: &str) -> Result<Vec<Field>> {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let place = names.iter().position(|known| known.eq_ignore_ascii_case(name));
    let place = place.ok_or_else(|| SparkError::column(name, &names))?;
    let given = plan.schema().fields().iter().map(AsRef::as_ref);
    fields[place] = timed_as(given, &fields[place]).ok_or_else(|| {
        let condition = "CANNOT_ASSIGN_EVENT_TIME_COLUMN_WITHOUT_WATERMARK";
        SparkError::new(
            Class::Analysis,
            condition,
            "42611",
            "Watermark needs to be defined to reassign event time column. Failed to find watermark definition in \
             the streaming query.",
        )
    })?;
    Ok(fields)
}

fn state_mode(word: &str) -> Result<OutputMode> {
    match word.to_lowercase().as_str() {
        "append" => Ok(OutputMode::Append),
        "update" => Ok(OutputMode::Update),
        _ => Err(SparkError::illegal(format!(
            "The output mode of function should be append or update, not {word}."
        ))),
    }
}

fn read(message: Option<&InlineFunction>, wanted: &[Makes]) -> Result<(Function, Makes)> {
    let message = message.ok_or_else(|| SparkError::missing("func"))?;
    let function = Function::read(message)?;
    let makes = function.makes()?;
    if !wanted.contains(&makes) {
        return Err(SparkError::invalid(format!("{} cannot make rows here.", function.name)));
    }
    Ok((function, makes))
}
