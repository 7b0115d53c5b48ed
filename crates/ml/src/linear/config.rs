//! The options that all models with gradients share.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::linear::optimizer::{self, LR_MAX, Optimizer, Rule};
use crate::options::{OptionError, Options};
use crate::schema::{Kind, Schema};

/// The numbers a model may keep, about 256 MiB: classes times columns is otherwise without an end.
pub(crate) const CELLS_MAX: usize = 32 << 20;

/// The steepest slope that can be asked for.
const CLIP_MAX: f64 = 1e12;

/// How a model follows gradients. Defaults are River's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// How weights follow gradients.
    pub optimizer: Optimizer,
    /// How the intercept does: always by plain steps of this length. With 0 it stays where it is.
    pub intercept_lr: f64,
    /// Where the intercept starts.
    pub intercept_init: f64,
    /// How strongly weights are pulled towards 0 by their size; only at rows that list their column.
    pub l1: f64,
    /// The same by their square.
    pub l2: f64,
    /// The steepest slope of the loss that is followed.
    pub clip_gradient: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            optimizer: Optimizer::sgd(0.01),
            intercept_lr: 0.01,
            intercept_init: 0.0,
            l1: 0.0,
            l2: 0.0,
            clip_gradient: CLIP_MAX,
        }
    }
}

impl Config {
    /// The options that [`Config::with_options`] reads, and `more`.
    pub(crate) fn options(more: &[&'static str]) -> Vec<&'static str> {
        let own = ["intercept_lr", "intercept_init", "l1", "l2", "clip_gradient"];
        [&optimizer::OPTIONS[..], &own[..], more].concat()
    }

    /// Reads what is given; `self` has what holds otherwise.
    pub(crate) fn with_options(self, options: &Options) -> Result<Self, OptionError> {
        let mut config = self;
        config.optimizer = Optimizer::from_options(options, self.optimizer.lr)?;
        options.set("intercept_lr", 0.0..=LR_MAX, &mut config.intercept_lr)?;
        options.set("intercept_init", -1e12..=1e12, &mut config.intercept_init)?;
        options.set("clip_gradient", 0.0..=CLIP_MAX, &mut config.clip_gradient)?;
        if !matches!(config.optimizer.rule, Rule::Ftrl { .. }) {
            options.set("l1", 0.0..=1e6, &mut config.l1)?;
            options.set("l2", 0.0..=1e6, &mut config.l2)?;
        }
        Ok(config)
    }

    /// Changes an option of a model at work.
    pub(crate) fn alter(
        &mut self,
        algorithm: &'static str,
        option: &str,
        value: &str,
    ) -> Result<(), OptionError> {
        let name = option.to_ascii_lowercase();
        let given = [(name.clone(), value.to_owned())].into();
        let known = ["lr", "learning_rate", "lr_power", "intercept_lr", "l2", "clip_gradient"];
        if !known.contains(&name.as_str()) {
            return Err(OptionError::Fixed { algorithm, name: option.to_owned() });
        }
        let options = Options::new(algorithm, &known, &given)?;
        let least = if matches!(self.optimizer.rule, Rule::Ftrl { .. }) { 1e-9 } else { 0.0 };
        options.set("lr", least..=LR_MAX, &mut self.optimizer.lr)?;
        options.set("learning_rate", least..=LR_MAX, &mut self.optimizer.lr)?;
        options.set("lr_power", 0.0..=2.0, &mut self.optimizer.power)?;
        options.set("intercept_lr", 0.0..=LR_MAX, &mut self.intercept_lr)?;
        options.set("clip_gradient", 0.0..=CLIP_MAX, &mut self.clip_gradient)?;
        match &mut self.optimizer.rule {
            Rule::Ftrl { l2, .. } => options.set("l2", 0.0..=1e6, l2),
            _ => options.set("l2", 0.0..=1e6, &mut self.l2),
        }
    }

    /// How many numbers there are for each column.
    pub(crate) fn numbers_per_column(&self) -> usize {
        let memory = self.optimizer.memory();
        1 + usize::from(memory.signed)
            + usize::from(memory.squares)
            + usize::from(memory.steps)
            + usize::from(self.l1 > 0.0)
    }

    pub(crate) fn describe(&self) -> Value {
        json!({
            "optimizer": self.optimizer.name(),
            "rule": self.optimizer.rule,
            "learning_rate": self.optimizer.lr,
            "lr_power": self.optimizer.power,
            "intercept_lr": self.intercept_lr,
            "l1": self.l1,
            "l2": self.l2,
            "clip_gradient": self.clip_gradient,
        })
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.optimizer.is_sound()
            && (0.0..=LR_MAX).contains(&self.intercept_lr)
            && self.intercept_init.abs() <= 1e12
            && (0.0..=1e6).contains(&self.l1)
            && (0.0..=1e6).contains(&self.l2)
            && (0.0..=CLIP_MAX).contains(&self.clip_gradient)
    }
}

/// Codes of categories cannot be multiplied.
pub(crate) fn refuse_categories(algorithm: &'static str, schema: &Schema) -> Result<(), OptionError> {
    if schema.columns.iter().any(|column| column.kind != Kind::Number) {
        let needs =
            "learns from numbers: turn names into numbers first, with preprocess 'one_hot' or 'hashing'";
        return Err(OptionError::Schema { algorithm, needs });
    }
    Ok(())
}
