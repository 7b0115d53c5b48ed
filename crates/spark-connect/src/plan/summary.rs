//! Figures of columns: `describe`, `summary`, correlation.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, lit};

use crate::error::{Result, SparkError};
use crate::expression::{Named, build};
use crate::plan::Planner;
use crate::plan::frame::{Column, Frame};
use crate::show;
use crate::wire::expression::{Expression, LiteralType};

impl Planner<'_> {
    pub(crate) fn describe(&mut self, frame: &Frame, columns: &[String]) -> Result<Frame> {
        let figures = ["count", "mean", "stddev", "min", "max"].map(str::to_owned);
        self.summary(frame, &figures, columns)
    }

    /// One row of texts for each figure.
    pub(crate) fn summary(&mut self, frame: &Frame, figures: &[String], columns: &[String]) -> Result<Frame> {
        let all = ["count", "mean", "stddev", "min", "25%", "50%", "75%", "max"].map(str::to_owned);
        let figures = if figures.is_empty() { &all } else { figures };
        let meant = |column: &&Column| {
            let data_type = frame.data_type(column);
            let named = columns.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
            (columns.is_empty() || named) && (data_type.is_numeric() || data_type == DataType::Utf8)
        };
        let columns: Vec<Column> = frame.columns.iter().filter(meant).cloned().collect();
        let mut union: Option<Frame> = None;
        for (place, figure) in figures.iter().enumerate() {
            let mut list = vec![Named::new(lit(figure.as_str()), "summary")];
            for column in &columns {
                let value = self.figure(frame, column, figure)?;
                list.push(Named::new(value, &column.name));
            }
            // Even without columns there is one row.
            let call = self.resolver(frame).named(&build::function("count", vec![]))?;
            list.push(call);
            let mut part = self.chosen(frame.clone(), list)?;
            part.columns.pop();
            let mut kept: Vec<Named> = part.columns.iter().map(super::project::whole).collect();
            kept.push(Named::new(lit(place as u32), "place"));
            let part = self.projected(part, kept)?;
            union = Some(match union {
                Some(whole) => self.combine(whole, part, super::set::UNION, true)?,
                None => part,
            });
        }
        let union = union.ok_or_else(|| SparkError::invalid("There is no figure to compute."))?;
        let (place, shown) = union.columns.split_last().ok_or_else(|| SparkError::missing("place"))?;
        let (order, shown) =
            (place.expr().sort(true, true), shown.iter().map(super::project::whole).collect());
        let sorted = super::ordered(union.clone(), vec![order])?;
        self.projected(sorted, shown)
    }

    fn figure(&self, frame: &Frame, column: &Column, figure: &str) -> Result<Expr> {
        let resolver = self.resolver(frame);
        let text = frame.data_type(column) == DataType::Utf8;
        let own = build::attribute(&crate::expression::name_quoted(std::slice::from_ref(&column.name)));
        let number = if text { build::cast(own.clone(), "DOUBLE".to_owned(), true) } else { own.clone() };
        let call = |name: &str, argument: Expression| build::function(name, vec![argument]);
        let expression = match figure {
            "count" | "min" | "max" => call(figure, own),
            "mean" => call("avg", number),
            "stddev" => call("stddev", number),
            "count_distinct" => build::distinct("count", vec![own]),
            "approx_count_distinct" => call("approx_distinct", own),
            percent => {
                let wrong = || SparkError::invalid(format!("{percent} is not a recognised statistic."));
                let part: f64 =
                    percent.strip_suffix('%').and_then(|part| part.parse().ok()).ok_or_else(wrong)?;
                let part = build::literal(LiteralType::Double(part / 100.0));
                build::function("approx_percentile_cont", vec![number, part])
            }
        };
        let value = resolver.named(&expression)?.expr;
        Ok(show::text().call(vec![value]))
    }

    /// One figure of two columns.
    pub(crate) fn pair(&mut self, frame: Frame, function: &str, a: &str, b: &str) -> Result<Frame> {
        let call = build::function(function, vec![build::attribute(a), build::attribute(b)]);
        self.select(frame, &[build::alias(call, vec![function.trim_end_matches("ar_samp").to_owned()])])
    }
}
