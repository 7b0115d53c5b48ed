//! Adding partitions so that a crash at any moment leaves the old number or the new one.

use super::admin::NewLogError;
use super::{Inner, Topics};
use crate::CreatePartitionsError;
use crate::metadata::Metadata;
use crate::topic::TopicInner;

impl Topics {
    /// Lets a topic have `total` partitions, more than it has; durable on return. The new ones begin empty, and the
    /// old ones stay as they are.
    ///
    /// # Errors
    /// When there is no such topic, `total` is not above its present number or above the limit, or the disk refuses.
    pub fn create_partitions(&self, name: &str, total: u32) -> Result<(), CreatePartitionsError> {
        self.inner.create_partitions(name, total)?;
        self.inner.note_change();
        Ok(())
    }
}

impl Inner {
    fn create_partitions(&self, name: &str, total: u32) -> Result<(), CreatePartitionsError> {
        let mut admin = self.admin();
        if admin.closed {
            return Err(CreatePartitionsError::Closed);
        }
        let not_found = || CreatePartitionsError::NotFound { name: name.to_owned() };
        let topic = self.lookup(|lookup| lookup.by_name.get(name).cloned()).ok_or_else(not_found)?;
        let mut metadata = admin.metadata.clone();
        let entry = metadata.topics.get_mut(name).ok_or_else(not_found)?;
        let (current, max) = (entry.partitions, self.config.partitions_max);
        if total <= current || total > max {
            let name = name.to_owned();
            return Err(CreatePartitionsError::InvalidPartitions { name, total, current, max });
        }
        let mut logs = Vec::new();
        for index in current..total {
            logs.push(self.new_log(name, index, &entry.configs)?);
        }
        entry.partitions = total;
        metadata.store(&*self.env.disk, &self.config.data_dir).map_err(|source| {
            let path = Metadata::path(&self.config.data_dir);
            CreatePartitionsError::Io { action: "writing", path, source }
        })?;
        admin.metadata = metadata;
        let mut partitions = topic.inner.partitions.clone();
        partitions.extend(self.own(name, &topic.inner.settings, current, logs));
        self.show(TopicInner {
            name: topic.inner.name.clone(),
            id: topic.inner.id,
            configs: topic.inner.configs.clone(),
            settings: topic.inner.settings.clone(),
            partitions,
        });
        Ok(())
    }
}

impl From<NewLogError> for CreatePartitionsError {
    fn from(error: NewLogError) -> Self {
        match error {
            NewLogError::Dir { path, source } => Self::Io { action: "creating", path, source },
            NewLogError::Log(error) => Self::Log(error),
        }
    }
}
