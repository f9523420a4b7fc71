//! The README knows everything that can be set.

use serde_json::json;

use crate::support::Stage;

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_names_every_switch_with_its_default() {
    let stage = Stage::frozen();
    for (name, position) in stage.get("switches").as_object().expect("an object") {
        let position =
            position.as_str().map_or_else(|| position.to_string(), |text| format!("`{text}`"));
        assert!(
            README.contains(&format!("| `{name}` | {position} |")),
            "`{name}` with default {position}"
        );
    }
}

#[test]
fn the_readme_names_every_kind_of_fault() {
    let stage = Stage::frozen();
    let refused = stage.refused("faults", json!({"operation": "*", "kind": "?"}));
    let kinds: Vec<&str> = refused.split('`').skip(3).step_by(2).collect();
    assert!(kinds.len() > 15, "{refused}");
    for kind in kinds {
        assert!(README.contains(&format!("`{kind}`")), "`{kind}`");
    }
}
