//! Installs the emulator in a virtual environment below the target directory, with every package pinned.

use std::{
    env,
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::process::Command;

use crate::{Progress, Workspace};

const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// The environment variable with the Python to use instead of `python3`.
const PYTHON: &str = "FUNDHOOK_PYTHON";

/// The oldest Python that the emulator's packages support.
const PYTHON_MIN: (u32, u32) = (3, 10);

/// Prints the version, the interpreter's path, and whether `python -m venv` works: Debian's Python has `venv` without
/// `ensurepip`, which it needs.
const PROBE: &str = "\
import importlib.util, sys
print(sys.version_info[0], sys.version_info[1])
print(sys.executable)
print(all(importlib.util.find_spec(name) for name in ('venv', 'ensurepip')))";

#[derive(Debug, Error)]
pub enum InstallError {
    #[error("cannot run {python}: install Python 3.10 or later, or set {PYTHON} to its path")]
    NoPython {
        python: String,
        /// `None` if it started and printed something unexpected.
        source: Option<io::Error>,
    },
    #[error(
        "{python} is Python {major}.{minor}, and the emulator needs 3.10 or later: install one, or set {PYTHON} to its path",
        major = version.0,
        minor = version.1
    )]
    OldPython {
        python: String,
        /// Major and minor.
        version: (u32, u32),
    },
    #[error(
        "{python} cannot create virtual environments: install its venv package \
         (Debian and Ubuntu: apt install python3-venv)"
    )]
    NoVenv { python: String },
    #[error(
        "{what} failed with {status}; the emulator is installed from the Python package index: \
         check the network and pip's settings\n{output}"
    )]
    Step { what: &'static str, status: std::process::ExitStatus, output: String },
    #[error("cannot use {path}", path = .path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// An interpreter that can create the environment.
struct Python {
    executable: PathBuf,
    version: (u32, u32),
}

/// A complete virtual environment.
#[derive(Debug, Clone)]
pub(super) struct Installation(PathBuf);

impl Installation {
    /// The interpreter of the environment.
    pub(super) fn python(&self) -> PathBuf {
        self.0.join("bin").join("python")
    }
}

/// The installation for this program's pins and the machine's Python, created if it does not exist.
///
/// Of several processes, the first one installs and the others wait. An interrupted installation is repeated.
pub(super) async fn ensure(workspace: &Workspace, progress: Progress<'_>) -> Result<Installation, InstallError> {
    let name = env::var(PYTHON).unwrap_or_else(|_| "python3".to_owned());
    let python = probe(&name).await?;
    let directory = workspace.state().join(format!("emulator-{}", fingerprint(REQUIREMENTS, &python)));
    std::fs::create_dir_all(&directory).map_err(at(&directory))?;

    // Held until the end of this function. The system releases it if this process ends earlier.
    let lock = lock(directory.join("lock"), progress).await?;
    // The file names the complete environment. If it is empty, writing it was interrupted.
    let ready = directory.join("ready");
    let environment = match std::fs::read_to_string(&ready) {
        Ok(name) if !name.is_empty() => directory.join(name),
        Ok(_) | Err(_) => {
            // A new name, because a pip whose parent was killed may still be writing to the former environment.
            let name = format!("venv-{}", std::process::id());
            let environment = directory.join(&name);
            install(&python, &environment, progress).await?;
            std::fs::write(&ready, name).map_err(at(&ready))?;
            environment
        }
    };
    drop(lock);
    Ok(Installation(environment))
}

async fn probe(name: &str) -> Result<Python, InstallError> {
    let no_python = |source| InstallError::NoPython { python: name.to_owned(), source };
    let output = run(Command::new(name).args(["-I", "-c", PROBE])).await.map_err(|source| no_python(Some(source)))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    let version = lines.next().and_then(|line| line.split_once(' ')).and_then(|(major, minor)| {
        let version = (major.parse().ok()?, minor.parse().ok()?);
        Some(version)
    });
    let (Some(version), Some(executable)) = (version, lines.next()) else { return Err(no_python(None)) };
    if version < PYTHON_MIN {
        return Err(InstallError::OldPython { python: name.to_owned(), version });
    }
    if lines.next() != Some("True") {
        return Err(InstallError::NoVenv { python: name.to_owned() });
    }
    Ok(Python { executable: PathBuf::from(executable), version })
}

/// Other pins or another interpreter need another environment.
fn fingerprint(requirements: &str, python: &Python) -> String {
    let (major, minor) = python.version;
    let mut digest = Sha256::new();
    digest.update(format!("{major}.{minor}\n{}\n", python.executable.display()));
    digest.update(requirements);
    hex::encode(&digest.finalize()[..6])
}

async fn lock(path: PathBuf, progress: Progress<'_>) -> Result<File, InstallError> {
    let failed = at(&path);
    let file = File::create(&path).map_err(&failed)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => progress("Waiting for another process to install the emulator"),
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
    waiting.await.map_err(io::Error::other).flatten().map_err(failed)
}

async fn install(python: &Python, environment: &Path, progress: Progress<'_>) -> Result<(), InstallError> {
    progress("Installing the AWS emulator (once, about 110 MB)");
    // `--clear`: an earlier process with the same id may have left the directory.
    let venv = ["-m", "venv", "--clear"];
    step("python3 -m venv", Command::new(&python.executable).args(venv).arg(environment)).await?;

    let requirements = environment.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS).map_err(at(&requirements))?;
    let python = environment.join("bin").join("python");
    // `--no-deps`: every package is listed, and no other may be installed. `--no-compile`: the emulator imports a tenth of
    // the modules, and Python compiles them at their first import.
    let pip = ["-m", "pip", "install", "--no-deps", "--no-compile", "--no-input", "--quiet", "--requirement"];
    step("pip install", Command::new(python).args(pip).arg(requirements)).await
}

async fn step(what: &'static str, command: &mut Command) -> Result<(), InstallError> {
    let program = PathBuf::from(command.as_std().get_program());
    let output = run(command).await.map_err(at(&program))?;
    if output.status.success() {
        return Ok(());
    }
    let printed = [output.stdout, output.stderr].concat();
    Err(InstallError::Step { what, status: output.status, output: String::from_utf8_lossy(&printed).trim().to_owned() })
}

/// Without the variables that change where an interpreter looks for modules.
async fn run(command: &mut Command) -> io::Result<Output> {
    command.env_remove("PYTHONHOME").env_remove("PYTHONPATH").stdin(Stdio::null()).kill_on_drop(true).output().await
}

fn at(path: &Path) -> impl Fn(io::Error) -> InstallError + use<> {
    let path = path.to_path_buf();
    move |source| InstallError::Io { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned_to_one_version() {
        let pins: Vec<&str> = REQUIREMENTS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert!(pins.iter().any(|pin| pin.starts_with("ministack==")));
        for pin in pins {
            let (package, rest) = pin.split_once("==").unwrap_or_else(|| unpinned(pin));
            let version = rest.split(';').next().unwrap_or(rest);
            assert!(!package.is_empty() && !version.contains(['*', ',', '<', '>', ' ']), "{pin}");
        }
    }

    fn unpinned(pin: &str) -> (&str, &str) {
        assert!(pin.contains("=="), "{pin} has no version");
        (pin, "")
    }

    #[test]
    fn other_pins_or_another_python_need_another_environment() {
        let python = |version, path: &str| Python { executable: PathBuf::from(path), version };
        let first = fingerprint("a==1", &python((3, 11), "/usr/bin/python3"));
        assert_eq!(first.len(), 12);
        assert_eq!(first, fingerprint("a==1", &python((3, 11), "/usr/bin/python3")));
        for other in [
            fingerprint("a==2", &python((3, 11), "/usr/bin/python3")),
            fingerprint("a==1", &python((3, 12), "/usr/bin/python3")),
            fingerprint("a==1", &python((3, 11), "/opt/python3")),
        ] {
            assert_ne!(first, other);
        }
    }

    #[tokio::test]
    async fn the_error_about_a_missing_python_says_what_to_install() {
        let error = probe("no-such-python").await.err().expect("no such program exists");
        assert!(error.to_string().contains("Python 3.10 or later"), "{error}");
    }
}
