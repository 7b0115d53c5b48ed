//! Where reading starts and ends: `-o`, as kcat has it.

use std::collections::BTreeMap;

use crate::client::kafka::Cluster;
use crate::client::kafka::cluster::Topic;
use crate::client::kafka::fetcher::Span;
use crate::client::kafka::offsets::{At, Isolation, Place};
use crate::moment::parse_moment;

/// One `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// From the first record.
    Beginning,
    /// From behind the last record.
    End,
    /// From this offset.
    Offset(i64),
    /// The last so many of each partition.
    Last(i64),
    /// From the first record at or after a moment.
    From(i64),
    /// To the first record at or after a moment, which is not read.
    Until(i64),
}

impl Bound {
    /// Parses `beginning`, `end`, `17`, `-10`, `s@MOMENT`, `e@MOMENT`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let moment = |text: &str| parse_moment(text).map_err(|error| error.to_string());
        match text {
            "beginning" | "earliest" | "stored" => return Ok(Self::Beginning),
            "end" | "latest" => return Ok(Self::End),
            _ => {}
        }
        if let Some(text) = text.strip_prefix("s@") {
            return moment(text).map(Self::From);
        }
        if let Some(text) = text.strip_prefix("e@") {
            return moment(text).map(Self::Until);
        }
        match text.parse::<i64>() {
            Ok(last) if text.starts_with('-') => Ok(Self::Last(last.saturating_neg())),
            Ok(offset) => Ok(Self::Offset(offset)),
            Err(_) => Err("it is beginning, end, an offset, -N, s@MOMENT or e@MOMENT".to_owned()),
        }
    }
}

/// Where each partition is read from and to.
pub(super) fn resolve(
    cluster: &mut Cluster,
    topics: &[Topic],
    places: &[Place],
    bounds: &[Bound],
    exit: bool,
    isolation: Isolation,
) -> anyhow::Result<BTreeMap<Place, Span>> {
    let mut ask = |at: At| cluster.offsets(topics, |_, _| Some(at), isolation);
    let start = bounds.iter().rfind(|bound| !matches!(bound, Bound::Until(_)));
    let start = start.copied().unwrap_or(Bound::Beginning);
    let end = bounds.iter().rev().find_map(|bound| match bound {
        Bound::Until(moment) => Some(*moment),
        _ => None,
    });
    let (starts, ends) = (ask(At::Earliest)?, ask(At::Latest)?);
    let from_times = match start {
        Bound::From(moment) => Some(ask(At::Time(moment))?),
        _ => None,
    };
    let until_times = end.map(|moment| ask(At::Time(moment))).transpose()?;
    let span = |place: &Place| {
        let first = starts.get(place).copied().unwrap_or(0);
        let last = ends.get(place).copied().unwrap_or(first);
        let from = match start {
            Bound::End => last,
            Bound::Offset(offset) => offset,
            Bound::Last(count) => last.saturating_sub(count).max(first),
            // Nothing is as late: what comes is.
            Bound::From(_) => from_times.as_ref().and_then(|times| times.get(place)).copied().unwrap_or(last),
            Bound::Beginning | Bound::Until(_) => first,
        };
        let until = match &until_times {
            // Where nothing is as late as the moment, all of it is earlier.
            Some(times) => Some(times.get(place).copied().unwrap_or(last)),
            None => exit.then_some(last),
        };
        (place.clone(), Span { from, until })
    };
    Ok(places.iter().map(span).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_as_kcat_has_them() {
        for (text, bound) in [
            ("beginning", Bound::Beginning),
            ("end", Bound::End),
            ("17", Bound::Offset(17)),
            ("-10", Bound::Last(10)),
            ("s@1700000000000", Bound::From(1_700_000_000_000)),
            ("e@1970-01-02", Bound::Until(86_400_000)),
        ] {
            assert_eq!(Bound::parse(text), Ok(bound), "{text}");
        }
        for text in ["", "begin", "s@", "e@tomorrow", "1.5"] {
            assert!(Bound::parse(text).is_err(), "{text}");
        }
    }
}
