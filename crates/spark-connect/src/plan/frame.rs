//! A DataFrame as it is known here: a plan whose columns have names that nobody else has, and beside it what the
//! script calls them. So two columns may have the same name, as in Spark, and DataFusion never sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::{Column as PlanColumn, DFSchema};
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::schema::noted;
use crate::sql::Query;
use crate::wire::relation::Relation;

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// As the script calls it.
    pub(crate) name: String,
    /// As the plan calls it.
    pub(crate) id: String,
    /// The aliases it can be reached by: `t` of `t.name`.
    pub(crate) qualifiers: Vec<String>,
    /// The relations of the client, by number, that it is a column of, and how many others lie between.
    pub(crate) relations: BTreeMap<i64, usize>,
    /// The columns of both sides, of one that a join has made of two: what `r.id` means, where this one is `id`.
    pub(crate) sides: Vec<Column>,
}

impl Column {
    pub(crate) fn new(name: impl Into<String>, id: impl Into<String>) -> Self {
        Column {
            name: name.into(),
            id: id.into(),
            qualifiers: Vec::new(),
            relations: BTreeMap::new(),
            sides: Vec::new(),
        }
    }

    /// The column that a qualifier or a relation of the client asks for, if the plan still has it.
    pub(crate) fn asked(
        &self,
        qualifier: Option<&String>,
        relation: Option<i64>,
        known: &DFSchema,
    ) -> &Column {
        let sides = self.sides.iter().filter(|side| known.has_column_with_unqualified_name(&side.id));
        let fits = |side: &&Column| {
            qualifier
                .is_some_and(|wanted| side.qualifiers.iter().any(|name| name.eq_ignore_ascii_case(wanted)))
        };
        let between = |side: &&Column| relation.and_then(|relation| side.relations.get(&relation).copied());
        let nearest = sides.clone().filter(|side| between(side).is_some()).min_by_key(|side| between(side));
        nearest.or_else(|| sides.clone().find(fits)).unwrap_or(self)
    }

    pub(crate) fn expr(&self) -> Expr {
        column(&self.id)
    }

    /// Passes through a relation of the client.
    pub(crate) fn enters(&mut self, relation: i64) {
        self.relations.values_mut().for_each(|between| *between += 1);
        self.relations.insert(relation, 0);
    }

    /// A column computed from this one, or the same under another name.
    pub(crate) fn renamed(&self, name: impl Into<String>) -> Self {
        Column { name: name.into(), ..self.clone() }
    }
}

/// Those columns that a relation of the client means by its own: where it stands on both sides of a join, those that
/// are nearest to it.
pub(crate) fn of_relation(columns: Vec<&Column>, relation: i64) -> Vec<&Column> {
    let between = |column: &Column| column.relations.get(&relation).copied();
    let nearest = columns.iter().filter_map(|column| between(column)).min();
    columns.into_iter().filter(|column| nearest.is_some() && between(column) == nearest).collect()
}

/// The column that a plan calls so.
pub(crate) fn column(id: &str) -> Expr {
    Expr::Column(PlanColumn::new_unqualified(id))
}

/// A plan and what its columns are called.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) plan: LogicalPlan,
    pub(crate) columns: Vec<Column>,
}

impl Frame {
    pub(crate) fn field(&self, column: &Column) -> FieldRef {
        let fields = self.plan.schema().fields();
        fields
            .iter()
            .find(|field| *field.name() == column.id)
            .cloned()
            .unwrap_or_else(|| Arc::new(Field::new(&column.id, DataType::Null, true)))
    }

    pub(crate) fn data_type(&self, column: &Column) -> DataType {
        self.field(column).data_type().clone()
    }

    /// The columns under the script's names.
    pub(crate) fn schema(&self) -> Schema {
        let field = |column: &Column| {
            let field = self.field(column);
            let known = Field::new(&column.name, field.data_type().clone(), field.is_nullable());
            known.with_metadata(noted::kept(&field))
        };
        Schema::new(self.columns.iter().map(field).collect::<Vec<_>>())
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }
}

/// What a name stands for: a relation or a query, with the views that it may name.
#[derive(Debug, Clone)]
pub(crate) enum Stored {
    Relation {
        relation: Arc<Relation>,
        views: Views,
    },
    /// What a view is made of: as the relation, and the frames that the client held then are there for as long.
    Kept {
        relation: Arc<Relation>,
        views: Views,
        held: Held,
    },
    Query {
        query: Query,
        views: Views,
    },
    /// What a streaming query has in memory.
    Stream(Arc<crate::streaming::Query>),
}

/// Frames that a client holds, by their ids.
pub(crate) type Held = Arc<BTreeMap<String, Stored>>;

/// Views by name, as they were when something was made from them.
pub(crate) type Views = Arc<BTreeMap<String, Stored>>;

/// The last part of a table's name: `t` of `` default.`t` ``.
pub(crate) fn aliased_name(name: &str) -> String {
    crate::expression::name_parts(name)
        .ok()
        .and_then(|mut parts| parts.pop())
        .unwrap_or_else(|| name.to_owned())
}
