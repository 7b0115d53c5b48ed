//! What members of a classic consumer group tell each other through the broker, which only passes it on.
//!
//! Kafka's `ConsumerProtocolSubscription` and `ConsumerProtocolAssignment`, version 0: what every version begins
//! with. Later fields are not read.
//!
//! ```text
//! subscription: version i16 | topics [string] | user data bytes
//! assignment:   version i16 | topics [ topic string | partitions [i32] ] | user data bytes
//! ```

use std::collections::BTreeMap;

use bytes::{Buf, BufMut, Bytes};

use super::offsets::Place;

/// The bytes that say which topics a member wants.
pub(crate) fn write_subscription(topics: &[String]) -> Bytes {
    let mut out = Vec::new();
    out.put_i16(0);
    out.put_i32(count(topics.len()));
    for topic in topics {
        put_text(&mut out, topic);
    }
    out.put_i32(-1);
    out.into()
}

/// The topics that a member wants; none if the bytes are something else.
pub(crate) fn read_subscription(bytes: &Bytes) -> Option<Vec<String>> {
    let mut rest = bytes.clone();
    rest.try_get_i16().ok()?;
    let count = rest.try_get_i32().ok()?;
    (0..count).map(|_| text(&mut rest)).collect()
}

/// The bytes that say which partitions a member reads.
pub(crate) fn write_assignment(places: &[Place]) -> Bytes {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in places {
        topics.entry(topic).or_default().push(*partition);
    }
    let mut out = Vec::new();
    out.put_i16(0);
    out.put_i32(count(topics.len()));
    for (topic, partitions) in topics {
        put_text(&mut out, topic);
        out.put_i32(count(partitions.len()));
        partitions.into_iter().for_each(|partition| out.put_i32(partition));
    }
    out.put_i32(-1);
    out.into()
}

/// The partitions that a member reads; none if the bytes are something else. No bytes are no partitions.
pub(crate) fn read_assignment(bytes: &Bytes) -> Option<Vec<Place>> {
    let mut rest = bytes.clone();
    if rest.is_empty() {
        return Some(Vec::new());
    }
    rest.try_get_i16().ok()?;
    let mut places = Vec::new();
    for _ in 0..rest.try_get_i32().ok()? {
        let topic = text(&mut rest)?;
        for _ in 0..rest.try_get_i32().ok()? {
            places.push((topic.clone(), rest.try_get_i32().ok()?));
        }
    }
    Some(places)
}

/// Kafka's `range`: topic by topic, members in order of their ids get neighbouring partitions.
pub(crate) fn range(
    members: &BTreeMap<String, Vec<String>>,
    partitions: &BTreeMap<String, i32>,
) -> BTreeMap<String, Vec<Place>> {
    let mut assigned: BTreeMap<String, Vec<Place>> =
        members.keys().map(|member| (member.clone(), Vec::new())).collect();
    for (topic, total) in partitions {
        let takers: Vec<&String> =
            members.iter().filter(|(_, topics)| topics.contains(topic)).map(|(member, _)| member).collect();
        let Ok(among) = i32::try_from(takers.len()) else { continue };
        let mut next = 0;
        for (position, member) in (0..).zip(takers) {
            // The first members take one more where the division leaves a rest.
            let share = total / among + i32::from(position < total % among);
            let places = (next..next + share).map(|partition| (topic.clone(), partition));
            assigned.entry(member.clone()).or_default().extend(places);
            next += share;
        }
    }
    assigned
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.put_i16(i16::try_from(text.len()).expect("a topic's name is short"));
    out.put_slice(text.as_bytes());
}

fn text(rest: &mut Bytes) -> Option<String> {
    let length = usize::try_from(rest.try_get_i16().ok()?).ok()?;
    if rest.len() < length {
        return None;
    }
    String::from_utf8(rest.split_to(length).to_vec()).ok()
}

fn count(length: usize) -> i32 {
    i32::try_from(length).expect("nobody subscribes to two thousand million topics")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(topic: &str, partition: i32) -> Place {
        (topic.to_owned(), partition)
    }

    #[test]
    fn what_is_written_is_read() {
        let topics = vec!["a".to_owned(), "orders".to_owned()];
        assert_eq!(read_subscription(&write_subscription(&topics)), Some(topics));
        let places = vec![place("a", 0), place("a", 2), place("b", 1)];
        assert_eq!(read_assignment(&write_assignment(&places)), Some(places));
        assert_eq!(read_assignment(&Bytes::new()), Some(Vec::new()));
    }

    #[test]
    fn a_cut_is_noticed_at_every_byte() {
        let whole = write_assignment(&[place("orders", 1)]);
        // The user data at the end are not read.
        for end in 1..whole.len() - 4 {
            assert_eq!(read_assignment(&whole.slice(..end)), None, "{end}");
        }
    }

    #[test]
    fn range_gives_neighbours_and_the_rest_to_the_first() {
        let members = BTreeMap::from([
            ("m1".to_owned(), vec!["a".to_owned()]),
            ("m2".to_owned(), vec!["a".to_owned(), "b".to_owned()]),
        ]);
        let partitions = BTreeMap::from([("a".to_owned(), 3), ("b".to_owned(), 1)]);
        let assigned = range(&members, &partitions);
        assert_eq!(assigned["m1"], [place("a", 0), place("a", 1)]);
        assert_eq!(assigned["m2"], [place("a", 2), place("b", 0)]);
    }
}
