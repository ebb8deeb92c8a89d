//! The commands, one file each.

#[cfg(feature = "local")]
pub(crate) mod bench;
#[cfg(feature = "local")]
pub(crate) mod demo;
#[cfg(feature = "local")]
pub(crate) mod down;
#[cfg(feature = "local")]
pub(crate) mod drop;
pub(crate) mod evidence;
pub(crate) mod listen;
pub(crate) mod reconcile;
#[cfg(feature = "local")]
pub(crate) mod rotate;
#[cfg(feature = "local")]
pub(crate) mod sandbox;
#[cfg(feature = "local")]
pub(crate) mod send;
pub(crate) mod show;
#[cfg(feature = "local")]
pub(crate) mod sign;
#[cfg(feature = "local")]
pub(crate) mod up;
pub(crate) mod verify;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

/// How a command ends.
pub(crate) type Ending = Result<ExitCode, Box<dyn Error + Send + Sync>>;

/// Says what is being done, on standard error, so that standard output is the result alone.
pub(crate) fn progress(step: &str) {
    eprintln!("· {step}");
}

/// The content of a file, with an error that names it.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}
