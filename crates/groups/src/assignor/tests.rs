use proptest::prelude::*;

use super::*;

fn topic(number: u128) -> Uuid {
    Uuid::from_u128(number + 1)
}

#[derive(Debug)]
struct World {
    names: Vec<String>,
    wants: Vec<BTreeSet<Uuid>>,
    previous: Vec<Assignment>,
    topics: Partitions,
}

impl World {
    fn share(&mut self, assignor: Assignor) -> Vec<Assignment> {
        let candidates: Vec<Candidate<'_>> = (0..self.names.len())
            .map(|at| Candidate {
                member_id: &self.names[at],
                instance_id: None,
                topics: self.wants[at].clone(),
                previous: &self.previous[at],
            })
            .collect();
        let given = assignor.assign(&candidates, &self.topics);
        self.previous.clone_from(&given);
        given
    }

    fn whole(&self, given: &[Assignment]) {
        for (topic_id, partitions) in &self.topics {
            for index in indexes(*partitions) {
                let owners: Vec<usize> =
                    (0..given.len()).filter(|at| given[*at].contains(*topic_id, index)).collect();
                let wanted = self.wants.iter().any(|wants| wants.contains(topic_id));
                assert_eq!(owners.len(), usize::from(wanted), "{topic_id} {index}: {owners:?}");
                assert!(owners.iter().all(|at| self.wants[*at].contains(topic_id)));
            }
        }
    }
}

fn world() -> impl Strategy<Value = World> {
    let wants = prop::collection::vec(prop::collection::btree_set(0..5u128, 0..5), 1..7);
    let topics = prop::collection::btree_map(0..5u128, 1..12u32, 0..5);
    (wants, topics).prop_map(|(wants, topics)| World {
        names: (0..wants.len()).map(|number| format!("m{number}")).collect(),
        previous: vec![Assignment::default(); wants.len()],
        wants: wants.into_iter().map(|wants| wants.into_iter().map(topic).collect()).collect(),
        topics: topics.into_iter().map(|(number, partitions)| (topic(number), partitions)).collect(),
    })
}

proptest! {
    #[test]
    fn every_wanted_partition_has_one_owner(mut world in world(), range in any::<bool>()) {
        let assignor = if range { Assignor::Range } else { Assignor::Uniform };
        let given = world.share(assignor);
        world.whole(&given);
        let again = world.share(assignor);
        prop_assert_eq!(given, again, "nothing moves without a reason");
    }

    #[test]
    fn uniform_is_level_where_all_want_the_same(mut world in world(), gone in any::<prop::sample::Index>()) {
        let all: BTreeSet<Uuid> = world.topics.keys().copied().collect();
        world.wants.iter_mut().for_each(|wants| wants.clone_from(&all));
        let given = world.share(Assignor::Uniform);
        let level = |given: &[Assignment]| {
            let loads = || given.iter().map(Assignment::len);
            loads().max().unwrap_or(0) <= loads().min().unwrap_or(0) + 1
        };
        prop_assert!(level(&given));

        // One goes: the others keep all that they have.
        let gone = gone.index(world.names.len());
        world.names.remove(gone);
        world.wants.remove(gone);
        world.previous.remove(gone);
        let before = world.previous.clone();
        let after = world.share(Assignor::Uniform);
        prop_assert!(level(&after));
        prop_assert!(before.iter().zip(&after).all(|(before, after)| before.is_within(after)));
    }
}

#[test]
fn ranges_are_ranges_and_static_members_stand_first() {
    let none = Assignment::default();
    let wants = BTreeSet::from([topic(0), topic(1)]);
    let candidate =
        |member_id, instance_id| Candidate { member_id, instance_id, topics: wants.clone(), previous: &none };
    let candidates = [candidate("a", None), candidate("z", Some("one"))];
    let given = Assignor::Range.assign(&candidates, &Partitions::from([(topic(0), 3), (topic(1), 2)]));
    let of = |at: usize| given[at].iter().collect::<Vec<_>>();
    assert_eq!(of(1), [(topic(0), 0), (topic(0), 1), (topic(1), 0)]);
    assert_eq!(of(0), [(topic(0), 2), (topic(1), 1)]);
}

#[test]
fn names_are_kafkas() {
    assert_eq!(Assignor::from_name("uniform"), Some(Assignor::Uniform));
    assert_eq!(Assignor::from_name("range"), Some(Assignor::Range));
    assert_eq!(Assignor::from_name("sticky"), None);
}
