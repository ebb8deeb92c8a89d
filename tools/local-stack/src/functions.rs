//! The functions of the stack, and programs for functions as cargo builds them.

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
    /// Reconciles with the provider's list.
    Reconciler,
}

impl Function {
    /// All of them, in the order of the flow.
    pub const ALL: [Self; 6] =
        [Self::Receiver, Self::FanOut, Self::StateUpdater, Self::Publisher, Self::Refresher, Self::Reconciler];

    /// Its package in the workspace, and the program that the package builds.
    #[must_use]
    pub fn package(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::FanOut => "fan-out",
            Self::StateUpdater => "state-updater",
            Self::Publisher => "publisher",
            Self::Refresher => "refresher",
            Self::Reconciler => "reconciler",
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
            Self::Reconciler => "ReconcilerFunction",
        }
    }

    /// Its program.
    #[must_use]
    pub fn program(self) -> Program {
        Program { package: self.package(), logical_id: self.logical_id() }
    }

    /// The programs of all functions.
    #[must_use]
    pub fn programs() -> [Program; Self::ALL.len()] {
        Self::ALL.map(Self::program)
    }
}

/// A program of the workspace that a template deploys as a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// Its package in the workspace, and the binary that the package builds.
    pub package: &'static str,
    /// The function's name in its template.
    pub logical_id: &'static str,
}

/// Programs as they were built.
#[derive(Debug, Clone)]
pub struct Binaries(Vec<(Program, PathBuf)>);

impl Binaries {
    /// `programs`, where `path` says that they are.
    #[must_use]
    pub fn from_fn(programs: &[Program], path: impl Fn(Program) -> PathBuf) -> Self {
        Self(programs.iter().map(|program| (*program, path(*program))).collect())
    }

    /// Where `program` is, if it is one of them.
    #[must_use]
    pub fn get(&self, program: Program) -> Option<&Path> {
        self.iter().find(|(known, _)| *known == program).map(|(_, path)| path)
    }

    /// Each program, and where it is.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Program, &Path)> {
        self.0.iter().map(|(program, path)| (*program, path.as_path()))
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
    /// The programs do not compile.
    #[error("the programs do not build: cargo ended with {status}{output}")]
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

/// Builds programs of the workspace; a second or less when nothing changed.
///
/// # Errors
/// When they do not compile.
pub async fn build(
    workspace: &Workspace,
    programs: &[Program],
    profile: Profile,
    output: CargoOutput,
) -> Result<Binaries, BuildError> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command.args(["build", "--profile", profile.as_str()]);
    command.args(programs.iter().flat_map(|program| ["--package", program.package, "--bin", program.package]));
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
    built(programs, &String::from_utf8_lossy(&finished.stdout))
}

/// Where cargo says that the programs are, which its configuration may put anywhere.
fn built(programs: &[Program], messages: &str) -> Result<Binaries, BuildError> {
    let built: Vec<(String, PathBuf)> = messages
        .lines()
        .filter_map(|line| {
            let message: Message = serde_json::from_str(line).ok()?;
            Some((message.target?.name, message.executable?))
        })
        .collect();
    let found = programs.iter().map(|program| {
        let found = built.iter().find(|(name, _)| name == program.package);
        let (_, path) = found.ok_or(BuildError::NoProgram(program.package))?;
        Ok((*program, path.clone()))
    });
    found.collect::<Result<_, _>>().map(Binaries)
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
        let binaries = built(&Function::programs(), &lines.join("\n")).expect("all are there");
        for function in Function::ALL {
            let path = Path::new("/t/debug").join(function.package());
            assert_eq!(binaries.get(function.program()), Some(path.as_path()));
        }
    }

    #[test]
    fn a_package_without_a_program_is_named() {
        let error = built(&Function::programs(), &artifact("receiver")).expect_err("five are missing");
        assert_eq!(error.to_string(), "cargo built no program for fan-out");
    }
}
