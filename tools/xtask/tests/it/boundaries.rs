//! Which crate may depend on which (docs/internals/architecture.md#crates), checked on the manifests and on the graph that
//! cargo resolves.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use fundhook_local_stack::Workspace;
use serde_json::Value;

/// The crates of this workspace that each shared crate, command and tool depends on. Every dependency is listed, so that a
/// new one is a decision.
const DEPENDENCIES: &[(&str, &[&str])] = &[
    ("fundhook-domain", &[]),
    ("fundhook-providers", &["fundhook-domain"]),
    ("fundhook-reconciliation", &["fundhook-domain"]),
    ("fundhook-ports", &["fundhook-domain", "fundhook-reconciliation"]),
    ("fundhook-credentials", &["fundhook-domain", "fundhook-ports", "fundhook-providers"]),
    ("fundhook-runtime", &["fundhook-credentials", "fundhook-domain", "fundhook-ports", "fundhook-providers"]),
    ("fundhook-http-api", &["fundhook-domain"]),
    ("fundhook-connect-api", &["fundhook-domain", "fundhook-http-api"]),
    ("fundhook-zerohash-api", &["fundhook-domain", "fundhook-http-api"]),
    (
        "fundhook-adapters",
        &[
            "fundhook-connect-api",
            "fundhook-domain",
            "fundhook-http-api",
            "fundhook-ports",
            "fundhook-reconciliation",
            "fundhook-zerohash-api",
        ],
    ),
    (
        "fundhook",
        &[
            "fundhook-adapters",
            "fundhook-bench",
            "fundhook-domain",
            "fundhook-local-stack",
            "fundhook-ports",
            "fundhook-providers",
            "fundhook-reconciliation",
            "fundhook-runtime",
            "fundhook-sandbox",
            "fundhook-simulator",
        ],
    ),
    ("fundhook-sandbox", &["fundhook-domain", "fundhook-providers", "fundhook-runtime"]),
    (
        "fundhook-local-stack",
        &["fundhook-domain", "fundhook-providers", "fundhook-reconciliation", "fundhook-runtime", "fundhook-sandbox"],
    ),
    // The simulator runs the functions themselves.
    (
        "fundhook-simulator",
        &[
            "fan-out",
            "fundhook-adapters",
            "fundhook-credentials",
            "fundhook-domain",
            "fundhook-ports",
            "fundhook-providers",
            "fundhook-reconciliation",
            "fundhook-runtime",
            "fundhook-sandbox",
            "publisher",
            "receiver",
            "reconciler",
            "refresher",
            "state-updater",
        ],
    ),
    ("fundhook-bench", &["fundhook-local-stack", "fundhook-runtime", "fundhook-sandbox"]),
    ("xtask", &["fundhook-domain", "fundhook-local-stack", "fundhook-ports", "fundhook-providers", "fundhook-sandbox"]),
    // A subscriber sees events, and nothing of Fundhook's code.
    ("subscriber", &[]),
];

const FUNCTIONS: [&str; 6] = ["receiver", "fan-out", "state-updater", "publisher", "refresher", "reconciler"];

/// What a function may depend on. The clients of the providers' APIs are behind the adapters.
const DEPENDENCIES_OF_FUNCTIONS: [&str; 7] = [
    "fundhook-adapters",
    "fundhook-credentials",
    "fundhook-domain",
    "fundhook-ports",
    "fundhook-providers",
    "fundhook-reconciliation",
    "fundhook-runtime",
];

/// The crate of the end-to-end tests may use all others.
const END_TO_END_TESTS: &str = "fundhook-tests";

/// The clients of the providers' APIs, and what they share.
const CLIENTS: [&str; 3] = ["fundhook-connect-api", "fundhook-http-api", "fundhook-zerohash-api"];

/// Crates without a clock, randomness, threads or I/O.
const PURE: [&str; 3] = ["fundhook-domain", "fundhook-providers", "fundhook-reconciliation"];

fn workspace() -> Workspace {
    Workspace::find().expect("the tests run in the workspace")
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo).args(arguments).current_dir(workspace().root()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints text")
}

/// A crate of the workspace.
struct Member {
    name: String,
    /// The folder in the workspace: `shared`, `functions`, `tools`, …
    folder: String,
    /// All dependencies but those of tests, by name.
    dependencies: BTreeSet<String>,
    dev_dependencies: BTreeSet<String>,
}

impl Member {
    /// The dependencies that are crates of the workspace.
    fn own(&self, all: &BTreeMap<String, Member>) -> BTreeSet<&str> {
        self.dependencies.iter().filter(|name| all.contains_key(*name)).map(String::as_str).collect()
    }
}

fn members() -> BTreeMap<String, Member> {
    let metadata = cargo(&["metadata", "--offline", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo prints JSON");
    let workspace = workspace();
    let member = |package: &Value| {
        let name = package["name"].as_str().expect("a name").to_owned();
        let manifest = std::path::Path::new(package["manifest_path"].as_str().expect("a path"));
        let folder = manifest.strip_prefix(workspace.root()).expect("members are in the workspace").components().next();
        let folder = folder.map(|folder| folder.as_os_str().to_string_lossy().into_owned()).expect("a folder");
        let of_kind = |is_dev: bool| {
            let all = package["dependencies"].as_array().expect("a list").iter();
            let chosen = all.filter(|dependency| (dependency["kind"] == "dev") == is_dev);
            chosen.map(|dependency| dependency["name"].as_str().expect("a name").to_owned()).collect()
        };
        let (dependencies, dev_dependencies) = (of_kind(false), of_kind(true));
        (name.clone(), Member { name, folder, dependencies, dev_dependencies })
    };
    metadata["packages"].as_array().expect("a list").iter().map(member).collect()
}

/// The names of all crates that `package` is built with, itself included.
fn built_with(package: &str, features: &[&str]) -> BTreeSet<String> {
    let tree = ["tree", "--offline", "--edges", "normal,build", "--prefix", "none", "--format", "{p}", "--package"];
    let text = cargo(&[&tree[..], &[package], features].concat());
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn every_crate_depends_on_the_listed_crates_and_on_no_others() {
    let members = members();
    let table: BTreeMap<&str, BTreeSet<&str>> =
        DEPENDENCIES.iter().map(|(name, allowed)| (*name, allowed.iter().copied().collect())).collect();
    let functions: BTreeSet<&str> = DEPENDENCIES_OF_FUNCTIONS.into();
    for member in members.values() {
        let name = member.name.as_str();
        let own = member.own(&members);
        if FUNCTIONS.contains(&name) {
            let others: Vec<_> = own.difference(&functions).collect();
            assert!(others.is_empty(), "the function {name} may not depend on {others:?}");
        } else if name != END_TO_END_TESTS {
            assert!(table.contains_key(name), "{name} is not in the table");
            assert_eq!(own, table[name], "{name}: the dependencies differ from the table");
        }
    }
    let missing: Vec<_> = table.keys().chain(&FUNCTIONS).filter(|name| !members.contains_key(**name)).collect();
    assert!(missing.is_empty(), "no such crates: {missing:?}");
}

#[test]
fn shared_crates_and_functions_use_no_tool_even_in_tests() {
    let members = members();
    let is_inner = |member: &&Member| ["shared", "functions"].contains(&member.folder.as_str());
    for member in members.values().filter(is_inner) {
        let all = member.dependencies.union(&member.dev_dependencies);
        let outer: Vec<&String> = all
            .filter(|name| members.get(*name).is_some_and(|other| !["shared"].contains(&other.folder.as_str())))
            .collect();
        assert!(outer.is_empty(), "{} depends on {outer:?}", member.name);
    }
}

#[test]
fn pure_crates_are_built_without_aws_async_runtime_http_and_randomness() {
    for package in PURE {
        let dependencies = built_with(package, &[]);
        assert!(dependencies.contains("serde_json"), "not the dependencies of a crate: {dependencies:?}");
        let impure = |name: &&String| {
            let known = ["tokio", "reqwest", "hyper", "mio", "lambda_runtime", "rand", "fastrand", "getrandom"];
            name.starts_with("aws-sdk-") || name.starts_with("aws-smithy") || known.contains(&name.as_str())
        };
        let found: Vec<&String> = dependencies.iter().filter(impure).collect();
        assert!(found.is_empty(), "{package} must be pure, and depends on {found:?}");
    }
}

#[test]
fn of_shared_crates_and_functions_only_the_adapters_use_the_sdk_and_only_the_clients_of_the_providers_apis_use_reqwest()
{
    let members = members();
    let inner = members.values().filter(|member| ["shared", "functions"].contains(&member.folder.as_str()));
    let mut with_sdk = BTreeSet::new();
    let mut with_reqwest = BTreeSet::new();
    for member in inner {
        if member.dependencies.iter().any(|name| name.starts_with("aws-sdk-")) {
            with_sdk.insert(member.name.as_str());
        }
        if member.dependencies.contains("reqwest") {
            with_reqwest.insert(member.name.as_str());
        }
    }
    assert_eq!(with_sdk, ["fundhook-adapters"].into());
    assert_eq!(with_reqwest, CLIENTS.into());
    for package in CLIENTS {
        let client = built_with(package, &[]);
        assert!(!client.iter().any(|name| name.starts_with("aws-sdk-")), "a platform can use {package} without AWS");
    }
}

#[test]
fn without_the_local_stack_the_operators_tool_has_no_emulator_sandbox_benchmark_or_server() {
    let dependencies = built_with("fundhook", &["--no-default-features"]);
    assert!(dependencies.contains("fundhook-adapters"), "not the dependencies of the tool: {dependencies:?}");
    for name in ["axum", "fundhook-local-stack", "fundhook-sandbox", "fundhook-bench"] {
        assert!(!dependencies.contains(name), "the operator's tool depends on {name}");
    }
}

#[test]
fn every_file_of_tests_is_part_of_a_program() {
    let root = workspace().root().to_owned();
    let mut seen = 0;
    for members in ["shared", "functions", "tools", "examples", "."] {
        let crates = std::fs::read_dir(root.join(members)).expect("a folder of crates");
        for tests in crates.map(|entry| entry.expect("readable").path().join("tests/it")).filter(|it| it.is_dir()) {
            let main = std::fs::read_to_string(tests.join("main.rs")).expect("the tests of a crate are one program");
            let declared: BTreeSet<&str> =
                main.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')).collect();
            for file in std::fs::read_dir(&tests).expect("a folder of tests").map(|entry| entry.expect("readable")) {
                let path = file.path();
                let name = path.file_stem().and_then(|name| name.to_str()).expect("file names are text");
                assert!(
                    ["main", "snapshots"].contains(&name) || declared.contains(name),
                    "{} is not part of a program",
                    path.display()
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 80, "only {seen} files of tests were found");
}
