//! `OVER`: functions that look at the rows around a row; and subqueries, which look at another frame.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{ScalarValue, Spans};
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::logical_expr::expr::{
    Exists, InSubquery, NullTreatment, WindowFunction, WindowFunctionParams,
};
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, Subquery, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition, lit,
};
use datafusion::prelude::{cast, when};

use crate::error::{Result, SparkError};
use crate::expression::{Named, Resolver};
use crate::plan::frame::Frame as PlanFrame;
use crate::wire::expression::{
    ExprType, Expression, SortOrder, SubqueryExpression, UnresolvedFunction, Window,
};

impl Resolver<'_> {
    pub(super) fn window(&self, window: &Window) -> Result<Named> {
        let inner = window.window_function.as_ref().ok_or_else(|| SparkError::missing("window_function"))?;
        let partition = self.list(&window.partition_spec)?;
        let order = window.order_spec.iter().map(|order| self.order(order)).collect::<Result<Vec<_>>>()?;
        if let Some(function) = self.of_python(inner) {
            return self.python_window(&function?, window, &partition, order);
        }
        let call = match &inner.expr_type {
            Some(ExprType::UnresolvedFunction(call)) => UnresolvedFunction::clone(call),
            Some(ExprType::CallFunction(call)) => {
                super::build::call(&call.function_name, call.arguments.clone())
            }
            Some(ExprType::ExpressionString(text)) => {
                match crate::sql::expression(&text.expression)?.expr_type {
                    Some(ExprType::UnresolvedFunction(call)) => *call,
                    _ => return Err(SparkError::invalid("Only functions have windows.")),
                }
            }
            _ => return Err(SparkError::invalid("Only functions have windows.")),
        };
        let frame = self.frame_of(&call.function_name, window.frame_spec.as_ref(), &order)?;
        let (definition, arguments, shown, nulls) = self.windowed(&call)?;
        let text = self.spec_text(&partition, window, &shifted(&call.function_name, &arguments, &frame))?;
        let frame = self.typed_frame(&frame, &order, &text)?;
        let ranks = matches!(&definition, WindowFunctionDefinition::WindowUDF(udwf)
            if matches!(udwf.name(), "row_number" | "rank" | "dense_rank" | "ntile"));
        let params = WindowFunctionParams {
            args: arguments,
            partition_by: partition.iter().map(|named| named.expr.clone()).collect(),
            order_by: order,
            window_frame: frame,
            filter: None,
            null_treatment: nulls,
            distinct: call.is_distinct,
        };
        let expr = Expr::WindowFunction(Box::new(WindowFunction { fun: definition, params }));
        let expr = if ranks { cast(expr, DataType::Int32) } else { expr };
        Ok(Named::new(expr, format!("{shown} OVER ({text})")))
    }

    fn windowed(
        &self,
        call: &UnresolvedFunction,
    ) -> Result<(WindowFunctionDefinition, Vec<Expr>, String, Option<NullTreatment>)> {
        let name = call.function_name.to_lowercase();
        let state = self.context.state_ref();
        let udwf = state.read().window_functions().get(&name).cloned();
        if let Some(udwf) = udwf
            && !matches!(name.as_str(), "first_value" | "last_value")
        {
            let arguments = self.list(&call.arguments)?;
            let names: Vec<&str> = arguments.iter().map(|argument| argument.name.as_str()).collect();
            let most = if matches!(name.as_str(), "lag" | "lead") { 3 } else { 2 };
            let mut shown = super::shown::call(&name, &names[..names.len().min(most)], false);
            let mut exprs: Vec<Expr> = arguments.into_iter().map(|argument| argument.expr).collect();
            let mut nulls = None;
            if matches!(name.as_str(), "lag" | "lead" | "nth_value") {
                // PySpark sends whether nulls are passed over as one argument more.
                if exprs.len() > most {
                    let ignored =
                        matches!(exprs.get(most), Some(Expr::Literal(value, _)) if *value == true.into());
                    nulls = ignored.then_some(NullTreatment::IgnoreNulls);
                    exprs.truncate(most);
                }
                if nulls.is_some() && name == "nth_value" {
                    shown.push_str(" ignore nulls");
                }
                if matches!(exprs.get(2), Some(Expr::Literal(value, _)) if value.is_null()) {
                    exprs.truncate(2);
                }
            }
            return Ok((WindowFunctionDefinition::WindowUDF(udwf), exprs, shown, nulls));
        }
        let named = self.function(call)?;
        match named.expr {
            Expr::AggregateFunction(function) if function.params.filter.is_some() => {
                Err(SparkError::unsupported("FILTER over a window"))
            }
            Expr::AggregateFunction(function) => Ok((
                WindowFunctionDefinition::AggregateUDF(function.func),
                function.params.args,
                named.name,
                function.params.null_treatment,
            )),
            _ => Err(SparkError::invalid(format!("{name} is neither a window function nor an aggregate."))),
        }
    }

    pub(super) fn spec_text(
        &self,
        partition: &[Named],
        window: &Window,
        frame: &WindowFrame,
    ) -> Result<String> {
        let mut text = String::new();
        if !partition.is_empty() {
            let names: Vec<&str> = partition.iter().map(|named| named.name.as_str()).collect();
            text = format!("PARTITION BY {} ", names.join(", "));
        }
        if !window.order_spec.is_empty() {
            let order = window.order_spec.iter().map(|order| self.order_text(order));
            text.push_str(&format!("ORDER BY {} ", order.collect::<Result<Vec<_>>>()?.join(", ")));
        }
        let bound = |bound: &WindowFrameBound| match bound {
            WindowFrameBound::CurrentRow => "CURRENT ROW".to_owned(),
            WindowFrameBound::Preceding(value) if value.is_null() => "UNBOUNDED PRECEDING".to_owned(),
            WindowFrameBound::Following(value) if value.is_null() => "UNBOUNDED FOLLOWING".to_owned(),
            WindowFrameBound::Preceding(value) => format!("-{value} FOLLOWING"),
            WindowFrameBound::Following(value) => format!("{value} FOLLOWING"),
        };
        let units = if frame.units == WindowFrameUnits::Rows { "ROWS" } else { "RANGE" };
        let (start, end) = (bound(&frame.start_bound), bound(&frame.end_bound));
        if window.order_spec.is_empty() && window.frame_spec.is_none() {
            return Ok(format!("{text}ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"));
        }
        Ok(format!("{text}{units} BETWEEN {start} AND {end}"))
    }

    pub(super) fn order_text(&self, order: &SortOrder) -> Result<String> {
        let sort = self.order(order)?;
        let child = order.child.as_ref().ok_or_else(|| SparkError::missing("child"))?;
        let direction = if sort.asc { "ASC" } else { "DESC" };
        let nulls = if sort.nulls_first { "FIRST" } else { "LAST" };
        Ok(format!("{} {direction} NULLS {nulls}", self.named(child)?.name))
    }

    /// The columns of the rows around it that a subquery asks for, as Spark shows them.
    fn outer_names(&self, subquery: &Subquery) -> String {
        let mut names: Vec<&str> = Vec::new();
        for asked in &subquery.outer_ref_columns {
            let Expr::OuterReferenceColumn(_, asked) = asked else { continue };
            let known = self.columns.iter().find(|column| column.id == asked.name);
            names.extend(known.map(|column| column.name.as_str()));
        }
        names.join(", ")
    }

    pub(super) fn subquery(&self, subquery: &SubqueryExpression) -> Result<Named> {
        const SCALAR: i32 = 1;
        const EXISTS: i32 = 2;
        const IN: i32 = 4;
        let frame = self.frame(subquery.plan_id)?;
        let plan = || {
            let subquery = Self::subplan(frame);
            let outer_ref_columns = subquery.all_out_ref_exprs();
            Subquery { subquery, outer_ref_columns, spans: Spans::new() }
        };
        match subquery.subquery_type {
            SCALAR => {
                let plan = plan();
                let name = format!("scalarsubquery({})", self.outer_names(&plan));
                let never = plan.subquery.schema().fields().iter().all(|field| !field.is_nullable());
                let absent = never && !always_a_row(&plan.subquery);
                let value = Expr::ScalarSubquery(plan);
                // Without a row it is NULL, whatever its column says.
                let value = if absent { when(lit(true), value).end()? } else { value };
                Ok(Named::new(value, name))
            }
            EXISTS => {
                let plan = plan();
                let name = format!("exists({})", self.outer_names(&plan));
                Ok(Named::new(Expr::Exists(Exists::new(plan, false)), name))
            }
            IN => {
                let [value] = subquery.in_subquery_values.as_slice() else {
                    return self.among(frame, &subquery.in_subquery_values, false);
                };
                let value = self.named(value)?;
                let name = format!("({} IN (listquery()))", value.name);
                let among = match self.fields_called(&self.type_of(&value.expr)?, frame)? {
                    Some(list) => {
                        let outer_ref_columns = list.all_out_ref_exprs();
                        Subquery { subquery: Arc::new(list), outer_ref_columns, spans: Spans::new() }
                    }
                    None => plan(),
                };
                Ok(Named::new(Expr::InSubquery(InSubquery::new(Box::new(value.expr), among, false)), name))
            }
            kind @ (crate::sql::ONE_OF | crate::sql::NONE_OF) => {
                self.among(frame, &subquery.in_subquery_values, kind == crate::sql::NONE_OF)
            }
            _ => Err(SparkError::unsupported("this kind of subquery")),
        }
    }

    /// The frame's structs with their fields called as in another struct, which is compared with them place by place; `None`
    /// if they are called so already.
    fn fields_called(&self, wanted: &DataType, frame: &PlanFrame) -> Result<Option<LogicalPlan>> {
        let (DataType::Struct(wanted), [column]) = (wanted, frame.columns.as_slice()) else {
            return Ok(None);
        };
        let DataType::Struct(fields) = frame.data_type(column) else { return Ok(None) };
        let same = |(one, other): (&FieldRef, &FieldRef)| one.name() == other.name();
        if wanted.len() != fields.len() || wanted.iter().zip(&fields).all(same) {
            return Ok(None);
        }
        let mut named = Vec::new();
        for (wanted, field) in wanted.iter().zip(&fields) {
            named.extend([lit(wanted.name().as_str()), super::field::get(column.expr(), field.name())]);
        }
        let whole = when(column.expr().is_not_null(), named_struct(named)).end()?.alias(&column.id);
        Ok(Some(LogicalPlanBuilder::from(frame.plan.clone()).project([whole])?.build()?))
    }

    /// `~struct(a, b).isin(frame)`, if it is that: no row is among them, and none could be where there are nulls.
    pub(super) fn none_among(&self, name: &str, arguments: &[Expression]) -> Result<Option<Named>> {
        let [Expression { expr_type: Some(ExprType::SubqueryExpression(subquery)), .. }] = arguments else {
            return Ok(None);
        };
        if !matches!(name, "not" | "!" | "~") || subquery.in_subquery_values.len() < 2 {
            return Ok(None);
        }
        self.among(self.frame(subquery.plan_id)?, &subquery.in_subquery_values, true).map(Some)
    }

    /// Whether a row of the frame has these values; or whether no row has, or could have where there are NULLs.
    fn among(&self, frame: &PlanFrame, values: &[Expression], none: bool) -> Result<Named> {
        let values = self.list(values)?;
        if values.len() != frame.columns.len() {
            let text = format!(
                "The number of columns in the left hand side of an IN subquery ({}) does not match that of the output of \
                 the subquery ({}).",
                values.len(),
                frame.columns.len()
            );
            let condition = "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH";
            return Err(SparkError::new(crate::error::Class::Analysis, condition, "42K09", text));
        }
        let mut same: Option<Expr> = None;
        for (value, column) in values.iter().zip(&frame.columns) {
            let outside = value.expr.clone().transform_up(|inner| {
                let Expr::Column(column) = &inner else { return Ok(Transformed::no(inner)) };
                let field = Arc::clone(self.schema.field_with_unqualified_name(&column.name)?);
                Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column.clone())))
            })?;
            let pair = outside.data.eq(column.expr());
            same = Some(match same {
                Some(before) => before.and(pair),
                None => pair,
            });
        }
        let same = same.ok_or_else(|| SparkError::missing("in_subquery_values"))?;
        let same = if none { Expr::IsNotFalse(Box::new(same)) } else { same };
        let plan = LogicalPlanBuilder::from(frame.plan.clone()).filter(same)?.build()?;
        let outer_ref_columns = plan.all_out_ref_exprs();
        let subquery = Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() };
        let shown: Vec<String> = values.iter().map(|value| format!("{0}, {0}", value.name)).collect();
        let shown = format!("(named_struct({}) IN (listquery()))", shown.join(", "));
        let shown = if none { format!("(NOT {shown})") } else { shown };
        Ok(Named::new(Expr::Exists(Exists::new(subquery, none)), shown))
    }
}

/// The frame as Spark shows it: that of `lag` and `lead` is the one row they look at.
fn shifted(function: &str, arguments: &[Expr], frame: &WindowFrame) -> WindowFrame {
    let steps = match arguments.get(1) {
        Some(Expr::Literal(value, _)) => {
            value.cast_to(&DataType::UInt64).unwrap_or(ScalarValue::UInt64(None))
        }
        _ => ScalarValue::UInt64(Some(1)),
    };
    let row = match function.to_lowercase().as_str() {
        "lag" => WindowFrameBound::Preceding(steps),
        "lead" => WindowFrameBound::Following(steps),
        _ => return frame.clone(),
    };
    WindowFrame::new_bounds(WindowFrameUnits::Rows, row.clone(), row)
}

/// Whether a query has a row whatever there is: an aggregate of everything.
fn always_a_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) => {
            plan.inputs().iter().all(|input| always_a_row(input))
        }
        _ => false,
    }
}
