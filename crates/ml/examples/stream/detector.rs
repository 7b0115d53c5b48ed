//! A drift detector over a stream of numbers.

use std::collections::BTreeMap;

use ml::drift::create;
use ml::{Drift, DriftDetector};
use serde_json::{Value, json};

use crate::{Outcome, processor_seconds};

/// Sends the numbers of a file, one a line below a name, through a detector; says where it saw drift and how often it
/// warned.
pub(crate) fn watch(name: &str, mut options: BTreeMap<String, String>) -> Outcome<Value> {
    let text = std::fs::read_to_string(options.remove("data").ok_or("which data=?")?)?;
    let values: Vec<f64> = text.lines().skip(1).map(str::parse).collect::<Result<_, _>>()?;
    let mut detector = create(name, &options)?;
    let (mut drifts, mut warnings) = (Vec::new(), 0_u64);
    let start = processor_seconds();
    for (at, &value) in values.iter().enumerate() {
        match detector.update(value)? {
            Drift::None => {}
            Drift::Warning => warnings += 1,
            Drift::Detected => drifts.push(at),
        }
    }
    let seconds = processor_seconds() - start;
    Ok(json!({ "rows": values.len(), "drifts": drifts, "warnings": warnings, "seconds": seconds }))
}
