//! What a group of the classic protocol hands over, or takes over, when it changes its protocol with members.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{ClassicGroup, State, dismiss};
use crate::Error;
use crate::consumer_protocol::CONSUMERS;
use crate::member::{Member, Waiting};
use crate::step::Step;

impl ClassicGroup {
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    pub(crate) fn generation(&self) -> i32 {
        self.generation
    }

    /// A member's metadata for the protocol of this generation, or the one that it likes best before there is any.
    pub(crate) fn metadata_of(&self, member: &Member) -> Bytes {
        let chosen = self.protocol.as_deref().filter(|name| member.supports(name));
        let name = chosen.or(member.protocols.first().map(|(name, _)| name.as_str()));
        member.metadata(name.unwrap_or_default())
    }

    /// Answers everybody who waits with an error.
    pub(crate) fn dismiss_all(&mut self, error: Error, step: &mut Step<'_>) {
        for member in self.members.values_mut() {
            dismiss(member, error, step);
            member.waiting = Waiting::Nothing;
        }
    }

    /// The group of these members, stable in this generation. `None` if they are too many, or too much to write down.
    pub(crate) fn from_members(
        id: String,
        generation: i32,
        members: Vec<Member>,
        step: &Step<'_>,
    ) -> Option<Self> {
        let mut group = Self::new(id, step.now_ms);
        group.state = State::Stable;
        group.generation = generation;
        CONSUMERS.clone_into(&mut group.protocol_type);
        group.static_members = members
            .iter()
            .filter_map(|member| Some((member.instance_id.clone()?, member.id.clone())))
            .collect();
        group.members =
            members.into_iter().map(|member| (member.id.clone(), member)).collect::<BTreeMap<_, _>>();
        let (leader, first) = group.members.first_key_value()?;
        let shared = |name: &str| group.members.values().all(|member| member.supports(name));
        first.protocols.iter().find(|(name, _)| shared(name))?;
        let leader = leader.clone();
        group.protocol = Some(group.choose_protocol(&leader));
        group.leader = Some(leader);
        let assignments: usize = group.members.values().map(|member| member.assignment.len()).sum();
        let fits = group.members.len() <= step.config.max_members
            && group.size() <= step.config.max_group_bytes / 2
            && group.size() + assignments <= step.config.max_group_bytes;
        fits.then_some(group)
    }
}
