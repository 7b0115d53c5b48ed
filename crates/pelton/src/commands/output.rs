//! Flags that many commands share.

/// What is printed.
#[derive(clap::Args, Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}
