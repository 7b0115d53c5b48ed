//! Aggregates of Spark that the planner lacks, or answers otherwise. Each keeps a state that can be stored and
//! merged, so it works over streams from batch to batch.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use crate::functions::own::{Kind, coerced};

mod average;
mod bitmap;
mod count_min;
mod distinct;
mod exact;
mod extreme;
mod histogram;
mod hll;
mod mode;
mod moments;
mod percentile;
mod product;
mod quantiles;
mod sum;

pub(crate) use distinct::DistinctArguments;

/// Every aggregate that is written here.
pub(super) fn functions() -> impl Iterator<Item = AggregateUDF> {
    let own = [
        bitmap::FUNCTIONS,
        count_min::FUNCTIONS,
        exact::FUNCTIONS,
        extreme::FUNCTIONS,
        histogram::FUNCTIONS,
        moments::FUNCTIONS,
        hll::FUNCTIONS,
        mode::FUNCTIONS,
        percentile::FUNCTIONS,
        product::FUNCTIONS,
    ];
    let own = own.into_iter().flatten().map(|own| {
        let aliases = own.aliases.iter().map(|alias| (*alias).to_owned()).collect();
        let signature = Signature::user_defined(Volatility::Immutable);
        AggregateUDF::from(Function { own: *own, aliases, signature })
    });
    own.chain([average::function(), sum::function()])
}

type Types<'a> = &'a [DataType];
type Begin = fn(&Begun<'_>) -> Result<Box<dyn Accumulator>>;

/// An aggregate.
#[derive(Clone, Copy)]
struct Own {
    name: &'static str,
    aliases: &'static [&'static str],
    takes: &'static [Kind],
    /// How many of `takes` may be left out.
    optional: usize,
    gives: fn(Types<'_>) -> Result<DataType>,
    /// The columns of the state, by the types of the arguments.
    state: fn(Types<'_>) -> Vec<DataType>,
    begin: Begin,
}

/// What is known when an accumulator begins.
struct Begun<'a> {
    name: &'static str,
    types: Vec<DataType>,
    arguments: &'a AccumulatorArgs<'a>,
}

struct Function {
    own: Own,
    aliases: Vec<String>,
    signature: Signature,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.own.name)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.own.name == other.own.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.own.name.hash(state);
    }
}

fn types(fields: &[FieldRef]) -> Vec<DataType> {
    fields.iter().map(|field| field.data_type().clone()).collect()
}

impl AggregateUDFImpl for Function {
    fn name(&self) -> &str {
        self.own.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let Own { name, takes, optional, .. } = self.own;
        coerced(name, types, takes, optional, false)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        (self.own.gives)(types)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let parts = (self.own.state)(&types(args.input_fields)).into_iter().enumerate();
        let field = |(part, kind)| Arc::new(Field::new(format!("{}[{part}]", args.name), kind, true));
        Ok(parts.map(field).collect())
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let types = types(arguments.expr_fields);
        (self.own.begin)(&Begun { name: self.own.name, types, arguments: &arguments })
    }
}
