//! Checksums that `sha256sum --check` reads.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// A line for each file, named relative to the folder.
pub(super) fn of_files<'a>(folder: &Path, names: impl IntoIterator<Item = &'a str>) -> io::Result<String> {
    let mut lines = String::new();
    for name in names {
        let digest = Sha256::digest(fs::read(folder.join(name))?);
        // Writing to a string cannot fail.
        writeln!(lines, "{}  {name}", hex::encode(digest)).ok();
    }
    Ok(lines)
}
