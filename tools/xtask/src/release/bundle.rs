//! The folder of a release, and the zip of it.

use std::error::Error;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use fundhook_local_stack::{Binaries, Function, Workspace};

use super::zips::{self, Mode};
use super::{Architecture, Outcome, checksums, sbom};

/// The workspace's version, which is also the tag of the release without its `v`.
const VERSION: &str = env!("CARGO_PKG_VERSION");

const TEMPLATE: &str = "template.yaml";
const CHECKSUMS: &str = "SHA256SUMS";

/// The files of a release that are the same in every release, and where they are in a checkout.
const COPIED: [(&str, &str); 4] = [
    ("LICENSE", "LICENSE"),
    ("network.yaml", "infra/egress/network.yaml"),
    ("README.md", "infra/release/README.md"),
    ("samconfig.toml", "infra/release/samconfig.toml"),
];

/// Writes `target/release-bundles/fundhook-<version>-<architecture>` and the zip of it, whose path is returned. Replaces a
/// former one of the same version and architecture.
pub(super) fn write(
    workspace: &Workspace,
    architecture: Architecture,
    template: &str,
    programs: &Binaries,
) -> Outcome<PathBuf> {
    let name = format!("fundhook-{VERSION}-{}", architecture.as_str());
    let bundles = workspace.target().join("release-bundles");
    let folder = bundles.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed("remove", &folder))?;
    }
    let sboms = folder.join("sbom");
    fs::create_dir_all(&sboms).map_err(failed("create", &sboms))?;

    let mut files = vec![TEMPLATE.to_owned()];
    fs::write(folder.join(TEMPLATE), template).map_err(failed("write", Path::new(TEMPLATE)))?;
    for (name, source) in COPIED {
        fs::copy(workspace.root().join(source), folder.join(name)).map_err(failed("copy", Path::new(source)))?;
        files.push(name.to_owned());
    }
    files.extend(zip_programs(&folder, programs)?);
    files.extend(sbom::write(workspace, architecture, &sboms)?.iter().map(|name| format!("sbom/{name}")));
    files.sort();
    let sums = checksums::of_files(&folder, files.iter().map(String::as_str)).map_err(failed("read", &folder))?;
    fs::write(folder.join(CHECKSUMS), sums).map_err(failed("write", Path::new(CHECKSUMS)))?;
    files.push(CHECKSUMS.to_owned());

    let zip = bundles.join(format!("{name}.zip"));
    let paths: Vec<_> = files.iter().map(|file| (format!("{name}/{file}"), folder.join(file))).collect();
    let entries = paths.iter().map(|(entry, path)| (entry.clone(), path.as_path()));
    zips::write(&zip, entries, Mode::Readable).map_err(failed("write", &zip))?;
    Ok(zip)
}

/// Writes `functions/<function>.zip` for each function, and prints the sizes. Returns the names.
fn zip_programs(folder: &Path, programs: &Binaries) -> Outcome<Vec<String>> {
    let functions = folder.join("functions");
    fs::create_dir_all(&functions).map_err(failed("create", &functions))?;
    let mut files = Vec::new();
    for function in Function::ALL {
        let package = function.package();
        let program = programs.get(function.program()).ok_or_else(|| format!("cargo-lambda built no {package}"))?;
        let file = format!("functions/{package}.zip");
        let zip = folder.join(&file);
        zips::write(&zip, [("bootstrap".to_owned(), program)], Mode::Executable).map_err(failed("zip", program))?;
        println!("{file}: {} bytes, of a program of {} bytes", size(&zip)?, size(program)?);
        files.push(file);
    }
    Ok(files)
}

pub(super) fn size(file: &Path) -> Outcome<u64> {
    Ok(fs::metadata(file).map_err(failed("read", file))?.len())
}

fn failed<E: Display>(verb: &str, path: &Path) -> impl FnOnce(E) -> Box<dyn Error + Send + Sync> {
    let path = path.display().to_string();
    move |error| format!("cannot {verb} {path}: {error}").into()
}
