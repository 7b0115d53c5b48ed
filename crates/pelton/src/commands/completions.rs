//! `pelton completions`: what makes a shell complete commands, flags, and names of topics and groups.

use std::process::ExitCode;

use anyhow::Context;
use clap_complete::env::{EnvCompleter, Shells};

/// Flags of `completions`.
#[derive(clap::Args)]
#[command(
    after_long_help = "The script asks this program for what fits, so it also offers topics and groups of the broker at PELTON_KAFKA.

Examples:
  source <(pelton completions bash)                                   in ~/.bashrc
  source <(pelton completions zsh)                                    in ~/.zshrc
  pelton completions fish > ~/.config/fish/completions/pelton.fish
  pelton completions elvish > ~/.config/elvish/lib/pelton.elv         and `use pelton` in rc.elv
  pelton completions powershell | Out-String | Invoke-Expression      in $PROFILE"
)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_parser = ["bash", "zsh", "fish", "powershell", "elvish"])]
    shell: String,
}

/// Prints the script.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let shells = Shells::builtins();
    let shell: &dyn EnvCompleter = shells.completer(&args.shell).context("a shell that is not known")?;
    let mut script = Vec::new();
    shell
        .write_registration("COMPLETE", "pelton", "pelton", "pelton", &mut script)
        .context("write the script")?;
    crate::terminal::say(String::from_utf8_lossy(&script).trim_end());
    Ok(ExitCode::SUCCESS)
}
