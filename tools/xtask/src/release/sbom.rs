//! The SBOM (software bill of materials) of each function, in CycloneDX's JSON.
//!
//! cargo-cyclonedx lists every crate that any combination of features needs. What cargo does not build for the function
//! is removed, because a scanner would report vulnerabilities of crates that no program has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fundhook_local_stack::{Function, Workspace};
use serde_json::Value;

use super::functions::{CHECKOUT, cargo};
use super::{Architecture, Outcome};

/// Makes cargo-cyclonedx write this instead of the time of the build, so that the same commit gives the same SBOM.
const TIME: &str = "SOURCE_DATE_EPOCH";

/// A crate: its name and version.
type Crate = (String, String);

/// Writes `<function>.cdx.json` for each function into the folder. Returns the files' names.
pub(super) fn write(workspace: &Workspace, architecture: Architecture, folder: &Path) -> Outcome<Vec<String>> {
    let documents = unreduced(workspace, architecture)?;
    let mut names = Vec::new();
    for (function, text) in Function::ALL.into_iter().zip(documents) {
        let built = built_with(workspace, architecture, function)?;
        let text = text.replace(&workspace.root().display().to_string(), CHECKOUT);
        let document = reduced(serde_json::from_str(&text)?, &built).map_err(|missing| {
            format!("cargo-cyclonedx does not list {missing}, which {} needs", function.package())
        })?;
        let name = format!("{}.cdx.json", function.package());
        fs::write(folder.join(&name), format!("{document:#}\n"))
            .map_err(|error| format!("cannot write {}: {error}", folder.join(&name).display()))?;
        names.push(name);
    }
    Ok(names)
}

/// What cargo-cyclonedx writes about each function. It writes a file beside each manifest of a program, and all of them
/// are removed.
fn unreduced(workspace: &Workspace, architecture: Architecture) -> Outcome<Vec<String>> {
    let mut command = Command::new(cargo());
    command.current_dir(workspace.root()).env(TIME, time(workspace)?);
    command.args(["cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--describe", "binaries"]);
    let status = command.args(["--target", architecture.target()]).status();
    let status = status.map_err(|error| format!("cannot run `cargo cyclonedx`: {error}"))?;
    let documents = Function::ALL.map(|function| {
        let name = function.package();
        let file = workspace.root().join(format!("functions/{name}/{name}_bin.cdx.json"));
        fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))
    });
    for file in written(workspace)? {
        fs::remove_file(&file).map_err(|error| format!("cannot remove {}: {error}", file.display()))?;
    }
    if !status.success() {
        return Err(format!("`cargo cyclonedx` ended with {status}").into());
    }
    Ok(documents.into_iter().collect::<Result<_, _>>()?)
}

/// The files of cargo-cyclonedx in the folders of all members of the workspace.
fn written(workspace: &Workspace) -> Outcome<Vec<PathBuf>> {
    let metadata = output(workspace, &["metadata", "--locked", "--no-deps", "--format-version", "1"])?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let mut files = Vec::new();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    for manifest in packages.filter_map(|package| package["manifest_path"].as_str()) {
        let Some(folder) = Path::new(manifest).parent() else { continue };
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with("_bin.cdx.json") {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// The time of the commit, unless the environment has another.
fn time(workspace: &Workspace) -> Outcome<String> {
    if let Ok(time) = std::env::var(TIME) {
        return Ok(time);
    }
    let commit = Command::new("git").current_dir(workspace.root()).args(["log", "-1", "--format=%ct"]).output();
    match commit {
        Ok(commit) if commit.status.success() => Ok(String::from_utf8(commit.stdout)?.trim().to_owned()),
        _ => Err(format!("git does not know the time of the commit: set {TIME} to the seconds since 1970").into()),
    }
}

/// The crates that cargo builds for a function, and the function itself.
fn built_with(workspace: &Workspace, architecture: Architecture, function: Function) -> Outcome<BTreeSet<Crate>> {
    let tree = ["tree", "--locked", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    let tree = [&tree[..], &["--target", architecture.target(), "--package", function.package()]].concat();
    // A line such as `serde v1.0.229` or `receiver v0.1.0 (/checkout/functions/receiver)`.
    let crates = output(workspace, &tree)?;
    let crates = crates.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
    });
    Ok(crates.collect())
}

/// The SBOM without the crates that are not built. A crate that is built and not listed is an error.
fn reduced(mut document: Value, built: &BTreeSet<Crate>) -> Result<Value, String> {
    let named =
        |component: &Value| Some((component["name"].as_str()?.to_owned(), component["version"].as_str()?.to_owned()));
    let mut missing = built.clone();
    let mut references = BTreeSet::new();
    let mut keep = |component: &Value| {
        let is_built = named(component).is_some_and(|name| {
            missing.remove(&name);
            built.contains(&name)
        });
        if is_built {
            references.insert(component["bom-ref"].clone().to_string());
        }
        is_built
    };
    keep(&document["metadata"]["component"]);
    if let Some(components) = document.get_mut("components").and_then(Value::as_array_mut) {
        components.retain(|component| keep(component));
    }
    if let Some((name, version)) = missing.first() {
        return Err(format!("{name} {version}"));
    }
    if let Some(dependencies) = document.get_mut("dependencies").and_then(Value::as_array_mut) {
        dependencies.retain(|dependency| references.contains(&dependency["ref"].to_string()));
        for dependency in dependencies {
            if let Some(needed) = dependency.get_mut("dependsOn").and_then(Value::as_array_mut) {
                needed.retain(|reference| references.contains(&reference.to_string()));
            }
        }
    }
    Ok(document)
}

/// What cargo prints.
fn output(workspace: &Workspace, arguments: &[&str]) -> Outcome<String> {
    let output = Command::new(cargo()).current_dir(workspace.root()).args(arguments).output()?;
    if !output.status.success() {
        let messages = String::from_utf8_lossy(&output.stderr);
        return Err(
            format!("`cargo {}` ended with {}\n{}", arguments.join(" "), output.status, messages.trim_end()).into()
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn crates(names: &[&str]) -> BTreeSet<Crate> {
        names.iter().map(|name| ((*name).to_owned(), "1.0.0".to_owned())).collect()
    }

    fn component(name: &str) -> Value {
        json!({ "bom-ref": format!("registry#{name}@1.0.0"), "name": name, "version": "1.0.0" })
    }

    fn document() -> Value {
        json!({
            "metadata": { "component": component("receiver") },
            "components": [component("rustls"), component("ring"), component("aws-lc-rs")],
            "dependencies": [
                { "ref": "registry#receiver@1.0.0", "dependsOn": ["registry#rustls@1.0.0"] },
                { "ref": "registry#rustls@1.0.0", "dependsOn": ["registry#aws-lc-rs@1.0.0", "registry#ring@1.0.0"] },
                { "ref": "registry#ring@1.0.0" },
                { "ref": "registry#aws-lc-rs@1.0.0" },
            ],
        })
    }

    #[test]
    fn a_crate_that_is_not_built_is_neither_a_component_nor_a_dependency() {
        let reduced = reduced(document(), &crates(&["receiver", "rustls", "aws-lc-rs"])).expect("complete");
        assert_eq!(
            reduced,
            json!({
                "metadata": { "component": component("receiver") },
                "components": [component("rustls"), component("aws-lc-rs")],
                "dependencies": [
                    { "ref": "registry#receiver@1.0.0", "dependsOn": ["registry#rustls@1.0.0"] },
                    { "ref": "registry#rustls@1.0.0", "dependsOn": ["registry#aws-lc-rs@1.0.0"] },
                    { "ref": "registry#aws-lc-rs@1.0.0" },
                ],
            })
        );
    }

    #[test]
    fn a_crate_that_is_built_and_not_listed_is_an_error_that_names_it() {
        let error =
            reduced(document(), &crates(&["receiver", "rustls", "aws-lc-rs", "time"])).expect_err("time is missing");
        assert_eq!(error, "time 1.0.0");
    }
}
