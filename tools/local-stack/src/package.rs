//! Deployment packages: each program as `bootstrap` in a zip, made once per build.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sha2::{Digest, Sha256};
use thiserror::Error;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{Binaries, Program, Progress, Workspace};

/// How long an unused zip is kept: longer than any process takes from packaging to deploying.
const KEPT_UNUSED: Duration = Duration::from_secs(30 * 60);

/// The zip files of the programs of one template.
#[derive(Debug, Clone)]
pub struct Packages(Vec<Package>);

/// The zip file of one program. Its name contains a fingerprint of the program.
#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) program: Program,
    pub(super) zip: PathBuf,
}

#[derive(Debug, Error)]
#[error("cannot package {path}", path = .path.display())]
pub struct PackageError {
    path: PathBuf,
    source: io::Error,
}

impl Packages {
    pub(super) fn all(&self) -> &[Package] {
        &self.0
    }
}

impl Package {
    /// The file name.
    pub(super) fn name(&self) -> String {
        self.zip.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// Packages the programs. Uses existing packages of the same build, also those of other processes.
///
/// # Errors
/// When a program does not exist or a file cannot be written.
pub async fn package(
    workspace: &Workspace,
    binaries: &Binaries,
    progress: Progress<'_>,
) -> Result<Packages, PackageError> {
    let directory = workspace.state().join("packages");
    fs::create_dir_all(&directory).map_err(at(&directory))?;
    let mut packages = Vec::new();
    for (program, binary) in binaries.iter() {
        let zip = directory.join(format!("{}-{}.zip", program.package, fingerprint(binary).map_err(at(binary))?));
        packages.push(Package { program, zip: zip.clone() });
        // Touching a zip keeps other processes from removing it as unused.
        if !touch(&zip) {
            progress(&format!("Packaging {}", program.package));
            let failed = at(&zip);
            let binary = binary.to_path_buf();
            let making = tokio::task::spawn_blocking(move || make_once(&binary, &zip));
            making.await.map_err(io::Error::other).flatten().map_err(failed)?;
        }
    }
    Ok(Packages(packages))
}

/// Derived from path, length and modification time: cargo sets a new time when it builds, so the content is not read.
fn fingerprint(binary: &Path) -> io::Result<String> {
    let metadata = fs::metadata(binary)?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
    let mut digest = Sha256::new();
    digest.update(format!("{}\n{}\n{}", binary.display(), metadata.len(), modified.as_nanos()));
    Ok(hex::encode(&digest.finalize()[..8]))
}

/// Sets the modification time to now. Returns whether the zip exists.
fn touch(zip: &Path) -> bool {
    File::options().append(true).open(zip).and_then(|file| file.set_modified(SystemTime::now())).is_ok()
}

/// When tests deploy side by side, one of them packages and the others use its zip.
fn make_once(binary: &Path, zip: &Path) -> io::Result<()> {
    static MAKING: Mutex<()> = Mutex::new(());
    let making = MAKING.lock().map_err(|_| io::Error::other("another thread failed while packaging"))?;
    if !zip.is_file() {
        // Another process may be making the same zip. Each writes its own file, and the last rename wins.
        let unfinished = zip.with_extension(format!("{}.tmp", std::process::id()));
        let stripped = zip.with_extension(format!("{}.stripped", std::process::id()));
        let program = if strip(binary, &stripped) { stripped.as_path() } else { binary };
        let made = make(program, &unfinished).and_then(|()| fs::rename(&unfinished, zip));
        // The file does not exist if `strip` is not installed.
        fs::remove_file(&stripped).ok();
        made?;
        clean(zip);
    }
    drop(making);
    Ok(())
}

/// Removes symbols and debug information, as the release profile does. They are 70 % of an unoptimised program, and the
/// emulator keeps the code of every account in memory. Without `strip` the program is packaged unchanged.
fn strip(binary: &Path, stripped: &Path) -> bool {
    let mut command = Command::new("strip");
    command.arg("-o").args([stripped, binary]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // On other systems the debug information is not in the program, or the program's signature covers it.
    cfg!(target_os = "linux") && command.status().is_ok_and(|status| status.success())
}

/// Stored, not compressed: 27 MB take 0.1 s. Compressing them takes 3.6 s in an unoptimised build, and the emulator reads
/// the smaller zip only 0.06 s faster.
fn make(program: &Path, zip: &Path) -> io::Result<()> {
    let mut writer = ZipWriter::new(File::create(zip)?);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o755);
    writer.start_file("bootstrap", options)?;
    io::copy(&mut File::open(program)?, &mut writer)?;
    writer.finish()?;
    Ok(())
}

/// Removes unused files, mostly zips of former builds. `cargo clean` removes what this cannot.
fn clean(newest: &Path) {
    for path in newest.parent().map(fs::read_dir).into_iter().flatten().flatten().flatten().map(|entry| entry.path()) {
        let used = fs::metadata(&path).and_then(|metadata| metadata.modified());
        if used.is_ok_and(|used| used.elapsed().is_ok_and(|unused| unused > KEPT_UNUSED)) {
            fs::remove_file(&path).ok();
        }
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> PackageError + use<> {
    let path = path.to_path_buf();
    move |source| PackageError { path, source }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use zip::ZipArchive;

    use super::*;

    #[test]
    fn the_program_is_packaged_as_an_executable_bootstrap() {
        let directory = std::env::temp_dir().join(format!("fundhook-package-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("writable");
        // `strip` does not know this format, so the program is packaged unchanged.
        let program = directory.join("program");
        fs::write(&program, "#!/bin/sh\n").expect("writable");
        let zip = directory.join("program.zip");
        assert!(!touch(&zip));
        make_once(&program, &zip).expect("writable");
        assert!(touch(&zip));

        let mut archive = ZipArchive::new(File::open(&zip).expect("it was made")).expect("a zip");
        assert_eq!(archive.len(), 1);
        let mut bootstrap = archive.by_name("bootstrap").expect("Lambda looks for this name");
        assert_eq!(bootstrap.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        let mut text = String::new();
        bootstrap.read_to_string(&mut text).expect("readable");
        assert_eq!(text, "#!/bin/sh\n");

        let names = fs::read_dir(&directory).expect("readable").count();
        assert_eq!(names, 2, "no temporary file remains");
        fs::remove_dir_all(&directory).expect("removable");
    }

    #[test]
    fn a_program_that_was_built_again_has_another_fingerprint() {
        let program = std::env::temp_dir().join(format!("fundhook-fingerprint-{}", std::process::id()));
        fs::write(&program, "old").expect("writable");
        let first = fingerprint(&program).expect("readable");
        assert_eq!(first, fingerprint(&program).expect("readable"));
        let file = File::options().append(true).open(&program).expect("writable");
        file.set_modified(SystemTime::now() + Duration::from_secs(1)).expect("settable");
        let second = fingerprint(&program).expect("readable");
        fs::remove_file(&program).expect("removable");
        assert_ne!(first, second);
    }
}
