//! How Spark's SQL differs from others, for the parser.

use std::any::TypeId;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, Expr, Ident, ObjectName, ObjectNamePart, TypedString, Value,
};
use datafusion::sql::sqlparser::dialect::{Dialect, Precedence, SparkSqlDialect};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::interval;

/// `TIMESTAMP_NTZ'2020-01-01'` and `TIMESTAMP_LTZ'...'`.
fn typed(parser: &mut Parser<'_>) -> Option<Expr> {
    let Token::Word(word) = &parser.peek_token_ref().token else { return None };
    let name = word.value.to_ascii_uppercase();
    if word.quote_style.is_some() || !matches!(name.as_str(), "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ") {
        return None;
    }
    let Token::SingleQuotedString(text) = &parser.peek_nth_token_ref(1).token else { return None };
    let value = Value::SingleQuotedString(text.clone()).into();
    parser.next_token();
    parser.next_token();
    let name = ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))]);
    let data_type = DataType::Custom(name, Vec::new());
    Some(Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }))
}

/// Spark's SQL with pipes, `FROM` before `SELECT`, and intervals as Spark writes them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spark;

macro_rules! yes {
    ($($name:ident)*) => {
        $(fn $name(&self) -> bool {
            true
        })*
    };
}

impl Dialect for Spark {
    yes! {
        supports_filter_during_aggregation
        supports_group_by_expr
        supports_group_by_with_modifier
        supports_lambda_functions
        supports_select_wildcard_except
        supports_select_wildcard_replace
        supports_struct_literal
        supports_nested_comments
        supports_create_table_using
        supports_long_type_as_bigint
        supports_values_as_table_factor
        require_interval_qualifier
        supports_bang_not_operator
        supports_select_item_multi_column_alias
        supports_cte_without_as
        supports_map_literal_with_angle_brackets
        supports_pipe_operator
        supports_from_first_select
        supports_bitwise_shift_operators
        supports_named_fn_args_with_rarrow_operator
        supports_window_clause_named_window_reference
    }

    fn dialect(&self) -> TypeId {
        TypeId::of::<SparkSqlDialect>()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_ascii_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_ascii_alphanumeric() || ch == '_'
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        interval::parse(parser).or_else(|| typed(parser)).map(Ok)
    }

    /// `a DIV b` binds as `a / b` does, and `a >>> b` as `a >> b`.
    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        left: &Expr,
        _precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        let (op, precedence) = if parser.parse_keyword(Keyword::DIV) {
            (BinaryOperator::MyIntegerDivide, Precedence::MulDivModOp)
        } else if parser.peek_token_ref().token == Token::ShiftRight
            && parser.peek_nth_token_ref(1).token == Token::Gt
        {
            parser.next_token();
            parser.next_token();
            (BinaryOperator::Custom(">>>".to_owned()), Precedence::Caret)
        } else {
            return None;
        };
        let right = parser.parse_subexpr(self.prec_value(precedence));
        Some(right.map(|right| Expr::BinaryOp { left: Box::new(left.clone()), op, right: Box::new(right) }))
    }
}
