//! `docs/learning.md` has every algorithm, step and detector.

use std::collections::BTreeMap;

use ml::{Label, Schema, create, drift, registry};

const PAGE: &str = include_str!("../../../../docs/learning.md");

#[test]
fn the_page_names_all_that_there_is() {
    let has = |name: &str| PAGE.contains(&format!("`{name}`"));
    for label in [None, Some(Label::Class), Some(Label::Number)] {
        for algorithm in registry::algorithms(label) {
            assert!(has(algorithm), "docs/learning.md lacks {algorithm}");
            let nonsense = BTreeMap::from([("no such option".to_owned(), "1".to_owned())]);
            let refusal =
                create(algorithm, &nonsense, Schema::vector(label)).expect_err("no such option").to_string();
            let known = refusal.rsplit("known options: ").next().unwrap_or_default();
            for option in known.split(", ").filter(|option| !option.is_empty()) {
                assert!(has(option), "docs/learning.md lacks the option {option} of {algorithm}");
            }
        }
    }
    for detector in drift::NAMES {
        assert!(has(detector), "docs/learning.md lacks {detector}");
    }
    let nonsense = BTreeMap::from([("preprocess".to_owned(), "no_such_step".to_owned())]);
    let refusal = create("no_change", &nonsense, Schema::vector(Some(Label::Class)))
        .expect_err("no such step")
        .to_string();
    for step in refusal.rsplit("among ").next().unwrap_or_default().split(", ") {
        assert!(PAGE.contains(&format!("`{step}")), "docs/learning.md lacks the step {step}");
    }
}
