//! Deployment packages: each function's program as `bootstrap` in a zip, made once for each build.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    time::UNIX_EPOCH,
};

use sha2::{Digest, Sha256};
use thiserror::Error;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{Binaries, Function, Progress, Workspace};

/// The zips of one build of the functions, on disk.
#[derive(Debug, Clone)]
pub struct Packages([PathBuf; Function::ALL.len()]);

/// Why a package could not be made.
#[derive(Debug, Error)]
#[error("cannot package {path}", path = .path.display())]
pub struct PackageError {
    path: PathBuf,
    source: io::Error,
}

impl Packages {
    /// The zip of `function`. Its name differs when the program does.
    pub(super) fn get(&self, function: Function) -> &Path {
        &self.0[function as usize]
    }

    /// The file name of [`Packages::get`].
    pub(super) fn name(&self, function: Function) -> String {
        self.get(function).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// Packages the programs. What another deployment packaged before, in this process or in another one, is used again.
///
/// # Errors
/// When a program is not there, or the disk is full.
pub async fn package(
    workspace: &Workspace,
    binaries: &Binaries,
    progress: Progress<'_>,
) -> Result<Packages, PackageError> {
    let directory = workspace.state().join("packages");
    fs::create_dir_all(&directory).map_err(at(&directory))?;
    let mut zips = Packages(Default::default());
    for function in Function::ALL {
        let binary = binaries.get(function);
        let zip = directory.join(format!("{}-{}.zip", function.package(), fingerprint(binary).map_err(at(binary))?));
        zips.0[function as usize].clone_from(&zip);
        if !zip.is_file() {
            progress(&format!("Packaging {}", function.package()));
            let failed = at(&zip);
            let binary = binary.to_path_buf();
            let making = tokio::task::spawn_blocking(move || make_once(&binary, &zip));
            making.await.map_err(io::Error::other).flatten().map_err(failed)?;
        }
    }
    Ok(zips)
}

/// A program that cargo wrote again has another time, so that its contents need not be read to tell.
fn fingerprint(binary: &Path) -> io::Result<String> {
    let metadata = fs::metadata(binary)?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
    let mut digest = Sha256::new();
    digest.update(format!("{}\n{}\n{}", binary.display(), metadata.len(), modified.as_nanos()));
    Ok(digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// Tests deploy side by side; one packages, the others find the zip.
fn make_once(binary: &Path, zip: &Path) -> io::Result<()> {
    static MAKING: Mutex<()> = Mutex::new(());
    let making = MAKING.lock().map_err(|_| io::Error::other("another thread failed while packaging"))?;
    if !zip.is_file() {
        // Another process may be making the same zip: each writes a file of its own, and the last rename wins.
        let unfinished = zip.with_extension(format!("{}.tmp", std::process::id()));
        let stripped = zip.with_extension(format!("{}.stripped", std::process::id()));
        let program = if strip(binary, &stripped) { stripped.as_path() } else { binary };
        let made = make(program, &unfinished).and_then(|()| fs::rename(&unfinished, zip));
        // Left over only if it cannot be removed, and then for `cargo clean`.
        fs::remove_file(&stripped).ok();
        made?;
        forget_former(zip);
    }
    drop(making);
    Ok(())
}

/// Leaves the debug information out, which is most of an unoptimised program and is never read on Lambda; every
/// account's code stays in the emulator's memory. Without a `strip` the program goes as it is.
fn strip(binary: &Path, stripped: &Path) -> bool {
    let mut command = Command::new("strip");
    command.args(["-o"]).args([stripped, binary]);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    cfg!(target_os = "linux") && status.is_ok_and(|status| status.success())
}

fn make(program: &Path, zip: &Path) -> io::Result<()> {
    let mut writer = ZipWriter::new(File::create(zip)?);
    // The fastest level.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .unix_permissions(0o755);
    writer.start_file("bootstrap", options)?;
    io::copy(&mut File::open(program)?, &mut writer)?;
    writer.finish()?;
    Ok(())
}

/// Removes the zips of former builds of the same package. One that is being read stays readable.
fn forget_former(zip: &Path) {
    let (Some(directory), Some(name)) = (zip.parent(), zip.file_name().and_then(|name| name.to_str())) else { return };
    let Some((package, _)) = name.rsplit_once('-') else { return };
    for path in fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let former = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.rsplit_once('-'));
        if path != zip && former.is_some_and(|(other, rest)| other == package && rest.ends_with(".zip")) {
            fs::remove_file(path).ok();
        }
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> PackageError + use<> {
    let path = path.to_path_buf();
    move |source| PackageError { path, source }
}
