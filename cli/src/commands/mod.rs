//! The commands, one file each. `local` has those that need the local stack or the sandbox provider.

pub(crate) mod backfill;
pub(crate) mod cases;
pub(crate) mod dlq;
pub(crate) mod evidence;
pub(crate) mod invoke;
pub(crate) mod ledger;
pub(crate) mod listen;
pub(crate) mod preview;
pub(crate) mod reconcile;
pub(crate) mod reconcile_request;
pub(crate) mod replay;
pub(crate) mod republish;
pub(crate) mod show;
pub(crate) mod verify;

#[cfg(feature = "local")]
pub(crate) mod local;
#[cfg(not(feature = "local"))]
#[path = "without_local.rs"]
pub(crate) mod local;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

/// How a command ends.
pub(crate) type Ending = Result<ExitCode, Box<dyn Error + Send + Sync>>;

/// The content of a file, with an error that names it.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}
