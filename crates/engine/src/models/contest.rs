//! Several models over one stream, and the one of them that answers: the champion.
//!
//! A challenger becomes champion when its figure over the last rows is better by the margin, and it has learned enough
//! rows to be taken seriously. The choice is made when a batch begins and is written into its intent, so that a batch
//! that runs again asks the same model. Who is champion is written down when it changes: after a restart a challenger
//! has to be better by the margin, as before.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use env::{Disk, write_atomically};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::SqlError;
use crate::models::shape::Task;
use crate::models::{Entry, Registry};
use crate::sql::statement::Options;

/// How challengers are measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rules {
    /// A figure of the sliding window, such as `accuracy` or `mae`.
    pub(crate) metric: String,
    /// Rows that a challenger must have learned.
    pub(crate) min_rows: u64,
    /// How much better it has to be.
    pub(crate) margin: f64,
}

/// The models that contend under one name.
#[derive(Debug)]
pub(crate) struct Contest {
    pub(crate) name: String,
    pub(crate) members: Vec<String>,
    pub(crate) rules: Rules,
    standing: Mutex<Standing>,
    ledger: Ledger,
}

/// The file in which a contest notes how it stands.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) path: PathBuf,
}

/// What stands in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    champion: String,
    promotions: u64,
}

#[derive(Debug, Default)]
struct Standing {
    champion: Option<usize>,
    promotions: u64,
}

/// How a contest stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ContestStatus {
    pub(crate) champion: Option<String>,
    pub(crate) promotions: u64,
    pub(crate) metric: String,
    /// By member, over its sliding window.
    pub(crate) figures: Vec<(String, Option<f64>)>,
}

impl Rules {
    /// # Errors
    /// An option that is not known, or out of range.
    pub(crate) fn from(options: &Options) -> Result<Self, SqlError> {
        let mut rules = Rules { metric: String::new(), min_rows: 100, margin: 0.0 };
        for (name, value) in &options.given {
            let wrong =
                |reason: &str| SqlError::Syntax { position: value.position, reason: reason.to_owned() };
            match name.to_ascii_lowercase().as_str() {
                "metric" => rules.metric = value.text.to_ascii_lowercase(),
                "min_rows" => {
                    rules.min_rows = value.text.parse().map_err(|_| wrong("min_rows is a number of rows"))?;
                }
                "margin" => {
                    let margin = value.text.parse().ok().filter(|margin| (0.0..=1e9).contains(margin));
                    rules.margin = margin.ok_or_else(|| wrong("margin is a number from 0 on"))?;
                }
                _ => return Err(wrong("known options are metric, min_rows and margin")),
            }
        }
        Ok(rules)
    }

    /// With the figure that is usual for what the models answer, unless one is named.
    ///
    /// # Errors
    /// If such models have no figure of this name.
    pub(crate) fn of(mut self, task: Task) -> Result<Self, SqlError> {
        let known: &[&str] = match task {
            Task::Class => &[
                "accuracy",
                "balanced_accuracy",
                "kappa",
                "f1_macro",
                "precision_macro",
                "recall_macro",
                "log_loss",
            ],
            Task::Number => &["mae", "rmse", "r2"],
            Task::Cluster | Task::Score => {
                return Err(SqlError::invalid("the contest", "is for models that learn with labels"));
            }
        };
        if self.metric.is_empty() {
            known[0].clone_into(&mut self.metric);
        }
        if known.contains(&self.metric.as_str()) {
            return Ok(self);
        }
        Err(SqlError::invalid("metric", format!("is one of {}, not {}", known.join(", "), self.metric)))
    }

    /// Whether less is better.
    fn descending(&self) -> bool {
        ["mae", "rmse", "log_loss"].contains(&self.metric.as_str())
    }
}

impl Contest {
    /// A contest that goes on as it was noted.
    pub(crate) fn new(name: String, members: Vec<String>, rules: Rules, ledger: Ledger) -> Self {
        let standing = Mutex::new(ledger.read(&members));
        Contest { name, members, rules, standing, ledger }
    }

    /// Says who is champion now, after looking whether a challenger has become better.
    pub(crate) fn champion(&self, registry: &Registry) -> Option<Arc<Entry>> {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let figures: Vec<Option<f64>> =
            self.members.iter().map(|member| self.figure(registry, member)).collect();
        let better = |one: f64, other: f64| if self.rules.descending() { one < other } else { one > other };
        let best =
            (0..figures.len()).filter(|&member| figures[member].is_some()).reduce(|best, member| {
                match (figures[member], figures[best]) {
                    (Some(one), Some(other)) if better(one, other) => member,
                    _ => best,
                }
            });
        let before = standing.champion;
        standing.champion = match (before, best) {
            (Some(champion), Some(best)) if best != champion => {
                let wins = match (figures[best], figures[champion]) {
                    (Some(one), Some(other)) => {
                        (one - other).abs() >= self.rules.margin && better(one, other)
                    }
                    _ => true,
                };
                standing.promotions += u64::from(wins);
                Some(if wins { best } else { champion })
            }
            (champion, best) => champion.or(best),
        };
        if let Some(champion) = standing.champion.filter(|_| standing.champion != before) {
            let (champion, promotions) = (self.members[champion].clone(), standing.promotions);
            self.ledger.write(&self.name, &Noted { champion, promotions });
        }
        // Until somebody has learned enough, the first one answers.
        registry.get(&self.members[standing.champion.unwrap_or(0)])
    }

    /// Removes what it noted.
    pub(crate) fn forget(&self) -> std::io::Result<()> {
        self.ledger.remove()
    }

    pub(crate) fn status(&self, registry: &Registry) -> ContestStatus {
        let champion = self.champion(registry).map(|entry| entry.name.clone());
        let promotions = self.standing.lock().unwrap_or_else(PoisonError::into_inner).promotions;
        let figure = |member: &String| (member.clone(), self.figure(registry, member));
        let metric = self.rules.metric.clone();
        ContestStatus { champion, promotions, metric, figures: self.members.iter().map(figure).collect() }
    }

    /// A member's figure over its window, if it has learned enough.
    fn figure(&self, registry: &Registry, member: &str) -> Option<f64> {
        let version = registry.get(member)?.latest()?;
        let learned = version.record.rows_learned >= self.rules.min_rows;
        let figures = learned.then(|| version.model().evaluation())?;
        figures["window"].get(&self.rules.metric).and_then(Value::as_f64)
    }
}

impl Ledger {
    /// A file that is not there, or cannot be read, is as if nobody had won yet.
    fn read(&self, members: &[String]) -> Standing {
        let noted = self.disk.read(&self.path).ok();
        let Some(noted) = noted.and_then(|bytes| serde_json::from_slice::<Noted>(&bytes).ok()) else {
            return Standing::default();
        };
        let champion = members.iter().position(|member| member.eq_ignore_ascii_case(&noted.champion));
        Standing { champion, promotions: noted.promotions }
    }

    /// The answer does not wait for a disk that cannot be written: at worst the best one begins after a restart.
    fn write(&self, contest: &str, noted: &Noted) {
        let dir = self.path.parent().unwrap_or(&self.path);
        let written = self.disk.create_dir_all(dir).and_then(|()| {
            let bytes = serde_json::to_vec(noted).map_err(std::io::Error::other)?;
            write_atomically(self.disk.as_ref(), &self.path, &bytes)
        });
        if let Err(error) = written {
            tracing::warn!(contest, file = %self.path.display(), %error, "could not note the champion");
        }
    }

    fn remove(&self) -> std::io::Result<()> {
        if self.disk.exists(&self.path) { self.disk.remove_file(&self.path) } else { Ok(()) }
    }
}
