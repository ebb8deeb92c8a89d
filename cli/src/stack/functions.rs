//! The functions of the stack, and their programs as cargo builds them.

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use serde::Deserialize;
use thiserror::Error;
use tokio::process::Command;

use super::Workspace;

/// A Lambda function of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// Verifies webhooks.
    Receiver,
    /// Normalises them and routes their signals.
    FanOut,
    /// Folds signals into resources.
    StateUpdater,
    /// Publishes what changed.
    Publisher,
    /// Keeps key sets and tokens fresh.
    Refresher,
}

impl Function {
    /// All of them, in the order of the flow.
    pub const ALL: [Self; 5] = [Self::Receiver, Self::FanOut, Self::StateUpdater, Self::Publisher, Self::Refresher];

    /// Its package in the workspace, and the program that the package builds.
    #[must_use]
    pub fn package(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::FanOut => "fan-out",
            Self::StateUpdater => "state-updater",
            Self::Publisher => "publisher",
            Self::Refresher => "refresher",
        }
    }

    /// Its name in the template.
    #[must_use]
    pub fn logical_id(self) -> &'static str {
        match self {
            Self::Receiver => "ReceiverFunction",
            Self::FanOut => "FanOutFunction",
            Self::StateUpdater => "StateUpdaterFunction",
            Self::Publisher => "PublisherFunction",
            Self::Refresher => "RefresherFunction",
        }
    }
}

/// One program for each function.
#[derive(Debug, Clone)]
pub struct Binaries([PathBuf; Function::ALL.len()]);

impl Binaries {
    /// The programs that `path` names.
    #[must_use]
    pub fn from_fn(path: impl FnMut(Function) -> PathBuf) -> Self {
        Self(Function::ALL.map(path))
    }

    /// The program of `function`.
    #[must_use]
    pub fn get(&self, function: Function) -> &Path {
        &self.0[function as usize]
    }
}

/// How to compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Quick to build: what the local stack runs.
    #[default]
    Dev,
    /// As deployed.
    Release,
}

impl Profile {
    fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }
}

/// Where cargo's own words go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CargoOutput {
    /// To standard error as they come, for a person who waits.
    Shown,
    /// Into the error, when there is one.
    Kept,
}

/// Why there are no programs.
#[derive(Debug, Error)]
pub enum BuildError {
    /// Cargo could not be run.
    #[error("cannot run {cargo:?}: is cargo on PATH?")]
    Cargo {
        /// The command that was tried.
        cargo: OsString,
        /// What the system said.
        source: io::Error,
    },
    /// The functions do not compile.
    #[error("the functions do not build: cargo ended with {status}{output}")]
    Failed {
        /// How cargo ended.
        status: ExitStatus,
        /// What it printed, unless that was shown already.
        output: String,
    },
    /// Cargo did not say where it put a program.
    #[error("cargo built no program for {0}")]
    NoProgram(&'static str),
}

/// A line of `cargo build --message-format=json`; most are about something else.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds the functions and returns their programs; a second or less when nothing changed.
///
/// # Errors
/// When they do not compile.
pub async fn build_functions(
    workspace: &Workspace,
    profile: Profile,
    output: CargoOutput,
) -> Result<Binaries, BuildError> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command.args(["build", "--profile", profile.as_str()]);
    command.args(Function::ALL.map(Function::package).iter().flat_map(|name| ["--package", name, "--bin", name]));
    // None of this package's own programs is built. Selecting it makes cargo give the dependencies the features that it
    // gave them for this program, so that hardly one is compiled a second time.
    command.args(["--package", env!("CARGO_PKG_NAME")]);
    command.arg("--message-format=json-render-diagnostics").current_dir(workspace.root());
    if env::var_os("CARGO_TARGET_DIR").is_some() {
        // It may be relative to another directory than the one that cargo runs in here.
        command.env("CARGO_TARGET_DIR", workspace.target());
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    command.stderr(if output == CargoOutput::Shown { Stdio::inherit() } else { Stdio::piped() });

    let failed = |source| BuildError::Cargo { cargo: cargo.clone(), source };
    let finished = command.spawn().map_err(failed)?.wait_with_output().await.map_err(failed)?;
    if !finished.status.success() {
        let output = match output {
            CargoOutput::Shown => String::new(),
            CargoOutput::Kept => format!("\n{}", String::from_utf8_lossy(&finished.stderr).trim_end()),
        };
        return Err(BuildError::Failed { status: finished.status, output });
    }
    programs(&String::from_utf8_lossy(&finished.stdout))
}

/// Where cargo says that the programs are, which its configuration may put anywhere.
fn programs(messages: &str) -> Result<Binaries, BuildError> {
    let built: Vec<(String, PathBuf)> = messages
        .lines()
        .filter_map(|line| {
            let message: Message = serde_json::from_str(line).ok()?;
            Some((message.target?.name, message.executable?))
        })
        .collect();
    let find = |function: Function| built.iter().find(|(name, _)| name == function.package());
    match Function::ALL.into_iter().find(|function| find(*function).is_none()) {
        Some(missing) => Err(BuildError::NoProgram(missing.package())),
        None => Ok(Binaries::from_fn(|function| find(function).map(|(_, path)| path.clone()).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(package: &str) -> String {
        format!(r#"{{"reason":"compiler-artifact","target":{{"name":"{package}"}},"executable":"/t/debug/{package}"}}"#)
    }

    #[test]
    fn the_programs_are_where_cargo_says() {
        let mut lines: Vec<String> = Function::ALL.iter().map(|function| artifact(function.package())).collect();
        lines
            .push(r#"{"reason":"compiler-artifact","target":{"name":"fundhook_domain"},"executable":null}"#.to_owned());
        lines.push(r#"{"reason":"build-finished","success":true}"#.to_owned());
        let binaries = programs(&lines.join("\n")).expect("all are there");
        assert_eq!(binaries.get(Function::FanOut), Path::new("/t/debug/fan-out"));
        assert_eq!(binaries.get(Function::Refresher), Path::new("/t/debug/refresher"));
    }

    #[test]
    fn a_package_without_a_program_is_named() {
        let error = programs(&artifact("receiver")).expect_err("four are missing");
        assert_eq!(error.to_string(), "cargo built no program for fan-out");
    }
}
