//! The emulator's installation: a virtual environment under the target directory, with every package pinned.

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

/// The environment variable that names another Python than `python3`.
const PYTHON: &str = "FUNDHOOK_PYTHON";

/// The oldest Python that the emulator's packages take.
const PYTHON_MIN: (u32, u32) = (3, 10);

/// Prints the version, where the interpreter is, and whether `python -m venv` can work: Debian ships `venv` without
/// the `ensurepip` it needs.
const PROBE: &str = "\
import importlib.util, sys
print(sys.version_info[0], sys.version_info[1])
print(sys.executable)
print(all(importlib.util.find_spec(name) for name in ('venv', 'ensurepip')))";

/// Why the emulator could not be installed.
#[derive(Debug, Error)]
pub enum InstallError {
    /// No Python, or one that does not run.
    #[error("cannot run {python}: install Python 3.10 or later, or name it in {PYTHON}")]
    NoPython {
        /// The command that was tried.
        python: String,
        /// What starting it said, when it did not start at all.
        source: Option<io::Error>,
    },
    /// A Python older than the emulator's packages.
    #[error(
        "{python} is Python {major}.{minor}, the emulator needs 3.10 or later: install one, or name it in {PYTHON}",
        major = version.0,
        minor = version.1
    )]
    OldPython {
        /// The command that was tried.
        python: String,
        /// Its major and minor version.
        version: (u32, u32),
    },
    /// Python without the modules that make a virtual environment.
    #[error(
        "{python} cannot make virtual environments: install its venv package \
         (Debian and Ubuntu: apt install python3-venv)"
    )]
    NoVenv {
        /// The command that was tried.
        python: String,
    },
    /// Making the environment or filling it failed.
    #[error(
        "{what} failed with {status}; the emulator is installed from the Python package index, \
         so check the network and pip's settings\n{output}"
    )]
    Step {
        /// The step, as a command.
        what: &'static str,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it printed.
        output: String,
    },
    /// A file or directory of the installation cannot be used.
    #[error("cannot use {path}", path = .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// An interpreter that can make the environment.
struct Python {
    executable: PathBuf,
    version: (u32, u32),
}

/// A complete virtual environment.
#[derive(Debug, Clone)]
pub(super) struct Installation(PathBuf);

impl Installation {
    /// The interpreter that has the emulator.
    pub(super) fn python(&self) -> PathBuf {
        self.0.join("bin").join("python")
    }
}

/// The installation for the pins of this program and the machine's Python; makes it when it is not there.
///
/// Processes that need it at once wait for the first one. An installation that was cut off is made again.
pub(super) async fn ensure(workspace: &Workspace, progress: Progress<'_>) -> Result<Installation, InstallError> {
    let name = env::var(PYTHON).unwrap_or_else(|_| "python3".to_owned());
    let python = probe(&name).await?;
    let directory = workspace.state().join(format!("emulator-{}", fingerprint(REQUIREMENTS, &python)));
    std::fs::create_dir_all(&directory).map_err(at(&directory))?;

    // Held until the end of this function, and let go by the system should this process end before.
    let lock = lock(directory.join("lock"), progress).await?;
    // Names the environment that is complete; an empty one was cut off.
    let ready = directory.join("ready");
    let environment = match std::fs::read_to_string(&ready) {
        Ok(name) if !name.is_empty() => directory.join(name),
        Ok(_) | Err(_) => {
            // A name of its own, because a pip whose parent was killed may still be writing to its environment.
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

/// Other pins or another interpreter make another environment, which never shares a file with this one.
fn fingerprint(requirements: &str, python: &Python) -> String {
    let (major, minor) = python.version;
    let mut digest = Sha256::new();
    digest.update(format!("{major}.{minor}\n{}\n", python.executable.display()));
    digest.update(requirements);
    digest.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

async fn lock(path: PathBuf, progress: Progress<'_>) -> Result<File, InstallError> {
    let failed = at(&path);
    let file = File::create(&path).map_err(&failed)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => progress("Waiting for another process that installs the emulator"),
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
    waiting.await.map_err(io::Error::other).flatten().map_err(failed)
}

async fn install(python: &Python, environment: &Path, progress: Progress<'_>) -> Result<(), InstallError> {
    progress("Installing the AWS emulator (once, about 110 MB)");
    // Empties the directory, should an earlier process of the same id have left it.
    let venv = ["-m", "venv", "--clear"];
    step("python3 -m venv", Command::new(&python.executable).args(venv).arg(environment)).await?;

    let requirements = environment.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS).map_err(at(&requirements))?;
    let python = environment.join("bin").join("python");
    // `--no-deps`: everything is listed, so what is not listed must not come. Without compiling, because the emulator
    // imports a tenth of it and Python compiles that when it is first imported.
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

/// Without the variables that make an interpreter look for its modules elsewhere.
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
    fn other_pins_or_another_python_make_another_environment() {
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
    async fn a_missing_python_says_what_to_install() {
        let error = probe("no-such-python").await.err().expect("there is no such program");
        assert!(error.to_string().contains("Python 3.10 or later"), "{error}");
    }
}
