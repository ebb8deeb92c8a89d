//! The programs of the functions, built with cargo-lambda.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fundhook_local_stack::{Binaries, Function, Workspace};

use super::{Architecture, Outcome};

/// What the programs and their SBOMs say instead of the checkout's path.
pub(super) const CHECKOUT: &str = "/fundhook";

/// Fails if a tool of the build is not installed, and says how to install it.
pub(super) fn check_tools(architecture: Architecture) -> Outcome {
    if !runs(Command::new(cargo()).args(["lambda", "--version"])) {
        return Err("cargo-lambda is not installed: run `pip install cargo-lambda`".into());
    }
    if !runs(Command::new(cargo()).args(["cyclonedx", "--version"])) {
        return Err("cargo-cyclonedx is not installed: run `cargo install --locked cargo-cyclonedx`".into());
    }
    if !runs(Command::new("zig").arg("version")) && !runs(Command::new("python3").args(["-m", "ziglang", "version"])) {
        return Err("Zig is not installed, and cargo-lambda links with it: run `pip install ziglang`".into());
    }
    let target = architecture.target();
    let libraries = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    let libraries = libraries.map_err(|error| format!("cannot run `rustc`: {error}"))?;
    let libraries = String::from_utf8_lossy(&libraries.stdout);
    if libraries.trim().is_empty() || !Path::new(libraries.trim()).is_dir() {
        return Err(format!("the Rust target {target} is not installed: run `rustup target add {target}`").into());
    }
    Ok(())
}

/// Builds the program of each function, as it is deployed.
pub(super) fn build(workspace: &Workspace, architecture: Architecture) -> Outcome<Binaries> {
    let folder = workspace.target().join("release-bundles/build").join(architecture.as_str());
    let mut command = Command::new(cargo());
    command.current_dir(workspace.root()).args(["lambda", "build", "--release", "--locked"]);
    command.args(["--target", architecture.target()]);
    command.args(Function::ALL.iter().flat_map(|function| ["--bin", function.package()]));
    command.arg("--lambda-dir").arg(&folder).env("RUSTFLAGS", rust_flags(workspace)?);
    let status = command.status().map_err(|error| format!("cannot run `cargo lambda build`: {error}"))?;
    if !status.success() {
        return Err(format!("`cargo lambda build` ended with {status}").into());
    }
    Ok(Binaries::from_fn(&Function::programs(), |program| folder.join(program.package).join("bootstrap")))
}

/// Replaces the paths of this machine, which messages of panics would have. The same commit then gives the same
/// programs in every checkout.
fn rust_flags(workspace: &Workspace) -> Outcome<OsString> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let home = home.ok_or("neither CARGO_HOME nor HOME is set")?;
    let mut flags = std::env::var_os("RUSTFLAGS").unwrap_or_default();
    for (path, name) in [(home.as_path(), "/cargo"), (workspace.root(), CHECKOUT)] {
        if path.as_os_str().as_encoded_bytes().iter().any(u8::is_ascii_whitespace) {
            return Err(format!("{} has a space, which RUSTFLAGS cannot express", path.display()).into());
        }
        flags.push(" --remap-path-prefix=");
        flags.push(path);
        flags.push("=");
        flags.push(name);
    }
    Ok(flags)
}

/// The cargo that runs this program.
pub(super) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Whether the command exists and succeeds.
fn runs(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
