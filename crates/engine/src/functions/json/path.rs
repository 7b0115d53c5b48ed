//! Paths of `get_json_object`: `$`, `.name`, `['name']`, `[0]`, `[*]`, `.*`.

use super::value::Json;

/// The steps behind the `$`.
pub(super) type Path = Vec<Step>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Name(String),
    Index(usize),
    Every,
}

/// `None` where Spark answers NULL: the path is not one.
pub(super) fn parse(text: &str) -> Option<Path> {
    let mut rest = text.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(named) = rest.strip_prefix('.') {
            let end = named.find(['.', '[']).unwrap_or(named.len());
            let (name, behind) = named.split_at(end);
            if name.is_empty() {
                return None;
            }
            steps.push(if name == "*" { Step::Every } else { Step::Name(name.to_owned()) });
            rest = behind;
        } else {
            let inside = rest.strip_prefix('[')?;
            let (step, behind) = match inside.strip_prefix('\'') {
                Some(quoted) => {
                    let (name, behind) = quoted.split_once("']")?;
                    (Step::Name(name.to_owned()), behind)
                }
                None => {
                    let (index, behind) = inside.split_once(']')?;
                    let step = if index == "*" { Step::Every } else { Step::Index(index.parse().ok()?) };
                    (step, behind)
                }
            };
            steps.push(step);
            rest = behind;
        }
    }
    Some(steps)
}

/// What Spark shows of the value under the path; `None` where there is none, or `null`.
pub(super) fn find(json: &Json<'_>, path: &[Step]) -> Option<String> {
    let many = path.contains(&Step::Every);
    let mut found = Vec::new();
    walk(json, path, &mut found);
    match (found.as_slice(), many) {
        ([], _) | ([Json::Null], false) => None,
        ([one], false) => Some(one.shown()),
        // One value behind a wildcard stands alone, a string in its quotes.
        ([one], true) => {
            let mut text = String::new();
            one.write(&mut text);
            Some(text)
        }
        (several, _) => Some(Json::List(several.iter().map(|json| (*json).clone()).collect()).shown()),
    }
}

fn walk<'j, 'a>(json: &'j Json<'a>, path: &[Step], found: &mut Vec<&'j Json<'a>>) {
    let Some((step, rest)) = path.split_first() else {
        found.push(json);
        return;
    };
    match (step, json) {
        (Step::Name(name), json) => {
            if let Some(value) = json.field(name) {
                walk(value, rest, found);
            }
        }
        (Step::Index(index), Json::List(items)) => {
            if let Some(item) = items.get(*index) {
                walk(item, rest, found);
            }
        }
        (Step::Every, Json::List(items)) => {
            // At the end of a path the array is itself what was asked for.
            if rest.is_empty() {
                found.push(json);
            } else {
                items.iter().for_each(|item| walk(item, rest, found));
            }
        }
        _ => {}
    }
}
