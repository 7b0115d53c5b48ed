//! Each rule fails on a bad example and lets the good one pass.

use super::*;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

fn package(name: &str) -> Package {
    Package { name: name.to_owned(), directory: format!("crates/{name}"), dependencies: Vec::new() }
}

#[test]
fn long_files_fail_and_tests_are_counted_apart() {
    let code = |lines: usize| "let a = 1;\n".repeat(lines);
    assert!(size::lines(&file("a.rs", &code(500))).is_empty());
    assert_eq!(size::lines(&file("a.rs", &code(501))).len(), 1);
    assert_eq!(size::lines(&file("a.py", &code(501))).len(), 1);
    assert!(size::lines(&file("a.md", &code(501))).is_empty());
    let both = |code_lines, test_lines| {
        format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", code(code_lines), code(test_lines))
    };
    assert!(size::lines(&file("a.rs", &both(490, 490))).is_empty());
    assert_eq!(size::lines(&file("a.rs", &both(501, 1))).len(), 1);
    assert_eq!(size::lines(&file("a.rs", &both(1, 501))).len(), 1);
}

#[test]
fn packed_code_fails() {
    assert!(size::minified(&file("page.js", &"a=1;".repeat(200))).is_some());
    assert!(size::minified(&file("page.ts", "const a = 1;\n")).is_none());
    assert!(names::path("web/chart.min.js").is_some());
    assert!(names::path("web/node_modules/chart/index.js").is_some());
    assert!(names::path("web/src/chart.ts").is_none());
}

#[test]
fn names_that_say_nothing_fail() {
    assert!(names::path("crates/a/src/b/mod.rs").is_some());
    assert!(names::path("crates/a/src/utils.rs").is_some());
    assert!(names::path("crates/a/src/types.rs").is_some());
    assert!(names::path("crates/a/src/sql/types.rs").is_none());
    assert!(names::path("crates/a/src/b.rs").is_none());
}

#[test]
fn a_crowded_root_fails() {
    let paths = |count: usize| (0..count).map(|n| format!("entry{n}/file")).collect::<Vec<_>>();
    assert!(names::root(&paths(19)).is_empty());
    assert_eq!(names::root(&paths(20)).len(), 1);
}

#[test]
fn a_crate_without_its_page_fails() {
    let good =
        file("crates/a/src/lib.rs", "//! One.\n//! Two.\n//! Three.\n//! Four.\n\nmod b;\npub use b::B;\n");
    assert!(names::page(&package("a"), &[good]).is_empty());
    let short = file("crates/a/src/lib.rs", "//! One.\nmod b;\n");
    assert_eq!(names::page(&package("a"), &[short]).len(), 1);
    assert_eq!(names::page(&package("a"), &[]).len(), 1);
}

#[test]
fn code_in_the_library_root_fails() {
    for code in
        ["pub fn f() {}", "struct S;", "pub(crate) const C: u8 = 1;", "impl<T> S<T> {}", "async fn f() {}"]
    {
        let text = format!("//! One.\n//! Two.\n//! Three.\n//! Four.\n{code}\n");
        assert_eq!(names::page(&package("a"), &[file("crates/a/src/lib.rs", &text)]).len(), 1, "{code}");
    }
}

#[test]
fn unfinished_work_fails() {
    for word in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")] {
        assert_eq!(words::markers(&file("a.rs", &format!("// {word}: later\n"))).len(), 1, "{word}");
        assert_eq!(words::markers(&file("a.md", &format!("({word})\n"))).len(), 1, "{word}");
        assert!(words::markers(&file("a.rs", &format!("mktemp {word}X MY{word}\n"))).is_empty(), "{word}");
    }
    let ignored = format!("    #[{}]\n", "ignore = \"slow\"");
    assert_eq!(words::markers(&file("a.rs", &ignored)).len(), 1);
}

#[test]
fn places_on_one_machine_fail() {
    for path in [concat!("/ro", "ot/.cargo"), concat!("\"/ho", "me/me/x\""), concat!("(/tmp", "/w/x)")] {
        assert_eq!(words::machine(&file("a.md", path)).len(), 1, "{path}");
    }
    for path in [concat!("docs/wo", "rk/x"), concat!("$HOME/wo", "rk/"), concat!("https://x.org/ho", "me/")] {
        assert!(words::machine(&file("a.md", path)).is_empty(), "{path}");
    }
}

#[test]
fn registry_hosts_fail_outside_of_the_lock_file() {
    let line = concat!("resolved = \"https://registry.npm", "js.org/uplot\"");
    assert_eq!(words::machine(&file("package-lock.json", line)).len(), 1);
    let index = concat!("source = \"registry+https://github.com/rust-lang/crates", ".io-index\"");
    assert!(words::machine(&file("Cargo.lock", index)).is_empty());
    assert_eq!(words::machine(&file("README.md", index)).len(), 1);
}

#[test]
fn stray_whitespace_fails() {
    for text in ["a \n", "a\t\n", "a\r\n", "a", "a\n\n"] {
        assert_eq!(words::whitespace(&file("a.md", text)).len(), 1, "{text:?}");
    }
    assert!(words::whitespace(&file("a.md", "a\n\nb\n")).is_empty());
    assert!(words::whitespace(&file("a.md", "")).is_empty());
}

#[test]
fn everything_is_looked_at() {
    let paths = ["crates/a/src/mod.rs".to_owned()];
    let files = [file("crates/a/src/lib.rs", "fn f() {} \n")];
    let findings = check(&paths, &files, &[package("a")]);
    assert_eq!(findings.len(), 4, "{findings:?}");
}
