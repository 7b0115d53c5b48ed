//! Statements that SQL has for questions of `spark.catalog`: `CACHE TABLE`, `REFRESH TABLE`, `TRUNCATE TABLE` and their kin.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::error::Result;
use crate::sql::describe::{name, word};
use crate::sql::{finished, parser, wrong};
use crate::wire::statistics::{
    AnalyzeTable, CacheTable, CatType, ClearCache, IsCached, TruncateTable, UncacheTable,
};

/// What is done to a table; whether it may be missing.
#[derive(Debug, Clone)]
pub(crate) struct Upkeep {
    pub(crate) deed: CatType,
    pub(crate) if_exists: bool,
}

/// Reads such a statement; `None` if it is another one.
pub(super) fn read(text: &str) -> Result<Option<Upkeep>> {
    let Ok(mut parser) = parser(text) else { return Ok(None) };
    let p = &mut parser;
    let mut if_exists = false;
    let deed = if word(p, &["CACHE"]) {
        let _ = word(p, &["LAZY"]);
        CatType::CacheTable(CacheTable { table_name: table(p)?, storage_level: None })
    } else if word(p, &["UNCACHE"]) {
        p.expect_keyword(Keyword::TABLE).map_err(wrong)?;
        if_exists = p.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
        CatType::UncacheTable(UncacheTable { table_name: name(p)? })
    } else if word(p, &["CLEAR"]) && word(p, &["CACHE"]) {
        CatType::ClearCache(ClearCache {})
    } else if word(p, &["REFRESH"]) {
        let _ = p.parse_keyword(Keyword::TABLE);
        CatType::RefreshTable(IsCached { table_name: name(p)? })
    } else if word(p, &["TRUNCATE"]) {
        CatType::TruncateTable(TruncateTable { table_name: table(p)? })
    } else if word(p, &["ANALYZE"]) {
        let table_name = table(p)?;
        // Which figures are counted is no matter: a plan asks none.
        while !matches!(p.peek_token_ref().token, Token::EOF | Token::SemiColon) {
            p.next_token();
        }
        CatType::AnalyzeTable(AnalyzeTable { table_name, no_scan: false })
    } else if word(p, &["MSCK"]) {
        let _ = word(p, &["REPAIR"]);
        CatType::RecoverPartitions(IsCached { table_name: table(p)? })
    } else {
        return Ok(None);
    };
    finished(p)?;
    Ok(Some(Upkeep { deed, if_exists }))
}

fn table(p: &mut Parser<'_>) -> Result<String> {
    p.expect_keyword(Keyword::TABLE).map_err(wrong)?;
    name(p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deeds_to_tables() {
        let deed = |text: &str| read(text).unwrap().map(|upkeep| upkeep.deed);
        assert!(
            matches!(deed("CACHE LAZY TABLE a.t"), Some(CatType::CacheTable(cache)) if cache.table_name == "`a`.`t`")
        );
        assert!(matches!(deed("CLEAR CACHE"), Some(CatType::ClearCache(_))));
        assert!(matches!(deed("refresh t"), Some(CatType::RefreshTable(_))));
        assert!(matches!(
            deed("ANALYZE TABLE t COMPUTE STATISTICS FOR ALL COLUMNS"),
            Some(CatType::AnalyzeTable(_))
        ));
        assert!(matches!(deed("MSCK REPAIR TABLE t"), Some(CatType::RecoverPartitions(_))));
        assert!(read("UNCACHE TABLE IF EXISTS t").unwrap().unwrap().if_exists);
        assert!(read("CACHE TABLE t AS SELECT 1").is_err());
        assert!(deed("CREATE TABLE t (a INT)").is_none() && deed("SELECT 1").is_none());
    }
}
