//! `freqItems`: values that are frequent, and some more.
//!
//! Karp, Schenker and Papadimitriou, "A simple algorithm for finding frequent elements in streams and bags" (2003), as
//! Spark counts: never more than one value for each part of the rows that is wanted, the rarest give way.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use crate::error::{Class, SparkError};
use crate::expression::{Named, build, name_quoted};
use crate::plan::Planner;
use crate::plan::frame::Frame;
use crate::wire::statistics::StatFreqItems;

/// What part of the rows a value has at least, unless told otherwise.
const SUPPORT: f64 = 0.01;

impl Planner<'_> {
    pub(crate) fn frequent(&mut self, frame: Frame, wanted: &StatFreqItems) -> crate::error::Result<Frame> {
        let support = wanted.support.unwrap_or(SUPPORT);
        if !(1e-4..=1.0).contains(&support) {
            let text = format!("requirement failed: Support must be in [1e-4, 1], but got {support:E}.");
            return Err(SparkError::new(Class::IllegalArgument, "", "", text));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 10,000")]
        let most = (1.0 / support) as usize;
        let mut outputs = Vec::with_capacity(wanted.cols.len());
        for name in &wanted.cols {
            let column = build::attribute(&name_quoted(std::slice::from_ref(name)));
            let value = self.resolver(&frame).named(&column)?.expr;
            let frequent =
                AggregateUDF::from(Frequent { most, signature: Signature::any(1, Volatility::Immutable) });
            outputs.push(Named::new(frequent.call(vec![value]), format!("{name}_freqItems")));
        }
        self.chosen(frame, outputs)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Frequent {
    most: usize,
    signature: Signature,
}

fn list(item: &DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item.clone(), true)))
}

impl AggregateUDFImpl for Frequent {
    fn name(&self) -> &'static str {
        "freq_items"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(list(&types[0]))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let kind = args.expr_fields[0].data_type().clone();
        Ok(Box::new(Counter { most: self.most, kind, counts: Vec::new() }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let values = list(args.input_fields[0].data_type());
        Ok(vec![
            Arc::new(Field::new("values", values, true)),
            Arc::new(Field::new("counts", list(&DataType::Int64), true)),
        ])
    }
}

/// Values with what is left of their numbers.
#[derive(Debug)]
struct Counter {
    most: usize,
    kind: DataType,
    counts: Vec<(ScalarValue, i64)>,
}

impl Counter {
    fn add(&mut self, value: ScalarValue, count: i64) {
        if let Some((_, known)) = self.counts.iter_mut().find(|(known, _)| *known == value) {
            *known += count;
            return;
        }
        if self.counts.len() < self.most {
            self.counts.push((value, count));
            return;
        }
        let least = self.counts.iter().map(|(_, count)| *count).min().unwrap_or(0);
        let lost = least.min(count);
        if count >= least {
            self.counts.push((value, count));
            self.counts.retain(|(_, count)| *count > least);
        }
        self.counts.iter_mut().for_each(|(_, count)| *count -= lost);
    }

    fn values(&self) -> ScalarValue {
        let values: Vec<ScalarValue> = self.counts.iter().map(|(value, _)| value.clone()).collect();
        ScalarValue::List(ScalarValue::new_list(&values, &self.kind, true))
    }
}

impl Accumulator for Counter {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for row in 0..values[0].len() {
            self.add(ScalarValue::try_from_array(&values[0], row)?, 1);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (values, counts) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for state in 0..values.len() {
            let (values, counts) = (values.value(state), counts.value(state));
            for row in 0..values.len() {
                let count = counts.as_primitive::<Int64Type>().value(row);
                self.add(ScalarValue::try_from_array(&values, row)?, count);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let counts: Vec<ScalarValue> = self.counts.iter().map(|(_, count)| (*count).into()).collect();
        let counts = ScalarValue::List(ScalarValue::new_list(&counts, &DataType::Int64, true));
        Ok(vec![self.values(), counts])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.values())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.iter().map(|(value, _)| value.size() + 8).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_give_way() {
        let mut counter = Counter { most: 2, kind: DataType::Int64, counts: Vec::new() };
        for value in [1_i64, 1, 3, 4, 4] {
            counter.add(value.into(), 1);
        }
        assert_eq!(counter.counts, [(1_i64.into(), 1), (4_i64.into(), 1)]);
        counter.add(5_i64.into(), 7);
        assert_eq!(counter.counts, [(5_i64.into(), 6)], "both others have gone");
    }
}
