//! Installs what `web/package-lock.json` names, once per lock file.

use std::fs;
use std::path::Path;

use crate::node::Node;
use crate::{Failure, on, run, say};

/// Says which lock file `node_modules` was made from; written last.
const STAMP: &str = ".installed";

pub(crate) fn install(node: &Node, work: &Path) -> Result<(), Failure> {
    let lock = work.join("package-lock.json");
    let wanted = fs::read_to_string(&lock).map_err(on(&lock))?;
    let stamp = work.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    say("fetching the page's packages (uPlot, esbuild, TypeScript) from the npm registry");
    // No package may run a script of its own while it is installed; none of ours needs to.
    let mut command = node.npm();
    command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(work);
    run(&mut command, "install the page's packages with npm ci")?;
    fs::write(&stamp, wanted).map_err(on(&stamp))
}
