//! Zips that depend on their content alone: the same files give the same bytes.

use std::fs::File;
use std::io;
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The permissions of the files in a zip.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    Readable,
    Executable,
}

/// Writes a zip of files, each with its name in the zip, in the order given.
pub(super) fn write<'a>(zip: &Path, files: impl IntoIterator<Item = (String, &'a Path)>, mode: Mode) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        // The earliest time that a zip can express, because the time of the build differs each time.
        .last_modified_time(DateTime::default())
        .unix_permissions(match mode {
            Mode::Readable => 0o644,
            Mode::Executable => 0o755,
        });
    let mut writer = ZipWriter::new(File::create(zip)?);
    for (name, path) in files {
        writer.start_file(name, options)?;
        io::copy(&mut File::open(path)?, &mut writer)?;
    }
    writer.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;
    use std::time::{Duration, SystemTime};

    use zip::ZipArchive;

    use super::*;

    #[test]
    fn the_same_program_gives_the_same_zip_at_another_time() {
        let folder = std::env::temp_dir().join(format!("fundhook-release-zip-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("writable");
        let program = folder.join("receiver");
        fs::write(&program, "a program").expect("writable");
        let zipped = |name: &str| {
            let zip = folder.join(name);
            write(&zip, [("bootstrap".to_owned(), program.as_path())], Mode::Executable).expect("writable");
            fs::read(zip).expect("readable")
        };
        let first = zipped("first.zip");
        let later = SystemTime::now() + Duration::from_secs(3600);
        File::options().append(true).open(&program).expect("writable").set_modified(later).expect("settable");
        let second = zipped("second.zip");

        let mut archive = ZipArchive::new(File::open(folder.join("first.zip")).expect("it was made")).expect("a zip");
        assert_eq!(archive.len(), 1);
        let mut bootstrap = archive.by_name("bootstrap").expect("Lambda looks for this name");
        assert_eq!(bootstrap.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        let mut content = String::new();
        bootstrap.read_to_string(&mut content).expect("readable");
        drop(bootstrap);
        fs::remove_dir_all(&folder).expect("removable");
        assert_eq!(content, "a program");
        assert_eq!(first, second);
    }
}
