//! Licence expressions, as SPDX writes them: `MIT OR (Apache-2.0 WITH LLVM-exception AND Zlib)`.

use anyhow::{Result, bail, ensure};

/// Whether the expression can be met with the allowed licences alone.
pub(crate) fn allowed(expression: &str, allow: &[String]) -> Result<bool> {
    // Cargo once let a slash mean OR, and many manifests still do.
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words, allow };
    let result = parser.either()?;
    ensure!(parser.words.is_empty(), "unexpected `{}`", parser.words[0]);
    Ok(result)
}

struct Parser<'a> {
    words: &'a [&'a str],
    allow: &'a [String],
}

impl Parser<'_> {
    fn either(&mut self) -> Result<bool> {
        let mut result = self.both()?;
        while self.take("OR") {
            result |= self.both()?;
        }
        Ok(result)
    }

    fn both(&mut self) -> Result<bool> {
        let mut result = self.one()?;
        while self.take("AND") {
            result &= self.one()?;
        }
        Ok(result)
    }

    fn one(&mut self) -> Result<bool> {
        if self.take("(") {
            let result = self.either()?;
            ensure!(self.take(")"), "a bracket is not closed");
            return Ok(result);
        }
        let mut licence = self.name()?.to_owned();
        if self.take("WITH") {
            licence = format!("{licence} WITH {}", self.name()?);
        }
        Ok(self.allow.contains(&licence))
    }

    fn name(&mut self) -> Result<&str> {
        match self.words.split_first() {
            Some((word, rest)) if !matches!(*word, "AND" | "OR" | "WITH" | "(" | ")") => {
                self.words = rest;
                Ok(word)
            }
            _ => bail!("a licence is missing"),
        }
    }

    fn take(&mut self, word: &str) -> bool {
        match self.words.split_first() {
            Some((first, rest)) if *first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }
}
