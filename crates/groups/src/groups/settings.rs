//! What administrators set for single groups.

use super::{Groups, check_group_id};
use crate::{Effect, Error, Event, GroupSettings};

impl Groups {
    /// What is set for a group, which need not exist.
    #[must_use]
    pub fn settings(&self, group_id: &str) -> GroupSettings {
        self.settings.get(group_id).copied().unwrap_or_default()
    }

    /// Whether [`Groups::alter_settings`] would do it.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn check_settings(
        &self,
        group_id: &str,
        changes: &[(String, Option<String>)],
    ) -> Result<GroupSettings, Error> {
        check_group_id(group_id)?;
        let mut settings = self.settings(group_id);
        for (name, value) in changes {
            settings.set(name, value.as_deref(), &self.config)?;
        }
        settings.check(&self.config)?;
        if !self.settings.contains_key(group_id) && self.settings.len() >= self.config.max_groups {
            return Err(Error::GroupMaxSizeReached);
        }
        Ok(settings)
    }

    /// Sets things by name, or with `None` lets the broker's own hold again: all of them or none. They hold from each
    /// member's next heartbeat on.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSetting`], [`Error::InvalidSetting`], [`Error::GroupMaxSizeReached`] when too many groups have
    /// settings.
    pub fn alter_settings(
        &mut self,
        group_id: &str,
        changes: &[(String, Option<String>)],
    ) -> Result<Vec<Effect>, Error> {
        let settings = self.check_settings(group_id, changes)?;
        let settings = Some(settings).filter(|settings| !settings.is_empty());
        self.restore_settings(group_id.to_owned(), settings);
        Ok(vec![Effect::Persist(Event::Settings { group_id: group_id.to_owned(), settings })])
    }

    pub(super) fn restore_settings(&mut self, group_id: String, settings: Option<GroupSettings>) {
        match settings {
            Some(settings) => self.settings.insert(group_id, settings),
            None => self.settings.remove(&group_id),
        };
    }
}
