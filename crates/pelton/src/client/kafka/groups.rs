//! Groups from outside: who is in them, how far they have read, and changing that.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::messages::consumer_group_describe::Assignment as NewAssignment;
use protocol::messages::list_groups::ListedGroup;
use protocol::messages::offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use protocol::messages::offset_delete::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use protocol::messages::{
    ConsumerGroupDescribeRequest, DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest,
    OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest,
};
use protocol::messages::{consumer_group_describe, describe_groups};

use super::cluster::Cluster;
use super::offsets::Place;
use super::refusal::Refusal;
use super::subscription;

/// The protocol type of consumers; Connect's workers and others have their own.
pub(crate) const CONSUMER_PROTOCOL: &str = "consumer";

/// A group in a list.
#[derive(Debug, Clone)]
pub(crate) struct GroupSummary {
    /// Its name.
    pub(crate) group: String,
    /// `Consumer` (KIP-848), `Classic` or other kinds of the broker's.
    pub(crate) kind: String,
    /// What the members are to each other; empty for a group that only has offsets.
    pub(crate) protocol: String,
    /// `Stable`, `Empty`, ...; empty where the broker does not tell.
    pub(crate) state: String,
}

/// A group with its members.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Its name.
    pub(crate) name: String,
    /// As in [`GroupSummary`].
    pub(crate) kind: String,
    /// As in [`GroupSummary`].
    pub(crate) state: String,
    /// Who hands out partitions: `range`, `uniform`, ...
    pub(crate) assignor: String,
    /// The coordinator's address or number as far as it is known.
    pub(crate) epoch: Option<i32>,
    /// Who reads.
    pub(crate) members: Vec<Member>,
}

/// A member of a group.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// Its id.
    pub(crate) id: String,
    /// Its name, when it is a static member.
    pub(crate) instance: Option<String>,
    /// What its client calls itself.
    pub(crate) client: String,
    /// Where it connects from.
    pub(crate) host: String,
    /// What it reads.
    pub(crate) partitions: Vec<Place>,
}

impl Member {
    /// Whether it reads a partition.
    pub(crate) fn reads(&self, place: &Place) -> bool {
        self.partitions.contains(place)
    }
}

impl Group {
    /// Whether its offsets may be changed from outside.
    pub(crate) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }
}

impl Cluster {
    /// Every group, by name.
    pub(crate) fn groups(&mut self) -> anyhow::Result<Vec<GroupSummary>> {
        let mut groups: Vec<GroupSummary> = Vec::new();
        for node in self.node_ids()? {
            let answer = self.patiently(|cluster| {
                let answer = cluster.ask_node(node, &ListGroupsRequest::default())?;
                Refusal::check(answer.error_code, None, || "list groups".to_owned())?;
                Ok(answer)
            })?;
            groups.extend(answer.groups.iter().map(GroupSummary::read));
        }
        groups.sort_by(|left, right| left.group.cmp(&right.group));
        groups.dedup_by(|left, right| left.group == right.group);
        Ok(groups)
    }

    /// A group with its members. A group nobody knows is `Dead`.
    pub(crate) fn group(&mut self, name: &str) -> anyhow::Result<Group> {
        if self.serves::<ConsumerGroupDescribeRequest>()?
            && let Some(group) = self.new_group(name)?
        {
            return Ok(group);
        }
        self.classic_group(name)
    }

    /// A group of KIP-848's kind; none if there is no such group or it is a classic one.
    fn new_group(&mut self, name: &str) -> anyhow::Result<Option<Group>> {
        let request = ConsumerGroupDescribeRequest {
            group_ids: vec![name.into()],
            ..ConsumerGroupDescribeRequest::default()
        };
        let answer = self.patiently(|cluster| {
            let answer = cluster.ask_group(name, &request)?;
            let told = answer.groups.into_iter().next().unwrap_or_default();
            let absent = [ErrorCode::GroupIdNotFound, ErrorCode::UnsupportedVersion];
            if absent.contains(&ErrorCode::from_code(told.error_code)) {
                return Ok(None);
            }
            Refusal::check(told.error_code, told.error_message.as_deref(), || {
                format!("describe group {name}")
            })?;
            Ok(Some(told))
        })?;
        Ok(answer.map(Group::read_new))
    }

    fn classic_group(&mut self, name: &str) -> anyhow::Result<Group> {
        let request = DescribeGroupsRequest { groups: vec![name.into()], ..DescribeGroupsRequest::default() };
        self.patiently(|cluster| {
            let answer = cluster.ask_group(name, &request)?;
            let told = answer.groups.into_iter().next().unwrap_or_default();
            if ErrorCode::from_code(told.error_code) == ErrorCode::GroupIdNotFound {
                return Ok(Group::dead(name));
            }
            Refusal::check(told.error_code, told.error_message.as_deref(), || {
                format!("describe group {name}")
            })?;
            Ok(Group::read_classic(told))
        })
    }

    /// How far a group has read, of every partition it ever committed.
    pub(crate) fn committed(&mut self, group: &str) -> anyhow::Result<BTreeMap<Place, i64>> {
        let request =
            OffsetFetchRequest { group_id: group.into(), topics: None, ..OffsetFetchRequest::default() };
        let doing = || format!("ask for offsets of group {group}");
        let answer = self.patiently(|cluster| {
            let answer = cluster.ask_group(group, &request)?;
            Refusal::check(answer.error_code, None, doing)?;
            Ok(answer)
        })?;
        let mut committed = BTreeMap::new();
        for topic in answer.topics {
            for partition in topic.partitions {
                Refusal::check(partition.error_code, None, doing)?;
                if partition.committed_offset >= 0 {
                    committed.insert(
                        (topic.name.to_string(), partition.partition_index),
                        partition.committed_offset,
                    );
                }
            }
        }
        Ok(committed)
    }

    /// Sets how far a group has read, on behalf of a member or of nobody.
    pub(crate) fn commit(
        &mut self,
        group: &str,
        who: &Committer,
        offsets: &BTreeMap<Place, i64>,
    ) -> anyhow::Result<()> {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for ((topic, partition), offset) in offsets {
            topics.entry(topic).or_default().push(OffsetCommitRequestPartition {
                partition_index: *partition,
                committed_offset: *offset,
                committed_metadata: Some("".into()),
                ..OffsetCommitRequestPartition::default()
            });
        }
        let topic = |(name, partitions): (&str, _)| OffsetCommitRequestTopic {
            name: name.into(),
            partitions,
            ..OffsetCommitRequestTopic::default()
        };
        let request = OffsetCommitRequest {
            group_id: group.into(),
            generation_id_or_member_epoch: who.generation,
            member_id: who.member.as_str().into(),
            topics: topics.into_iter().map(topic).collect(),
            ..OffsetCommitRequest::default()
        };
        self.patiently(|cluster| {
            let answer = cluster.ask_group(group, &request)?;
            for topic in &answer.topics {
                for partition in &topic.partitions {
                    let doing =
                        || format!("commit {}-{} of group {group}", topic.name, partition.partition_index);
                    Refusal::check(partition.error_code, None, doing)?;
                }
            }
            Ok(())
        })
    }

    /// Forgets a group and its offsets.
    pub(crate) fn delete_group(&mut self, group: &str) -> anyhow::Result<()> {
        let request = DeleteGroupsRequest { groups_names: vec![group.into()] };
        self.patiently(|cluster| {
            let answer = cluster.ask_group(group, &request)?;
            for result in answer.results {
                Refusal::check(result.error_code, None, || format!("delete group {group}"))?;
            }
            Ok(())
        })
    }

    /// Forgets how far a group has read some partitions.
    pub(crate) fn delete_offsets(&mut self, group: &str, places: &[Place]) -> anyhow::Result<()> {
        let mut topics: BTreeMap<&str, Vec<OffsetDeleteRequestPartition>> = BTreeMap::new();
        for (topic, partition) in places {
            let partition = OffsetDeleteRequestPartition { partition_index: *partition };
            topics.entry(topic).or_default().push(partition);
        }
        let topic =
            |(name, partitions): (&str, _)| OffsetDeleteRequestTopic { name: name.into(), partitions };
        let topics = topics.into_iter().map(topic).collect();
        let request = OffsetDeleteRequest { group_id: group.into(), topics };
        self.patiently(|cluster| {
            let answer = cluster.ask_group(group, &request)?;
            Refusal::check(answer.error_code, None, || format!("delete offsets of group {group}"))?;
            for topic in &answer.topics {
                for partition in &topic.partitions {
                    let doing = || {
                        format!("delete offset {}-{} of group {group}", topic.name, partition.partition_index)
                    };
                    Refusal::check(partition.error_code, None, doing)?;
                }
            }
            Ok(())
        })
    }
}

/// Who commits.
#[derive(Debug, Clone)]
pub(crate) struct Committer {
    /// The generation of the member; -1 from outside.
    pub(crate) generation: i32,
    /// The member; empty from outside.
    pub(crate) member: String,
}

impl Committer {
    /// Nobody in the group: allowed while it has no members.
    pub(crate) fn outside() -> Self {
        Self { generation: -1, member: String::new() }
    }
}

impl GroupSummary {
    fn read(told: &ListedGroup) -> Self {
        // Before KIP-848 there was one kind, and brokers do not name it.
        let kind = if told.group_type.is_empty() { "Classic".to_owned() } else { capital(&told.group_type) };
        Self {
            group: told.group_id.to_string(),
            kind,
            protocol: told.protocol_type.to_string(),
            state: told.group_state.to_string(),
        }
    }
}

impl Group {
    fn dead(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: "Classic".to_owned(),
            state: "Dead".to_owned(),
            assignor: String::new(),
            epoch: None,
            members: Vec::new(),
        }
    }

    fn read_classic(told: describe_groups::DescribedGroup) -> Self {
        let consumers = told.protocol_type.is_empty() || told.protocol_type == CONSUMER_PROTOCOL;
        let member = |member: describe_groups::DescribedGroupMember| Member {
            id: member.member_id.to_string(),
            instance: member.group_instance_id.as_deref().map(str::to_owned),
            client: member.client_id.to_string(),
            host: host(&member.client_host),
            // Other kinds of groups hand out something else than partitions.
            partitions: if consumers {
                subscription::read_assignment(&member.member_assignment).unwrap_or_default()
            } else {
                Vec::new()
            },
        };
        Self {
            name: told.group_id.to_string(),
            kind: "Classic".to_owned(),
            state: told.group_state.to_string(),
            assignor: told.protocol_data.to_string(),
            epoch: None,
            members: told.members.into_iter().map(member).collect(),
        }
    }

    fn read_new(told: consumer_group_describe::DescribedGroup) -> Self {
        let places = |assignment: NewAssignment| {
            let mut places: Vec<Place> = Vec::new();
            for topic in assignment.topic_partitions {
                places.extend(topic.partitions.iter().map(|index| (topic.topic_name.to_string(), *index)));
            }
            places.sort();
            places
        };
        let member = |member: consumer_group_describe::Member| Member {
            id: member.member_id.to_string(),
            instance: member.instance_id.as_deref().map(str::to_owned),
            client: member.client_id.to_string(),
            host: host(&member.client_host),
            partitions: places(member.assignment),
        };
        Self {
            name: told.group_id.to_string(),
            kind: "Consumer".to_owned(),
            state: told.group_state.to_string(),
            assignor: told.assignor_name.to_string(),
            epoch: Some(told.group_epoch),
            members: told.members.into_iter().map(member).collect(),
        }
    }
}

/// Java writes an address with a slash before it.
fn host(told: &str) -> String {
    told.trim_start_matches('/').to_owned()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
