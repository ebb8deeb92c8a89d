//! The functions of the stack, and building their programs with cargo.

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
    Receiver,
    FanOut,
    StateUpdater,
    Publisher,
    Refresher,
    Reconciler,
}

impl Function {
    /// In the order of the flow.
    pub const ALL: [Self; 6] =
        [Self::Receiver, Self::FanOut, Self::StateUpdater, Self::Publisher, Self::Refresher, Self::Reconciler];

    /// The package in the workspace, which is also the name of its program.
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

    /// The logical id in the template.
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

    #[must_use]
    pub fn program(self) -> Program {
        Program { package: self.package() }
    }

    #[must_use]
    pub fn programs() -> [Program; Self::ALL.len()] {
        Self::ALL.map(Self::program)
    }
}

/// A program of the workspace that functions of a template run: those whose metadata names it as their `Binary`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// The package in the workspace, which is also the name of its binary.
    pub package: &'static str,
}

/// Built programs and their paths.
#[derive(Debug, Clone)]
pub struct Binaries(Vec<(Program, PathBuf)>);

impl Binaries {
    #[must_use]
    pub fn from_fn(programs: &[Program], path: impl Fn(Program) -> PathBuf) -> Self {
        Self(programs.iter().map(|program| (*program, path(*program))).collect())
    }

    #[must_use]
    pub fn get(&self, program: Program) -> Option<&Path> {
        self.iter().find(|(known, _)| *known == program).map(|(_, path)| path)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Program, &Path)> {
        self.0.iter().map(|(program, path)| (*program, path.as_path()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Quick to build; used by the local stack.
    #[default]
    Dev,
    /// As deployed to AWS.
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

/// Where cargo's messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CargoOutput {
    /// To standard error.
    Shown,
    /// Into the error if the build fails.
    Kept,
}

/// Why the programs were not built.
#[derive(Debug, Error)]
pub enum BuildError {
    #[error("cannot run {cargo:?}: is cargo on PATH?")]
    Cargo { cargo: OsString, source: io::Error },
    #[error("cargo could not build the programs: it ended with {status}{output}")]
    Failed {
        status: ExitStatus,
        /// Cargo's messages, unless they were shown.
        output: String,
    },
    #[error("cargo built no program for {0}")]
    NoProgram(&'static str),
}

/// A line of `cargo build --message-format=json`. Most lines have neither member.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds programs of the workspace. Takes less than a second if nothing changed.
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
    // This builds no program of this package. Selecting the package gives the dependencies the same features as in the
    // build of the running program, so that they are not compiled again.
    command.args(["--package", env!("CARGO_PKG_NAME")]);
    command.arg("--message-format=json-render-diagnostics").current_dir(workspace.root());
    if env::var_os("CARGO_TARGET_DIR").is_some() {
        // The variable may be relative to another directory than the workspace's root.
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

/// The paths in cargo's messages, since cargo's configuration can set any target directory.
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
    fn the_paths_of_the_programs_are_read_from_cargos_messages() {
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
