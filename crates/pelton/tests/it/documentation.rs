//! The examples of `docs/cli.md`, run in their order against a fresh server.

use std::path::Path;
use std::process::Command;

use crate::running::{Kafka, pelton};

struct Example {
    line: usize,
    command: String,
    said: Vec<String>,
}

/// What stands in blocks of `console`: commands behind a `$`, what they say below.
fn examples(text: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for (line, text) in (1..).zip(text.lines()) {
        match (inside, text.strip_prefix("$ "), examples.last_mut()) {
            (_, None, _) if text.starts_with("```") => inside = text == "```console",
            (true, Some(command), _) => {
                examples.push(Example { line, command: command.to_owned(), said: Vec::new() });
            }
            (true, None, Some(example)) => example.said.push(text.to_owned()),
            _ => {}
        }
    }
    examples
}

#[test]
fn every_example_says_what_the_page_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("docs/cli.md")).unwrap();
    let examples = examples(&text);
    assert!(examples.len() > 25, "the page has examples");
    let kafka = Kafka::start();
    let bin = Path::new(pelton().get_program()).parent().unwrap().to_owned();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    for Example { line, command, said } in examples {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("({command}) 2>&1")).env("PATH", &path).env("PELTON_KAFKA", &kafka.addr);
        let output = shell.output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<&str> = out.lines().map(str::trim_end).collect();
        let mut wanted: Vec<&str> = said.iter().map(String::as_str).collect();
        // Three dots stand for whatever follows.
        if wanted.last() == Some(&"...") {
            wanted.pop();
            lines.truncate(wanted.len());
        }
        assert_eq!(lines, wanted, "docs/cli.md:{line}: {command}");
    }
}
