//! Functions that SQL itself says: `CREATE FUNCTION area(r DOUBLE) RETURNS DOUBLE RETURN 3.14 * r * r`. A call is
//! replaced by what the function returns, with the arguments in the place of the parameters.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, FunctionArg, FunctionArgExpr, Ident, Query, SelectItem, SetExpr, VisitMut as _,
    VisitorMut,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::language::{Numbers, parser, plain, tokens};

/// A function of SQL.
#[derive(Debug, Clone)]
pub struct SqlFunction {
    /// In lower case.
    pub name: String,
    /// In their order.
    pub parameters: Vec<Parameter>,
    /// The type of a value; `None` where the body says it.
    pub returns: Option<DataType>,
    /// The columns, of a function that returns a table.
    pub columns: Vec<String>,
    /// Whether it returns a table.
    pub is_table: bool,
    /// Whether it belongs to the session alone.
    pub temporary: bool,
    /// Whether a function of this name is replaced.
    pub replace: bool,
    /// Whether a function of this name is left as it is.
    pub if_not_exists: bool,
    body: Query,
}

/// A parameter of a function.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// As written.
    pub name: String,
    data_type: DataType,
    default: Option<Expr>,
}

impl SqlFunction {
    /// Reads `CREATE FUNCTION`.
    ///
    /// # Errors
    /// If the text is not of that form.
    pub fn parse(text: &str) -> Result<Self, ParserError> {
        let mut parser = parser(tokens(text, Numbers::Suffixed)?);
        let p = &mut parser;
        p.expect_keyword(Keyword::CREATE)?;
        let replace = p.parse_keywords(&[Keyword::OR, Keyword::REPLACE]);
        let temporary = p.parse_one_of_keywords(&[Keyword::TEMPORARY, Keyword::TEMP]).is_some();
        p.expect_keyword(Keyword::FUNCTION)?;
        let if_not_exists = p.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
        let name = p.parse_object_name(false)?;
        let name = name.0.last().map(|part| part.to_string().replace('`', "").to_lowercase());
        let parameters = parameters(p)?;
        let (mut returns, mut columns, mut is_table) = (None, Vec::new(), false);
        if p.parse_keyword(Keyword::RETURNS) {
            if p.parse_keyword(Keyword::TABLE) {
                is_table = true;
                if p.peek_token_ref().token == Token::LParen {
                    columns = self::parameters(p)?.into_iter().map(|column| column.name).collect();
                }
            } else {
                returns = Some(p.parse_data_type()?);
            }
        }
        skip_characteristics(p);
        let body = body(p)?;
        let name = name.unwrap_or_default();
        Ok(SqlFunction {
            name,
            parameters,
            returns,
            columns,
            is_table,
            temporary,
            replace,
            if_not_exists,
            body,
        })
    }

    /// As Spark shows a call of it.
    #[must_use]
    pub fn shown_name(&self) -> String {
        if self.temporary { self.name.clone() } else { format!("spark_catalog.default.{}", self.name) }
    }

    /// The arguments of a call in the order of the parameters; those that are named find their places.
    ///
    /// # Errors
    /// An argument that no parameter is called as, or one between others that is missing and has no default.
    pub fn ordered(&self, given: &[FunctionArg]) -> Result<Vec<Expr>, ParserError> {
        let mut placed = Vec::new();
        let mut named = Vec::new();
        for argument in given {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => placed.push(value.clone()),
                FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. } => {
                    named.push((name.value.clone(), value.clone()));
                }
                other => return Err(wrong(format!("{} takes no {other}", self.name))),
            }
        }
        for parameter in self.parameters.iter().skip(placed.len()) {
            if named.is_empty() {
                break;
            }
            let found = named.iter().position(|(name, _)| name.eq_ignore_ascii_case(&parameter.name));
            let value = found.map(|at| named.remove(at).1).or_else(|| parameter.default.clone());
            placed.push(value.ok_or_else(|| wrong(format!("{} wants {}", self.name, parameter.name)))?);
        }
        match named.first() {
            Some((name, _)) => Err(wrong(format!("{} has no parameter {name}", self.name))),
            None => Ok(placed),
        }
    }

    /// The value that a call stands for.
    ///
    /// # Errors
    /// Too few arguments or too many, or a function that returns a table.
    pub fn value(&self, arguments: Vec<Expr>) -> Result<Expr, ParserError> {
        if self.is_table {
            return Err(wrong(format!("{} returns a table and is no value", self.name)));
        }
        let query = self.filled(arguments)?;
        let value = match single(&query) {
            Some(value) => Expr::Nested(Box::new(value)),
            None => Expr::Subquery(Box::new(query)),
        };
        Ok(match &self.returns {
            Some(data_type) => cast(value, data_type.clone()),
            None => value,
        })
    }

    /// The table that a call stands for.
    ///
    /// # Errors
    /// Too few arguments or too many, or a function that returns a value.
    pub fn table(&self, arguments: Vec<Expr>) -> Result<Query, ParserError> {
        if !self.is_table {
            return Err(wrong(format!("{} returns a value and is no table", self.name)));
        }
        self.filled(arguments)
    }

    fn filled(&self, arguments: Vec<Expr>) -> Result<Query, ParserError> {
        if arguments.len() > self.parameters.len() {
            let wanted = self.parameters.len();
            return Err(wrong(format!("{} takes {wanted} arguments, not {}", self.name, arguments.len())));
        }
        let mut given = arguments.into_iter();
        let mut values: Vec<(String, Expr)> = Vec::with_capacity(self.parameters.len());
        for parameter in &self.parameters {
            let value = given.next().or_else(|| parameter.default.clone());
            let value = value.ok_or_else(|| wrong(format!("{} wants {}", self.name, parameter.name)))?;
            let value = cast(Expr::Nested(Box::new(value)), parameter.data_type.clone());
            values.push((parameter.name.clone(), value));
        }
        let mut body = self.body.clone();
        let _ = body.visit(&mut Fill { function: &self.name, values: &values });
        Ok(body)
    }
}

fn parameters(p: &mut Parser<'_>) -> Result<Vec<Parameter>, ParserError> {
    let mut parameters = Vec::new();
    p.expect_token(&Token::LParen)?;
    while p.peek_token_ref().token != Token::RParen {
        let name = p.parse_identifier()?.value;
        let data_type = p.parse_data_type()?;
        let _ = p.parse_keywords(&[Keyword::NOT, Keyword::NULL]);
        let default = if p.parse_keyword(Keyword::DEFAULT) { Some(p.parse_expr()?) } else { None };
        if p.parse_keyword(Keyword::COMMENT) {
            p.parse_literal_string()?;
        }
        parameters.push(Parameter { name, data_type, default });
        if !p.consume_token(&Token::Comma) {
            break;
        }
    }
    p.expect_token(&Token::RParen)?;
    Ok(parameters)
}

/// `LANGUAGE SQL DETERMINISTIC COMMENT '...'` and their kin change nothing.
fn skip_characteristics(p: &mut Parser<'_>) {
    while !matches!(p.peek_token_ref().token, Token::EOF | Token::SemiColon)
        && !matches!(&p.peek_token_ref().token, Token::Word(word) if word.value.eq_ignore_ascii_case("RETURN"))
    {
        p.next_token();
    }
}

/// What stands behind `RETURN`: a query, or a value, which is a query without tables.
fn body(p: &mut Parser<'_>) -> Result<Query, ParserError> {
    p.expect_keyword(Keyword::RETURN)?;
    let is_query = matches!(&p.peek_token_ref().token, Token::Word(word)
        if matches!(word.keyword, Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::TABLE | Keyword::FROM));
    let mut query = if is_query {
        *p.parse_query()?
    } else {
        let value = p.parse_expr()?;
        let mut query = *parser(tokens("SELECT 1", Numbers::Suffixed)?).parse_query()?;
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.projection = vec![SelectItem::UnnamedExpr(value)];
        }
        query
    };
    if !matches!(p.peek_token_ref().token, Token::EOF | Token::SemiColon) {
        return Err(wrong(format!("expected the end of the function, met '{}'", p.peek_token_ref().token)));
    }
    plain(&mut query)?;
    Ok(query)
}

/// The only value of a query without tables.
fn single(query: &Query) -> Option<Expr> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let bare = query.with.is_none()
        && query.limit_clause.is_none()
        && select.from.is_empty()
        && select.selection.is_none()
        && select.having.is_none();
    match select.projection.as_slice() {
        [SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }] if bare => {
            Some(value.clone())
        }
        _ => None,
    }
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None }
}

fn wrong(text: String) -> ParserError {
    ParserError::ParserError(text)
}

/// Puts arguments in the place of parameters.
struct Fill<'a> {
    function: &'a str,
    values: &'a [(String, Expr)],
}

impl VisitorMut for Fill<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let name = match expr {
            Expr::Identifier(name) => Some(&*name),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [function, name] if function.value.eq_ignore_ascii_case(self.function) => Some(name),
                _ => None,
            },
            _ => None,
        };
        let same = |name: &Ident, known: &str| name.value.eq_ignore_ascii_case(known);
        if let Some((_, value)) =
            name.and_then(|name| self.values.iter().find(|(known, _)| same(name, known)))
        {
            *expr = value.clone();
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<Expr> {
        let mut parser = parser(tokens(text, Numbers::Suffixed).unwrap());
        parser.parse_comma_separated(Parser::parse_expr).unwrap()
    }

    #[test]
    fn a_call_becomes_what_the_function_returns() {
        let text = "CREATE OR REPLACE TEMPORARY FUNCTION area(r DOUBLE, k INT DEFAULT 3) RETURNS DOUBLE \
                    COMMENT 'of a circle' RETURN k * area.r * r";
        let function = SqlFunction::parse(text).unwrap();
        assert_eq!((function.name.as_str(), function.replace), ("area", true));
        let value = function.value(arguments("x + 1")).unwrap();
        assert_eq!(
            value.to_string(),
            "CAST((CAST((3) AS INT) * CAST((x + 1) AS DOUBLE) * CAST((x + 1) AS DOUBLE)) AS DOUBLE)"
        );
        assert!(function.value(Vec::new()).is_err());
        assert!(function.value(arguments("1, 2, 3")).is_err());
    }

    #[test]
    fn a_function_may_return_a_query_or_a_table() {
        let function =
            SqlFunction::parse("CREATE FUNCTION f(a INT) RETURN SELECT max(b) FROM t WHERE c = a").unwrap();
        let value = function.value(arguments("1")).unwrap();
        assert_eq!(value.to_string(), "(SELECT max(b) FROM t WHERE c = CAST((1) AS INT))");
        let table =
            SqlFunction::parse("CREATE FUNCTION g() RETURNS TABLE(x INT) RETURN VALUES (1), (2)").unwrap();
        assert_eq!(table.columns, ["x"]);
        assert!(table.value(Vec::new()).is_err());
        assert_eq!(table.table(Vec::new()).unwrap().to_string(), "VALUES (1), (2)");
    }
}
