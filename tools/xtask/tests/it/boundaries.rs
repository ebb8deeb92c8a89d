//! Who may depend on whom (ARCHITECTURE.md): checked on the graph that cargo resolves.

use std::collections::BTreeSet;
use std::process::Command;

use fundhook_local_stack::Workspace;

/// The names of all crates that `package` is built with, itself included.
fn dependencies(package: &str) -> BTreeSet<String> {
    let workspace = Workspace::find().expect("the tests run in the workspace");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--offline",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--package",
            package,
        ])
        .current_dir(workspace.root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo prints text");
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn the_pure_crates_know_no_aws_no_runtime_and_no_http() {
    for package in ["fundhook-domain", "fundhook-providers"] {
        let dependencies = dependencies(package);
        assert!(dependencies.contains("serde_json"), "the list is not that of a crate: {dependencies:?}");
        let impure = |name: &&String| {
            let known = ["tokio", "reqwest", "hyper", "mio", "lambda_runtime", "rand", "fastrand", "getrandom"];
            name.starts_with("aws-sdk-") || name.starts_with("aws-smithy") || known.contains(&name.as_str())
        };
        let found: Vec<&String> = dependencies.iter().filter(impure).collect();
        assert!(found.is_empty(), "{package} is pure, and depends on {found:?}");
    }
}

#[test]
fn no_function_depends_on_another_or_on_an_sdk_by_name() {
    let functions = ["receiver", "fan-out", "state-updater", "publisher", "refresher", "reconciler"];
    for function in functions {
        let others = dependencies(function);
        let found: Vec<&&str> =
            functions.iter().filter(|other| **other != function && others.contains(**other)).collect();
        assert!(found.is_empty(), "{function} depends on {found:?}");
        let workspace = Workspace::find().expect("the tests run in the workspace");
        let manifest = workspace.root().join("functions").join(function).join("Cargo.toml");
        let manifest = std::fs::read_to_string(manifest).expect("each function has a manifest");
        assert!(!manifest.contains("aws-sdk-") && !manifest.contains("reqwest"), "{function} goes round the adapters");
    }
}

#[test]
fn the_domain_knows_no_provider_and_no_adapter() {
    let domain = dependencies("fundhook-domain");
    let inner: Vec<&String> = domain.iter().filter(|name| name.starts_with("fundhook-")).collect();
    assert_eq!(inner, ["fundhook-domain"]);
    let providers = dependencies("fundhook-providers");
    assert!(!providers.contains("fundhook-adapters") && !providers.contains("fundhook-runtime"));
}

#[test]
fn only_the_adapters_name_the_sdk_and_only_the_client_of_connects_api_names_reqwest() {
    let shared = Workspace::find().expect("the tests run in the workspace").root().join("shared");
    let crates = std::fs::read_dir(shared).expect("the shared crates are there");
    let mut names_sdk = BTreeSet::new();
    let mut names_reqwest = BTreeSet::new();
    for entry in crates.map(|entry| entry.expect("readable")) {
        let manifest = std::fs::read_to_string(entry.path().join("Cargo.toml")).expect("each crate has a manifest");
        let name = entry.file_name().into_string().expect("our own names are text");
        if manifest.lines().any(|line| line.starts_with("aws-sdk-")) {
            names_sdk.insert(name.clone());
        }
        if manifest.lines().any(|line| line.starts_with("reqwest")) {
            names_reqwest.insert(name);
        }
    }
    assert_eq!(names_sdk, ["adapters".to_owned()].into());
    assert_eq!(names_reqwest, ["connect-api".to_owned()].into());
    let client = dependencies("fundhook-connect-api");
    assert!(!client.contains("fundhook-adapters"), "a platform can use the client without AWS");
}

#[test]
fn every_file_of_tests_is_run() {
    let workspace = Workspace::find().expect("the tests run in the workspace");
    let mut seen = 0;
    for members in ["shared", "functions", "examples", "."] {
        let crates = std::fs::read_dir(workspace.root().join(members)).expect("a folder of crates");
        for tests in crates.map(|entry| entry.expect("readable").path().join("tests/it")).filter(|it| it.is_dir()) {
            let main = std::fs::read_to_string(tests.join("main.rs")).expect("the tests of a crate are one program");
            let declared: BTreeSet<&str> =
                main.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')).collect();
            for file in std::fs::read_dir(&tests).expect("a folder of tests").map(|entry| entry.expect("readable")) {
                let path = file.path();
                let name = path.file_stem().and_then(|name| name.to_str()).expect("our own names are text");
                assert!(
                    ["main", "snapshots"].contains(&name) || declared.contains(name),
                    "{} is not run",
                    path.display()
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 80, "only {seen} files of tests were found");
}
