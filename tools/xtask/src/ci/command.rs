//! Running programs in the workspace's root.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus};

use fundhook_local_stack::Workspace;

use super::Outcome;

/// A program, started in the workspace's root.
///
/// It does not inherit the variables that cargo sets for this program: they describe the package `xtask`.
pub(super) fn program(workspace: &Workspace, name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(workspace.root());
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&variable);
        }
    }
    command
}

/// The cargo that runs this program.
pub(super) fn cargo(workspace: &Workspace) -> Command {
    program(workspace, std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command, which must succeed.
pub(super) fn run(command: &mut Command) -> Outcome {
    let name = display(command);
    let status = command.status().map_err(|error| format!("cannot run `{name}`: {error}"))?;
    succeeded(&name, status)
}

/// Runs a command, which must succeed, and also writes its output to a file.
pub(super) fn run_and_save(command: &mut Command, log: &Path) -> Outcome {
    let name = display(command);
    let failed = |error: std::io::Error| format!("cannot run `{name}`: {error}");
    let mut file = File::create(log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
    let (output, writer) = std::io::pipe().map_err(failed)?;
    command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    let mut child = command.spawn().map_err(failed)?;
    // The command owns this process's ends of the pipe. Only without them does reading end with the child.
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        std::io::stdout().write_all(&line).and_then(|()| file.write_all(&line)).map_err(failed)?;
        line.clear();
    }
    succeeded(&name, child.wait().map_err(failed)?)
}

/// Whether a program is installed.
pub(super) fn is_on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn succeeded(name: &str, status: ExitStatus) -> Outcome {
    if status.success() { Ok(()) } else { Err(format!("`{name}` ended with {status}").into()) }
}

fn display(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
