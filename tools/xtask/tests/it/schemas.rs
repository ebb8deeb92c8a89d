//! What subscribers are promised lies in the repository as files, and they are as the code makes them.

use std::collections::BTreeSet;

use fundhook_domain::{Kind, event_schema};
use fundhook_local_stack::Workspace;
use fundhook_ports::chain;
use serde_json::Value;
use xtask::contract::{REMEDY, contract};

fn workspace() -> Workspace {
    Workspace::find().expect("the tests run in the workspace")
}

#[test]
fn the_schemas_and_the_guides_examples_are_as_the_code_makes_them() {
    let workspace = workspace();
    let files = contract(&workspace).map_err(|why| chain(&why)).expect("the files can be made");
    let drifted: Vec<&str> = files
        .iter()
        .filter(|file| file.has_drifted(&workspace).expect("the file can be read"))
        .map(|file| file.name.as_str())
        .collect();
    assert!(drifted.is_empty(), "`{REMEDY}` writes these anew, which are not as the code makes them: {drifted:?}");

    let made: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let kept = std::fs::read_dir(workspace.root().join("schemas")).expect("the folder is there").flatten();
    for entry in kept {
        let name = format!("schemas/{}", entry.file_name().to_string_lossy());
        assert!(made.contains(name.as_str()), "nothing makes {name}: remove it");
    }
}

/// The paths of all members under `schema` that are not described.
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
fn every_member_and_every_definition_is_described() {
    for kind in Kind::ALL {
        let schema = event_schema(kind);
        let mut found = Vec::new();
        undescribed(&schema, "", &mut found);
        assert!(found.is_empty(), "{kind}: {found:?}");
    }
}

#[test]
fn what_only_some_kinds_can_say_is_named_by_their_schemas_alone() {
    for kind in Kind::ALL {
        let schema = event_schema(kind);
        let has = |member: &str| schema["properties"]["data"]["properties"].get(member).is_some();
        assert_eq!(has("conflicting"), matches!(kind, Kind::Deposit | Kind::Withdrawal), "{kind}");
        assert_eq!(has("duplicate_of"), kind == Kind::Deposit, "{kind}");
        assert_eq!(has("amount"), kind.moves_money() && kind != Kind::Recovery || kind == Kind::Balance, "{kind}");
        assert_eq!(has("auth_request"), kind == Kind::Recovery, "{kind}");
    }
}
