//! `GROUP BY`: columns, and sets of them.

use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, GroupByWithModifier, Select,
};

use crate::error::{Result, SparkError};
use crate::expression::Named;
use crate::plan::Planner;
use crate::plan::frame::Frame;
use crate::sql::Arguments;
use crate::sql::query::{ordinal, same};
use crate::sql::select::function_name;
use crate::wire::expression::Expression;

/// The columns of a `GROUP BY`, each once, and the sets of them.
struct Groups {
    groups: Vec<Named>,
    sets: Vec<Vec<usize>>,
    /// Whether it says sets, and not only columns.
    several: bool,
}

impl Default for Groups {
    fn default() -> Self {
        Groups { groups: Vec::new(), sets: vec![Vec::new()], several: false }
    }
}

impl Groups {
    fn place(&mut self, group: Named) -> usize {
        let known = self.groups.iter().position(|known| known.expr == group.expr);
        known.unwrap_or_else(|| {
            self.groups.push(group);
            self.groups.len() - 1
        })
    }

    /// Every set so far with each of these: `GROUP BY a, ROLLUP (b)` is `GROUPING SETS ((a, b), (a))`.
    fn cross(&mut self, sets: &[Vec<usize>], several: bool) {
        self.several |= several;
        let with = |before: &Vec<usize>, more: &Vec<usize>| {
            let mut both = before.clone();
            both.extend(more.iter().filter(|place| !before.contains(place)));
            both
        };
        self.sets =
            self.sets.iter().flat_map(|before| sets.iter().map(move |more| with(before, more))).collect();
    }
}

/// What makes sets of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// All, all but the last, ... and none.
    Rollup,
    /// Some and not others, in every way.
    Cube,
    /// Each member is a set.
    Sets,
}

impl Kind {
    fn of(self, members: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
        let rollup = match self {
            Kind::Sets => return members,
            Kind::Rollup => true,
            Kind::Cube => false,
        };
        let all: Vec<usize> = (0..members.len()).collect();
        let chosen = crate::plan::sets(&all, rollup);
        chosen.iter().map(|set| set.iter().flat_map(|member| members[*member].clone()).collect()).collect()
    }
}

impl Planner<'_> {
    /// The groups, and which sets of them if there are several; or `None` without `GROUP BY`.
    pub(super) async fn groups(
        &mut self,
        frame: &Frame,
        select: &Select,
        outputs: &[Named],
        arguments: &Arguments,
    ) -> Result<Option<(Vec<Named>, Vec<Vec<usize>>)>> {
        let (exprs, modifiers) = match &select.group_by {
            GroupByExpr::Expressions(exprs, modifiers) if exprs.is_empty() && modifiers.is_empty() => {
                return Ok(None);
            }
            GroupByExpr::Expressions(exprs, modifiers) => (exprs, modifiers),
            GroupByExpr::All(_) => {
                let plain = |named: &&Named| find_aggregate_exprs([&named.expr]).is_empty();
                return Ok(Some((outputs.iter().filter(plain).cloned().collect(), Vec::new())));
            }
        };
        let mut found = Groups::default();
        for expr in exprs {
            let Some((members, kind)) = members(expr) else {
                let read = self.read_one(expr, arguments, Some(frame)).await?;
                let group = self.group(frame, expr, &read, outputs)?;
                found.groups.push(group);
                found.cross(&[vec![found.groups.len() - 1]], false);
                continue;
            };
            let places = self.member_places(frame, &members, outputs, arguments, &mut found).await?;
            found.cross(&kind.of(places), true);
        }
        for modifier in modifiers {
            let all = (0..found.groups.len()).map(|place| vec![place]).collect();
            found.sets = match modifier {
                GroupByWithModifier::Rollup => Kind::Rollup.of(all),
                GroupByWithModifier::Cube => Kind::Cube.of(all),
                // These say themselves which of the groups are in which set.
                GroupByWithModifier::GroupingSets(sets) => {
                    let Some((members, kind)) = members(sets) else { continue };
                    kind.of(self.member_places(frame, &members, outputs, arguments, &mut found).await?)
                }
                _ => return Err(SparkError::unsupported("this kind of GROUP BY")),
            };
            found.several = true;
        }
        Ok(Some((found.groups, if found.several { found.sets } else { Vec::new() })))
    }

    /// The places of the columns in each member of a set.
    async fn member_places(
        &mut self,
        frame: &Frame,
        members: &[Vec<Expr>],
        outputs: &[Named],
        arguments: &Arguments,
        found: &mut Groups,
    ) -> Result<Vec<Vec<usize>>> {
        let mut places = Vec::new();
        for member in members {
            let mut of_member = Vec::new();
            for expr in member {
                let read = self.read_one(expr, arguments, Some(frame)).await?;
                of_member.push(found.place(self.group(frame, expr, &read, outputs)?));
            }
            places.push(of_member);
        }
        Ok(places)
    }

    /// A group: an ordinal, a column, or an alias of the select list.
    pub(super) fn group(
        &self,
        frame: &Frame,
        expr: &Expr,
        read: &Expression,
        outputs: &[Named],
    ) -> Result<Named> {
        if let Some(output) = ordinal(expr).and_then(|place| outputs.get(place)) {
            return Ok(output.clone());
        }
        let resolved = self.resolver(frame).named(read);
        if let (Err(_), Expr::Identifier(name)) = (&resolved, expr)
            && let Some(output) = outputs.iter().find(|output| same(name, output.column_name()))
        {
            return Ok(output.clone());
        }
        resolved
    }
}

/// The members of `ROLLUP (..)`, `CUBE (..)` and `GROUPING SETS (..)`, and which of these it is.
fn members(expr: &Expr) -> Option<(Vec<Vec<Expr>>, Kind)> {
    match expr {
        Expr::Rollup(members) => Some((members.clone(), Kind::Rollup)),
        Expr::Cube(members) => Some((members.clone(), Kind::Cube)),
        Expr::GroupingSets(members) => Some((members.clone(), Kind::Sets)),
        Expr::Function(call) => {
            let kind = match function_name(&call.name).as_str() {
                "rollup" => Kind::Rollup,
                "cube" => Kind::Cube,
                _ => return None,
            };
            let FunctionArguments::List(list) = &call.args else { return None };
            let member = |argument: &FunctionArg| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Tuple(exprs))) => Some(exprs.clone()),
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(vec![expr.clone()]),
                _ => None,
            };
            Some((list.args.iter().filter_map(member).collect(), kind))
        }
        _ => None,
    }
}
