//! What real Spark answers, recorded: `crates/engine/tests/golden` holds the questions and the answers.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{exists, run};
use crate::repository::Repository;
use crate::tools;

/// `cargo xtask golden`: asks every question again.
pub(crate) fn golden(repository: &Repository) -> Result<bool> {
    if !exists("java") {
        bail!("Spark needs Java 17: on Debian, `apt-get install openjdk-17-jre-headless`");
    }
    let home = repository.target.join("tools").join("golden-python");
    let scripts = repository.root.join("xtask").join("golden");
    tools::environment(&home, &scripts.join("requirements.txt"))?;
    let mut python = Command::new(home.join("bin").join("python"));
    // Python's Spark shows times in the zone of the machine.
    python.env("TZ", "UTC").arg(scripts.join("golden.py"));
    run(python.arg(repository.root.join("crates").join("engine").join("tests").join("golden")))?;
    Ok(true)
}
