//! The list of topics on disk: `topics.json`, replaced as a whole at each change.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use env::{Disk, write_atomically};
use serde::{Deserialize, Serialize};

use crate::CreateError;

const FORMAT: u32 = 1;
const FILE: &str = "topics.json";
/// A directory with a higher number was not made by this program.
const PARTITIONS_BELIEVED: u32 = 100_000;
const NAME_BYTES_MAX: usize = 249;

/// Everything that is known of topics beside their data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Metadata {
    format: u32,
    /// Producer ids below this may have been given away.
    pub(crate) producer_ids_below: i64,
    /// By name.
    pub(crate) topics: BTreeMap<String, TopicMetadata>,
    /// Topics whose directories may still be there.
    pub(crate) deleting: Vec<String>,
    /// Broker-wide settings given to the running program, under the broker's names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) broker: BTreeMap<String, String>,
}

/// What every format begins with.
#[derive(Debug, Deserialize)]
struct Format {
    format: u32,
}

/// One topic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TopicMetadata {
    pub(crate) id: String,
    pub(crate) partitions: u32,
    pub(crate) configs: BTreeMap<String, String>,
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            format: FORMAT,
            producer_ids_below: 0,
            topics: BTreeMap::new(),
            deleting: Vec::new(),
            broker: BTreeMap::new(),
        }
    }
}

impl Metadata {
    pub(crate) fn path(data_dir: &Path) -> PathBuf {
        data_dir.join(FILE)
    }

    /// Reads the list. Nothing, if there is none or it cannot be understood.
    pub(crate) fn load(disk: &dyn Disk, data_dir: &Path) -> io::Result<Option<Self>> {
        let path = Self::path(data_dir);
        if !disk.exists(&path) {
            return Ok(None);
        }
        let bytes = disk.read(&path)?;
        if let Ok(Format { format }) = serde_json::from_slice(&bytes)
            && format != FORMAT
        {
            return Err(io::Error::other(format!("format {format} is not one that this version knows")));
        }
        Ok(serde_json::from_slice(&bytes).ok())
    }

    /// Puts a list that cannot be understood aside, where somebody may look at it.
    pub(crate) fn put_aside(disk: &dyn Disk, data_dir: &Path) -> io::Result<()> {
        let path = Self::path(data_dir);
        if disk.exists(&path) {
            disk.rename(&path, &path.with_extension("json.damaged"))?;
        }
        Ok(())
    }

    /// Makes a list from the partitions' directories: names and numbers are right, ids are new, settings are the
    /// defaults. Producer ids go on far above any that was given away, because they count from zero.
    pub(crate) fn from_directories(names: &[String], now_ms: i64, mut id: impl FnMut() -> String) -> Self {
        let mut metadata = Self { producer_ids_below: now_ms.max(0), ..Self::default() };
        for name in names {
            let Some((topic, index)) = name.rsplit_once('-') else { continue };
            let Ok(index) = index.parse::<u32>() else { continue };
            if check_name(topic).is_err() || index >= PARTITIONS_BELIEVED {
                continue;
            }
            let found = metadata.topics.entry(topic.to_owned()).or_insert_with(|| TopicMetadata {
                id: id(),
                partitions: 0,
                configs: BTreeMap::new(),
            });
            found.partitions = found.partitions.max(index.saturating_add(1));
        }
        metadata
    }

    /// Makes this the list, durably.
    pub(crate) fn store(&self, disk: &dyn Disk, data_dir: &Path) -> io::Result<()> {
        write_atomically(disk, &Self::path(data_dir), &serde_json::to_vec_pretty(self)?)
    }
}

/// Checks a name against Kafka's rules.
pub(crate) fn check_name(name: &str) -> Result<(), CreateError> {
    let rule = if name.is_empty() {
        "it must not be empty"
    } else if name == "." || name == ".." {
        "it must not be . or .."
    } else if name.len() > NAME_BYTES_MAX {
        "it must not be longer than 249 characters"
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        "it may hold ASCII letters, digits, '.', '_' and '-' only"
    } else {
        return Ok(());
    };
    Err(CreateError::InvalidName { name: name.to_owned(), rule })
}

#[cfg(test)]
mod tests {
    use super::*;
    use env::SimDisk;

    #[test]
    fn names_follow_kafkas_rules() {
        let longest = "x".repeat(249);
        for good in ["a", "A.b_c-9", "__consumer_offsets", "...", &longest] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        let too_long = "x".repeat(250);
        for bad in ["", ".", "..", "a/b", "a b", "ä", "a\0", &too_long] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_list_survives_its_file_and_a_future_format_is_refused() {
        let disk = SimDisk::new();
        disk.create_dir_all(Path::new("/d")).unwrap();
        assert!(Metadata::load(&disk, Path::new("/d")).unwrap().is_none());
        let mut metadata = Metadata { producer_ids_below: 1000, ..Metadata::default() };
        let topic = TopicMetadata { id: "x".to_owned(), partitions: 3, configs: BTreeMap::new() };
        metadata.topics.insert("t".to_owned(), topic);
        metadata.store(&disk, Path::new("/d")).unwrap();
        let read = Metadata::load(&disk.crash(), Path::new("/d")).unwrap().unwrap();
        assert_eq!((read.producer_ids_below, read.topics["t"].partitions), (1000, 3));
        metadata.format = 2;
        metadata.store(&disk, Path::new("/d")).unwrap();
        assert!(Metadata::load(&disk, Path::new("/d")).unwrap_err().to_string().contains("format 2"));
    }

    #[test]
    fn a_lost_list_is_made_from_the_directories() {
        let names = ["a-0", "a-1", "b-c-0", "x.deleted", "nonsense", "a-1.deleted"].map(str::to_owned);
        let metadata = Metadata::from_directories(&names, 99, || "id".to_owned());
        let found: Vec<(&str, u32)> =
            metadata.topics.iter().map(|(name, topic)| (name.as_str(), topic.partitions)).collect();
        assert_eq!(found, [("a", 2), ("b-c", 1)]);
        assert_eq!(metadata.producer_ids_below, 99);
    }
}
