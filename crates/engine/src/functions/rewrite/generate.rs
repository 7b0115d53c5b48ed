//! Generators: functions that make several rows of one. `SELECT explode(a)` and `LATERAL VIEW explode(a)`
//! become a subquery that unnests.

use std::ops::ControlFlow;

use crate::language::Spark;
use datafusion::arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    ExceptSelectItem, Expr, Function, FunctionArguments, Ident, JoinConstraint, JoinOperator, LateralView,
    ObjectName, ObjectNamePart, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins,
    VisitMut as _, VisitorMut, WildcardAdditionalOptions,
};
use datafusion::sql::sqlparser::parser::Parser;

use super::clauses::type_of;
use super::{Shows, arguments, call, name_of, number, take};

/// A generator and the columns it makes.
struct Generator {
    /// What is unnested, or the one struct that is taken apart.
    made: Expr,
    unnests: bool,
    columns: Vec<Ident>,
}

pub(super) fn select(select: &mut Select, generated: &mut usize, shows: Shows<'_>) {
    let views = lateral_calls(&mut select.from);
    select.lateral_views.splice(0..0, views);
    for view in std::mem::take(&mut select.lateral_views) {
        let Expr::Function(mut function) = view.lateral_view else { continue };
        let aliases = named(&mut function, view.lateral_col_alias, &select.from, shows);
        let Some(generator) = generator(&mut function, aliases, view.outer) else { continue };
        let columns = generator.columns.clone();
        below(select, generator, generated);
        let alias = view.lateral_view_name.to_string();
        unqualify(select, &alias, &columns);
    }
    let mut hidden = Vec::new();
    for index in 0..select.projection.len() {
        let item = &mut select.projection[index];
        let (expression, aliases) = match item {
            SelectItem::UnnamedExpr(expression) => (expression, Vec::new()),
            SelectItem::ExprWithAlias { expr, alias } => (expr, vec![alias.clone()]),
            SelectItem::ExprWithAliases { expr, aliases } => (expr, std::mem::take(aliases)),
            _ => continue,
        };
        let Expr::Function(function) = expression else { continue };
        let aliases = named(function, aliases, &select.from, shows);
        let Some(mut generator) = generator(function, aliases, false) else { continue };
        let shown = generator.columns.clone();
        for column in &mut generator.columns {
            *generated += 1;
            *column = Ident::with_quote('`', format!("__generated{generated}"));
        }
        let inside = generator.columns.clone();
        below(select, generator, generated);
        let items = inside.iter().zip(&shown).map(|(inside, shown)| SelectItem::ExprWithAlias {
            expr: Expr::Identifier(inside.clone()),
            alias: shown.clone(),
        });
        select.projection.splice(index..=index, items.collect::<Vec<_>>());
        hidden.extend(inside);
        break;
    }
    for item in &mut select.projection {
        if let SelectItem::Wildcard(options) = item
            && let Some((first, rest)) = hidden.split_first()
        {
            options.opt_except =
                Some(ExceptSelectItem { first_element: first.clone(), additional_elements: rest.to_vec() });
        }
    }
}

/// `FROM t, LATERAL explode(a) AS u(x)`, `FROM t CROSS JOIN LATERAL ...` and `FROM explode(array(1, 2))`, which are what
/// `LATERAL VIEW` says too.
fn lateral_calls(from: &mut Vec<TableWithJoins>) -> Vec<LateralView> {
    let mut views = Vec::new();
    for table in from.iter_mut() {
        table.joins.retain_mut(|join| {
            let outer = match &join.join_operator {
                JoinOperator::CrossJoin(_) | JoinOperator::Join(JoinConstraint::None) => false,
                JoinOperator::Left(JoinConstraint::None) | JoinOperator::LeftOuter(JoinConstraint::None) => {
                    true
                }
                _ => return true,
            };
            let view = lateral_call(&mut join.relation, outer);
            let kept = view.is_none();
            views.extend(view);
            kept
        });
    }
    from.retain_mut(|table| {
        let view = if table.joins.is_empty() { lateral_call(&mut table.relation, false) } else { None };
        let kept = view.is_none();
        views.extend(view);
        kept
    });
    views
}

fn lateral_call(relation: &mut TableFactor, outer: bool) -> Option<LateralView> {
    let (name, args, alias) = match relation {
        TableFactor::Function { lateral: true, name, args, with_ordinality: false, alias } => {
            (name, args, alias)
        }
        TableFactor::Table { name, args: Some(args), alias, .. } => (name, &mut args.args, alias),
        _ => return None,
    };
    if !is_generator(&name.to_string().to_lowercase()) {
        return None;
    }
    let Expr::Function(mut function) = call("explode", Vec::new()) else { return None };
    function.name = name.clone();
    if let FunctionArguments::List(list) = &mut function.args {
        list.args = std::mem::take(args);
    }
    let alias = alias.take();
    let table = alias.as_ref().map_or_else(|| Ident::new("__lateral"), |alias| alias.name.clone());
    let columns = alias.map_or_else(Vec::new, |alias| alias.columns);
    Some(LateralView {
        lateral_view: Expr::Function(function),
        lateral_view_name: ObjectName(vec![ObjectNamePart::Identifier(table)]),
        lateral_col_alias: columns.into_iter().map(|column| column.name).collect(),
        outer,
    })
}

/// Whether a function of this name makes rows.
pub(super) fn is_generator(name: &str) -> bool {
    let plain = name.trim_end_matches("_outer");
    ["explode", "posexplode", "inline", "json_tuple", "stack"].contains(&plain)
}

/// The names of what a generator makes, where its argument's type says more than its name: `key` and `value` of a map, and
/// the fields of structs.
fn named(
    function: &mut Function,
    aliases: Vec<Ident>,
    from: &[TableWithJoins],
    shows: Shows<'_>,
) -> Vec<Ident> {
    let Some(name) = name_of(function).filter(|_| aliases.is_empty()) else { return aliases };
    let positioned = match name.trim_end_matches("_outer") {
        "explode" | "inline" => false,
        "posexplode" => true,
        _ => return aliases,
    };
    let argument = arguments(function).into_iter().next().map(|argument| argument.clone());
    let kind = argument.and_then(|argument| type_of(argument, from, shows));
    let names: Vec<&str> = match &kind {
        Some(DataType::Map(..)) if positioned => vec!["pos", "key", "value"],
        Some(DataType::Map(..)) => vec!["key", "value"],
        Some(DataType::List(item) | DataType::LargeList(item)) if name.starts_with("inline") => {
            match item.data_type() {
                DataType::Struct(fields) => fields.iter().map(|field| field.name().as_str()).collect(),
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    };
    names.into_iter().map(|name| Ident::with_quote('`', name)).collect()
}

fn generator(function: &mut Function, aliases: Vec<Ident>, outer: bool) -> Option<Generator> {
    let name = name_of(function)?;
    let outer = outer || name.ends_with("_outer");
    let items = if outer { "items_outer" } else { "items" };
    let positioned = if outer { "positioned_outer" } else { "positioned" };
    let named = |names: &[&str]| {
        if aliases.is_empty() {
            names.iter().map(|name| Ident::new(*name)).collect()
        } else {
            aliases.clone()
        }
    };
    let (maker, columns) = match name.trim_end_matches("_outer") {
        "explode" => (items, named(&["col"])),
        "posexplode" => (positioned, named(&["pos", "col"])),
        "inline" if !aliases.is_empty() => (items, aliases),
        "json_tuple" => {
            let count = arguments(function).len().saturating_sub(1);
            let names: Vec<String> = (0..count).map(|index| format!("c{index}")).collect();
            let columns = named(&names.iter().map(String::as_str).collect::<Vec<_>>());
            let given = arguments(function).into_iter().map(take).collect();
            return Some(Generator { made: call("json_tuple", given), unnests: false, columns });
        }
        "stack" => return stack(function, &aliases),
        _ => return None,
    };
    let array = arguments(function).into_iter().next().map(take)?;
    Some(Generator { made: call("unnest", vec![call(maker, vec![array])]), unnests: true, columns })
}

/// `stack(2, a, b, c, d)`: two rows of two columns.
fn stack(function: &mut Function, aliases: &[Ident]) -> Option<Generator> {
    let given: Vec<Expr> = arguments(function).into_iter().map(take).collect();
    let (rows, values) = given.split_first()?;
    let digits: String = rows.to_string().chars().filter(char::is_ascii_digit).collect();
    let rows: usize = digits.parse().ok().filter(|rows| *rows > 0)?;
    let width = values.len().div_ceil(rows);
    let mut structs = Vec::new();
    for row in 0..rows {
        let cells =
            (0..width).map(|column| values.get(row * width + column).cloned().unwrap_or_else(super::null));
        let pairs = cells.enumerate().flat_map(|(column, cell)| [super::text(format!("col{column}")), cell]);
        structs.push(call("named_struct", pairs.collect()));
    }
    let columns = match aliases {
        [] => (0..width).map(|column| Ident::new(format!("col{column}"))).collect(),
        named => named.to_vec(),
    };
    Some(Generator { made: call("unnest", vec![call("make_array", structs)]), unnests: true, columns })
}

/// Puts the generator into a subquery that takes the place of the tables.
fn below(select: &mut Select, generator: Generator, generated: &mut usize) {
    let from = std::mem::take(&mut select.from);
    let alias = match from.as_slice() {
        [TableWithJoins { relation, joins }] if joins.is_empty() => name_of_table(relation),
        _ => None,
    };
    let alias = alias.unwrap_or_else(|| Ident::new("__generated"));
    let single = generator.columns.len() == 1 && generator.unnests;
    let Generator { made, columns, .. } = generator;
    if single {
        let named = columns.into_iter().next().unwrap_or_else(|| Ident::new("col"));
        select.from =
            vec![derived(vec![SelectItem::ExprWithAlias { expr: made, alias: named }], None, from, alias)];
        return;
    }
    *generated += 1;
    let whole = Ident::with_quote('`', format!("__generated{generated}"));
    let made = vec![SelectItem::ExprWithAlias { expr: made, alias: whole.clone() }];
    let inner = derived(made, None, from, alias.clone());
    let parts = columns.into_iter().enumerate().map(|(index, column)| SelectItem::ExprWithAlias {
        expr: call("part", vec![Expr::Identifier(whole.clone()), number(index)]),
        alias: column,
    });
    select.from = vec![derived(parts.collect(), Some(whole.clone()), vec![inner], alias)];
}

fn name_of_table(relation: &TableFactor) -> Option<Ident> {
    match relation {
        TableFactor::Table { name, alias, .. } => match alias {
            Some(alias) => Some(alias.name.clone()),
            None => name.0.last().and_then(|part| part.as_ident().cloned()),
        },
        TableFactor::Derived { alias, .. } => alias.as_ref().map(|alias| alias.name.clone()),
        _ => None,
    }
}

/// `(SELECT * EXCEPT (hidden), items FROM from) AS alias`
fn derived(
    items: Vec<SelectItem>,
    hidden: Option<Ident>,
    from: Vec<TableWithJoins>,
    alias: Ident,
) -> TableWithJoins {
    let mut wildcard = WildcardAdditionalOptions::default();
    if let Some(first_element) = hidden {
        wildcard.opt_except = Some(ExceptSelectItem { first_element, additional_elements: Vec::new() });
    }
    let mut query = template();
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.projection = if from.is_empty() { Vec::new() } else { vec![SelectItem::Wildcard(wildcard)] };
        select.projection.extend(items);
        select.from = from;
    }
    let alias = TableAlias { explicit: true, name: alias, columns: Vec::new(), at: None };
    TableWithJoins {
        relation: TableFactor::Derived {
            lateral: false,
            subquery: Box::new(query),
            alias: Some(alias),
            sample: None,
        },
        joins: Vec::new(),
    }
}

/// A query to fill.
pub(super) fn template() -> Query {
    let parsed = Parser::new(&Spark).try_with_sql("SELECT 1").and_then(|mut parser| parser.parse_query());
    match parsed {
        Ok(query) => *query,
        Err(_) => unreachable!("SELECT 1 is a query"),
    }
}

/// `view.column` becomes `column`: the view is no table any more.
fn unqualify(select: &mut Select, view: &str, columns: &[Ident]) {
    struct Names<'a> {
        view: &'a str,
        columns: &'a [Ident],
    }
    impl VisitorMut for Names<'_> {
        type Break = ();

        fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            if let Expr::CompoundIdentifier(names) = expression
                && names[0].value.eq_ignore_ascii_case(self.view)
                && self.columns.iter().any(|column| column.value.eq_ignore_ascii_case(&names[1].value))
            {
                names.remove(0);
                if names.len() == 1 {
                    *expression = Expr::Identifier(names.remove(0));
                }
            }
            ControlFlow::Continue(())
        }
    }
    let _ = select.visit(&mut Names { view, columns });
}
