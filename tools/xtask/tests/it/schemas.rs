//! The generated files are up to date, and the schemas are complete.

use std::collections::BTreeSet;

use fundhook_domain::{Kind, event_schema};
use fundhook_local_stack::Workspace;
use fundhook_ports::chain;
use serde_json::Value;
use xtask::generated::{COMMAND, generated_files};

fn workspace() -> Workspace {
    Workspace::find().expect("the tests run in the workspace")
}

#[test]
fn every_generated_file_is_up_to_date() {
    let workspace = workspace();
    let files = generated_files(&workspace).map_err(|why| chain(&why)).expect("the files can be generated");
    let outdated: Vec<&str> = files
        .iter()
        .filter(|file| file.is_outdated(&workspace).expect("the file can be read"))
        .map(|file| file.path.as_str())
        .collect();
    assert!(outdated.is_empty(), "these files are out of date; `{COMMAND}` writes them: {outdated:?}");

    let generated: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    for page in ["docs/events.md", "docs/providers/webhooks.md", "docs/operate/parameters.md"] {
        assert!(generated.contains(page), "{page} is not generated");
    }
    let schemas = std::fs::read_dir(workspace.root().join("schemas")).expect("the folder exists").flatten();
    for entry in schemas {
        let path = format!("schemas/{}", entry.file_name().to_string_lossy());
        assert!(generated.contains(path.as_str()), "no code generates {path}: remove it");
    }
}

/// The paths of all members of `schema` without a description.
fn undescribed(schema: &Value, path: &str, found: &mut Vec<String>) {
    let Some(rules) = schema.as_object() else {
        return;
    };
    for (name, member) in rules.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = format!("{path}.{name}");
        if member["description"].as_str().is_none_or(str::is_empty) {
            found.push(path.clone());
        }
        undescribed(member, &path, found);
    }
    if let Some(items) = rules.get("items") {
        undescribed(items, &format!("{path}[]"), found);
    }
    for (name, definition) in rules.get("$defs").and_then(Value::as_object).into_iter().flatten() {
        if definition["description"].as_str().is_none_or(str::is_empty) {
            found.push(name.clone());
        }
        undescribed(definition, name, found);
    }
}

#[test]
fn every_member_and_every_definition_has_a_description() {
    for kind in Kind::ALL {
        let schema = event_schema(kind);
        let mut found = Vec::new();
        undescribed(&schema, "", &mut found);
        assert!(found.is_empty(), "{kind}: {found:?}");
    }
}

#[test]
fn a_member_of_some_kinds_is_only_in_the_schemas_of_those_kinds() {
    for kind in Kind::ALL {
        let schema = event_schema(kind);
        let has = |member: &str| schema["properties"]["data"]["properties"].get(member).is_some();
        let can_conflict = matches!(kind, Kind::Deposit | Kind::Withdrawal | Kind::Fee | Kind::Exchange);
        for member in ["conflicting", "conflict_about"] {
            assert_eq!(has(member), can_conflict, "{kind}: {member}");
        }
        let can_be_duplicate = matches!(kind, Kind::Deposit | Kind::Withdrawal);
        assert_eq!(has("duplicate_of"), can_be_duplicate, "{kind}");
        for member in ["credit", "hold"] {
            assert_eq!(has(member), kind == Kind::Deposit, "{kind}: {member}");
        }
        assert_eq!(has("exchange"), kind == Kind::Exchange, "{kind}");
        assert_eq!(has("amount"), kind.moves_money() && kind != Kind::Recovery || kind == Kind::Balance, "{kind}");
        for member in ["auth_request", "auth_request_older"] {
            assert_eq!(has(member), kind == Kind::Recovery, "{kind}: {member}");
        }
    }
}
