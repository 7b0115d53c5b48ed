//! The only tool runner.
fn main() {}
