//! What a session knows by name: views, the current database, and what the script said to cache.

use std::sync::Arc;

use engine::DEFAULT_DATABASE;

use crate::database::GLOBAL;
use crate::error::{Class, Result, SparkError};
use crate::plan::frame::{Stored, Views};
use crate::session::{PERSISTED_MAX, Session, lock};
use crate::wire::types::StorageLevel;

impl Session {
    /// The database that names without one mean.
    pub(crate) fn database(&self) -> String {
        self.state().database.clone().unwrap_or_else(|| DEFAULT_DATABASE.to_owned())
    }

    pub(crate) fn set_database(&self, name: String) {
        self.state().database = Some(name);
    }

    /// The views as they are now, those of all sessions among them.
    pub(crate) fn views(&self) -> Views {
        let own = Arc::clone(&self.state().views);
        let globals = lock(&self.globals);
        if globals.is_empty() {
            return own;
        }
        let all = own.iter().chain(globals.iter());
        Arc::new(all.map(|(name, view)| (name.clone(), view.clone())).collect())
    }

    /// The views of a database by the names they have in it.
    pub(crate) fn views_in(&self, database: &str) -> Vec<String> {
        let views = self.views();
        let inside = views.keys().filter_map(|name| name.split_once('.'));
        inside.filter(|(of, _)| *of == database).map(|(_, name)| name.to_owned()).collect()
    }

    pub(crate) fn drop_views_in(&self, database: &str) {
        for name in self.views_in(database) {
            self.drop_view(&format!("{database}.{name}"));
        }
    }

    /// Keeps a view under a name, which says its database unless it is the session's own.
    pub(crate) fn create_view(&self, name: &str, view: Stored, replace: bool) -> Result<()> {
        let name = view_name(name);
        let keep = |views: &mut Views| {
            if !replace && views.contains_key(&name) {
                let name = name.replace('.', "`.`");
                let text = format!("Cannot create the temporary view `{name}` because it already exists.");
                let condition = "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS";
                let error = SparkError::new(Class::Analysis, condition, "42P07", text);
                return Err(error.with("relationName", format!("`{name}`")));
            }
            Arc::make_mut(views).insert(name.clone(), view);
            Ok(())
        };
        match is_global(&name) {
            true => keep(&mut lock(&self.globals)),
            false => keep(&mut self.state().views),
        }
    }

    pub(crate) fn drop_view(&self, name: &str) -> bool {
        let (name, mut state) = (view_name(name), self.state());
        state.cached.remove(&name);
        match is_global(&name) {
            true => Arc::make_mut(&mut lock(&self.globals)).remove(&name).is_some(),
            false => Arc::make_mut(&mut state.views).remove(&name).is_some(),
        }
    }

    /// Whether the script said to cache this table or view.
    pub(crate) fn is_cached(&self, name: &str) -> bool {
        self.state().cached.contains(&name.to_lowercase())
    }

    pub(crate) fn set_cached(&self, name: &str, cached: bool) {
        let (name, mut state) = (name.to_lowercase(), self.state());
        let _ = if cached { state.cached.insert(name) } else { state.cached.remove(&name) };
    }

    pub(crate) fn clear_cached(&self) {
        let mut state = self.state();
        state.cached.clear();
        state.persisted.clear();
    }

    /// Where the script said to keep a frame.
    pub(crate) fn persisted(&self, relation: u64) -> Option<StorageLevel> {
        self.state().persisted.get(&relation).copied()
    }

    /// Notes where the script says to keep a frame: what is computed stays the same.
    pub(crate) fn persist(&self, relation: u64, level: Option<StorageLevel>) {
        let mut state = self.state();
        match level {
            Some(level) if state.persisted.len() < PERSISTED_MAX => {
                state.persisted.insert(relation, level);
            }
            _ => {
                state.persisted.remove(&relation);
            }
        }
    }
}

fn is_global(view: &str) -> bool {
    view.split_once('.').is_some_and(|(database, _)| database == GLOBAL)
}

/// `global_temp.v` and `` `v` `` as they are known here.
fn view_name(name: &str) -> String {
    name.replace('`', "").to_lowercase()
}
