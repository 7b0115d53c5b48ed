//! `VALUES 1, 2 AS t(a)`: rows of one value need no parentheses, and what has a name is selected from.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

/// What stands behind the rows.
const BEHIND: [Keyword; 23] = [
    Keyword::AS,
    Keyword::WHERE,
    Keyword::GROUP,
    Keyword::ORDER,
    Keyword::LIMIT,
    Keyword::UNION,
    Keyword::INTERSECT,
    Keyword::EXCEPT,
    Keyword::MINUS,
    Keyword::JOIN,
    Keyword::LEFT,
    Keyword::RIGHT,
    Keyword::FULL,
    Keyword::CROSS,
    Keyword::INNER,
    Keyword::HAVING,
    Keyword::LATERAL,
    Keyword::NATURAL,
    Keyword::OFFSET,
    Keyword::SORT,
    Keyword::PIVOT,
    Keyword::WINDOW,
    Keyword::SELECT,
];

/// Words that go on with a value.
const OPERATORS: [&str; 12] =
    ["AND", "OR", "NOT", "IN", "IS", "LIKE", "ILIKE", "RLIKE", "BETWEEN", "DIV", "REGEXP", "COLLATE"];

/// Words before a bracket in which a query may stand; any other word calls a function there.
const OPENS_QUERY: [&str; 16] = [
    "IN",
    "EXISTS",
    "FROM",
    "JOIN",
    "AS",
    "ALL",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "MINUS",
    "ANY",
    "LATERAL",
    "WHERE",
    "AND",
    "OR",
    "NOT",
];

/// Words behind which a query begins.
const BEGINS_QUERY: [&str; 9] =
    ["AS", "ALL", "UNION", "EXCEPT", "INTERSECT", "MINUS", "DISTINCT", "RETURN", "QUERY"];

/// `TABLE t` as `SELECT * FROM t`: the parser takes a token too many behind it. `tokens` are without blanks.
pub(super) fn tables(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut out = Vec::with_capacity(tokens.len());
    for (index, token) in tokens.iter().enumerate() {
        let named = matches!(tokens.get(index + 1).map(|next| &next.token), Some(Token::Word(_)));
        if is(&token.token, Keyword::TABLE) && named && begins_query(&tokens[..index]) {
            let words = [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")];
            out.extend(words.map(|word| TokenWithSpan { token: word, span: token.span }));
        } else {
            out.push(token.clone());
        }
    }
    out
}

fn begins_query(before: &[TokenWithSpan]) -> bool {
    let word = |at: usize, known: &[&str]| {
        let token = before.len().checked_sub(at).and_then(|at| before.get(at)).map(|token| &token.token);
        match token {
            Some(Token::Word(word)) => known.iter().any(|known| word.value.eq_ignore_ascii_case(known)),
            // A bracket that nobody calls.
            None | Some(_) => at == 2,
        }
    };
    match before.last().map(|token| &token.token) {
        None | Some(Token::RParen) => true,
        Some(Token::LParen) => word(2, &OPENS_QUERY),
        Some(Token::Word(_)) => word(1, &BEGINS_QUERY),
        Some(_) => false,
    }
}

/// The tokens with rows as the parser wants them. `tokens` are without blanks.
pub(super) fn rows(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut index = 0;
    while index < tokens.len() {
        let token = &tokens[index];
        index += 1;
        if !is_values(&token.token) || is_name(&tokens[..index - 1]) {
            out.push(token.clone());
            continue;
        }
        let (items, end) = items(tokens, index);
        let of = |kind: Token| TokenWithSpan { token: kind, span: token.span };
        if selects(&tokens[..index - 1]) && is_alias(tokens, end) {
            out.push(of(Token::make_keyword("SELECT")));
            out.push(of(Token::Mul));
            out.push(of(Token::make_keyword("FROM")));
        }
        out.push(token.clone());
        for (number, item) in items.iter().enumerate() {
            if number > 0 {
                out.push(of(Token::Comma));
            }
            // Values in a row may hold rows themselves, of queries.
            let inside = rows(item);
            if is_row(item) {
                out.extend(inside);
            } else {
                out.push(of(Token::LParen));
                out.extend(inside);
                out.push(of(Token::RParen));
            }
        }
        index = end;
    }
    out
}

/// The rows that begin here, and where they end.
fn items(tokens: &[TokenWithSpan], start: usize) -> (Vec<&[TokenWithSpan]>, usize) {
    let (mut items, mut depth, mut begin, mut at) = (Vec::new(), 0_i32, start, start);
    while let Some(token) = tokens.get(at) {
        match &token.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth -= 1,
            Token::Comma if depth == 0 => {
                items.push(&tokens[begin..at]);
                begin = at + 1;
            }
            Token::SemiColon | Token::VerticalBarRightAngleBracket => break,
            Token::Word(word) if depth == 0 && ends(word, &tokens[begin..at]) => break,
            _ => {}
        }
        if depth < 0 {
            break;
        }
        at += 1;
    }
    if begin < at {
        items.push(&tokens[begin..at]);
    }
    (items, at)
}

/// Whether the word stands behind the rows: `item` is what came since the last comma.
fn ends(word: &Word, item: &[TokenWithSpan]) -> bool {
    if word.quote_style.is_none() && BEHIND.contains(&word.keyword) {
        return true;
    }
    let operator = word.quote_style.is_none()
        && OPERATORS.iter().any(|operator| word.value.eq_ignore_ascii_case(operator));
    !operator && is_row(item)
}

/// Whether all of it stands in one pair of parentheses.
fn is_row(item: &[TokenWithSpan]) -> bool {
    let mut depth = 0_i32;
    let closes = item.iter().position(|token| {
        depth += i32::from(token.token == Token::LParen) - i32::from(token.token == Token::RParen);
        depth == 0
    });
    item.first().is_some_and(|first| first.token == Token::LParen) && closes == Some(item.len() - 1)
}

fn is_values(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.keyword == Keyword::VALUES)
}

/// Whether VALUES is a name here: behind a point, or in a list of columns.
fn is_name(before: &[TokenWithSpan]) -> bool {
    match before.last().map(|token| &token.token) {
        None | Some(Token::LParen | Token::RParen | Token::SemiColon | Token::Word(_)) => false,
        // `FROM t, VALUES (1)`
        Some(Token::Comma) => !before.iter().any(|token| is(&token.token, Keyword::FROM)),
        Some(_) => true,
    }
}

/// Whether the rows are a query here, and no table of one.
fn selects(before: &[TokenWithSpan]) -> bool {
    match before.last().map(|token| &token.token) {
        Some(Token::Comma) => false,
        Some(token) => !is(token, Keyword::FROM) && !is(token, Keyword::JOIN),
        None => true,
    }
}

fn is_alias(tokens: &[TokenWithSpan], at: usize) -> bool {
    match tokens.get(at).map(|token| &token.token) {
        Some(Token::Word(word)) if word.quote_style.is_none() && word.keyword == Keyword::AS => true,
        Some(Token::Word(word)) => word.quote_style.is_some() || !BEHIND.contains(&word.keyword),
        _ => false,
    }
}

fn is(token: &Token, keyword: Keyword) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.keyword == keyword)
}

#[cfg(test)]
mod tests {
    use crate::language::{Numbers, tokens};

    fn words(text: &str) -> String {
        let tokens = tokens(text, Numbers::Suffixed).unwrap();
        tokens.iter().map(|token| token.token.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn rows_of_one_value_need_no_parentheses() {
        assert_eq!(words("FROM VALUES 1, f(2, 3) AS t(a)"), "FROM VALUES ( 1 ) , ( f ( 2 , 3 ) ) AS t ( a )");
        assert_eq!(words("(VALUES 1)"), "( VALUES ( 1 ) )");
        assert_eq!(words("VALUES (1), (2)"), "VALUES ( 1 ) , ( 2 )");
        assert_eq!(words("values (1) + 2"), "values ( ( 1 ) + 2 )");
        assert_eq!(words("values 1 order by 1"), "values ( 1 ) order by 1");
    }

    #[test]
    fn tables_by_their_names_are_selected_from() {
        assert_eq!(words("TABLE t |> LIMIT 1"), "SELECT * FROM t |> LIMIT 1");
        assert_eq!(words("(TABLE t) UNION ALL TABLE u"), "( SELECT * FROM t ) UNION ALL SELECT * FROM u");
        assert_eq!(words("ML_PREDICT(TABLE t, MODEL m)"), "ML_PREDICT ( TABLE t , MODEL m )");
        assert_eq!(words("INSERT INTO TABLE t"), "INSERT INTO TABLE t");
    }

    #[test]
    fn rows_with_a_name_are_selected_from() {
        assert_eq!(words("AS VALUES (1) AS t(a)"), "AS SELECT * FROM VALUES ( 1 ) AS t ( a )");
        assert_eq!(words("VALUES (1) t"), "SELECT * FROM VALUES ( 1 ) t");

        assert_eq!(words("SELECT t.values"), "SELECT t . values");
    }
}
