//! What the shell offers behind a Tab: names that the broker knows.
//!
//! The broker is the one of `PELTON_KAFKA` or the default; one that does not answer at once offers nothing.

use clap_complete::engine::CompletionCandidate;

use crate::client::kafka::{Cluster, KafkaAddress};

/// Topics that are not the broker's own.
pub(crate) fn topics() -> Vec<CompletionCandidate> {
    let found = Cluster::at(&KafkaAddress::for_completion()).and_then(|mut cluster| cluster.topics());
    let names = found.unwrap_or_default().into_iter().filter(|topic| !topic.internal);
    names.map(|topic| CompletionCandidate::new(topic.name)).collect()
}

/// Groups.
pub(crate) fn groups() -> Vec<CompletionCandidate> {
    let found = Cluster::at(&KafkaAddress::for_completion()).and_then(|mut cluster| cluster.groups());
    let names = found.unwrap_or_default().into_iter();
    names.map(|group| CompletionCandidate::new(group.group).help(Some(group.state.into()))).collect()
}
