//! Python beside the door: the package that scripts and workers need, and the functions of scripts.
//!
//! A function is a [`Function`] as the client sends it, and a [`Call`] in a plan: one of the planner's own functions,
//! wherever an expression may stand. A call hands each batch to a [`task::Task`] in a [`worker::Worker`], a process
//! of the user's Python. Groups come to it as lists of structs and rows leave it as such, so that the plan around
//! is an ordinary one. A [`Run`] is the Python of one plan: when its [`Guard`] goes, all of it ends. The [`Pool`]
//! keeps workers for the next plan. `docs/adr/0004-python-workers.md` says why.

mod call;
mod failure;
mod function;
mod group;
mod modules;
mod package;
mod pool;
mod processor;
mod profile;
mod run;
mod source;
mod state;
mod stream;
mod table;
mod task;
mod window;
mod worker;

pub(crate) use call::Call;
pub(crate) use failure::Failure;
pub(crate) use function::{Function, Makes, each_once};
pub(crate) use group::Groups;
pub(crate) use modules::Modules;
pub use package::Package;
pub(crate) use pool::Pool;
pub(crate) use processor::{Beginning, ProcessorCall};
pub(crate) use profile::measured;
pub(crate) use run::{Guard, Run};
pub(crate) use source::Source;
pub(crate) use state::{StateCall, StateTimeout};
pub(crate) use stream::{Batches, reachable};
pub(crate) use table::{Analyzed, Argument, Ordered, Table, analyze, code};
pub(crate) use window::WindowCall;
