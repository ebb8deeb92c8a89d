//! The modules of a crate do not import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fundhook_local_stack::Workspace;

/// The crates whose top-level modules are checked.
const CRATES: [&str; 6] =
    ["cli", "shared/domain", "shared/providers", "tools/bench", "tools/local-stack", "tools/sandbox"];

/// The files below `path` that are Rust.
fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("readable").map(|entry| entry.expect("readable").path());
        return entries.flat_map(|entry| sources(&entry)).collect();
    }
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    if is_rust { vec![path.to_owned()] } else { Vec::new() }
}

/// The top-level modules that each top-level module imports by `crate::…` or, in a file of its own, by `super::…`.
fn imports(source: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let lib = fs::read_to_string(source.join("lib.rs")).expect("a library");
    let declared = lib.lines().filter_map(|line| {
        let line = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    let modules: BTreeSet<String> = declared.map(str::to_owned).collect();
    let imported = |module: &String| {
        let file = source.join(format!("{module}.rs"));
        let files = sources(&file).into_iter().filter(|file| file.is_file()).chain(match source.join(module) {
            folder if folder.is_dir() => sources(&folder),
            _ => Vec::new(),
        });
        let mut found = BTreeSet::new();
        for path in files {
            let code = fs::read_to_string(&path).expect("source is text");
            let is_top_level = path.parent() == Some(source);
            let prefixes: &[&str] = if is_top_level { &["crate::", "super::"] } else { &["crate::"] };
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                for (at, prefix) in prefixes.iter().flat_map(|prefix| line.match_indices(*prefix)) {
                    let name: String = line[at + prefix.len()..]
                        .chars()
                        .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
                        .collect();
                    found.extend((modules.contains(&name) && name != *module).then_some(name));
                }
            }
        }
        found
    };
    modules.iter().map(|module| (module.clone(), imported(module))).collect()
}

/// The modules that import each other in a circle: what is left when modules without imports are removed, repeatedly.
fn circle(mut imports: BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    loop {
        let leaves: Vec<String> =
            imports.iter().filter(|(_, imported)| imported.is_empty()).map(|(module, _)| module.clone()).collect();
        if leaves.is_empty() {
            return imports.into_keys().collect();
        }
        for leaf in leaves {
            imports.remove(&leaf);
            imports.values_mut().for_each(|imported| {
                imported.remove(&leaf);
            });
        }
    }
}

#[test]
fn the_modules_of_a_crate_do_not_import_each_other_in_a_circle() {
    let workspace = Workspace::find().expect("the tests run in the workspace");
    for name in CRATES {
        let imports = imports(&workspace.root().join(name).join("src"));
        assert!(imports.values().any(|imported| !imported.is_empty()), "no imports were found in {name}");
        let circle = circle(imports);
        assert!(
            circle.is_empty(),
            "modules of {name} import each other in a circle, or import such modules: {circle:?}"
        );
    }
}

#[test]
fn a_circle_is_found() {
    let imports = [("a", vec!["b"]), ("b", vec!["c"]), ("c", vec!["b"]), ("d", vec![])];
    let imports = imports.into_iter().map(|(module, imported)| {
        (module.to_owned(), imported.into_iter().map(str::to_owned).collect::<BTreeSet<String>>())
    });
    assert_eq!(circle(imports.collect()), ["a", "b", "c"]);
}
