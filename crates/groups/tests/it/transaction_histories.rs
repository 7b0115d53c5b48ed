//! Transactions in every order that a network, a disk and a clock can think of.

use groups::transactions::Version;
use proptest::prelude::*;

use crate::transaction_world::{OFFSETS_PLACE, TIMEOUT_MS, World};

#[derive(Clone, Debug)]
enum Op {
    Init {
        client: usize,
        recover: bool,
    },
    Write {
        client: usize,
        place: usize,
    },
    End {
        client: usize,
        commit: bool,
    },
    /// `again` leaves the message in the network.
    Deliver {
        index: usize,
        again: bool,
    },
    Flush(usize),
    Pass(i64),
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (0..2usize, any::<bool>()).prop_map(|(client, recover)| Op::Init { client, recover }),
        6 => (0..2usize, 0..=OFFSETS_PLACE).prop_map(|(client, place)| Op::Write { client, place }),
        4 => (0..2usize, any::<bool>()).prop_map(|(client, commit)| Op::End { client, commit }),
        16 => (0..64usize, prop::bool::weighted(0.3)).prop_map(|(index, again)| Op::Deliver { index, again }),
        12 => (1..12usize).prop_map(Op::Flush),
        1 => (1..i64::from(TIMEOUT_MS) + 20).prop_map(Op::Pass),
        1 => Just(Op::Crash),
    ]
}

fn run(version: Version, ops: &[Op]) {
    let mut world = World::new(version);
    for op in ops {
        match *op {
            Op::Init { client, recover } => world.ask_init(client, recover),
            Op::Write { client, place } => world.ask_write(client, place),
            Op::End { client, commit } => world.ask_end(client, commit),
            // In the older manner nothing is repeated: it could not be told apart.
            Op::Deliver { index, again } => world.deliver(index, again && version == Version::V2),
            Op::Flush(steps) => world.flush(steps),
            Op::Pass(ms) => world.pass(ms),
            Op::Crash => world.crash(),
        }
    }
    world.quiet();
    world.check();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn late_and_repeated_messages_never_touch_another_transaction(ops in prop::collection::vec(op(), 1..160)) {
        run(Version::V2, &ops);
    }

    #[test]
    fn the_older_manner_holds_over_a_network_that_keeps_nothing_back(
        ops in prop::collection::vec(op(), 1..160),
    ) {
        run(Version::V1, &ops);
    }
}
