//! Where things are: the workspace's root and the directory for what the local stack makes.

use std::{
    env,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// The checkout that holds the functions and the template, and its target directory.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

/// Why the workspace was not found.
#[derive(Debug, Error)]
pub enum WorkspaceError {
    /// Neither the package that cargo is running nor the one this program was built from is in a Fundhook checkout.
    #[error(
        "no Fundhook workspace around {tried}: run this through cargo, inside a checkout of Fundhook",
        tried = .0.display()
    )]
    NotFound(PathBuf),
    /// The template is not where it belongs.
    #[error("cannot read {path}", path = .path.display())]
    Template {
        /// The file that was tried.
        path: PathBuf,
        /// What reading it said.
        source: std::io::Error,
    },
}

impl Workspace {
    /// The workspace around the package that cargo runs, or around the one this program was built from.
    ///
    /// # Errors
    /// When neither lies in a Fundhook checkout, as for a binary that was copied to another machine.
    pub fn find() -> Result<Self, WorkspaceError> {
        let built_from = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let running = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = running
            .as_deref()
            .and_then(enclosing_root)
            .or_else(|| enclosing_root(&built_from))
            .ok_or(WorkspaceError::NotFound(built_from))?;
        Ok(Self::at(root, env::var_os("CARGO_TARGET_DIR").map(PathBuf::from)))
    }

    /// A relative `target` counts from the root, which is where cargo is started as a rule.
    fn at(root: PathBuf, target: Option<PathBuf>) -> Self {
        let target = root.join(target.unwrap_or_else(|| PathBuf::from("target")));
        Self { root, target }
    }

    /// The directory of the workspace's `Cargo.toml`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's target directory.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The directory for everything the local stack keeps; `cargo clean` removes it.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.target.join("fundhook")
    }

    /// The text of `infra/template.yaml`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn template(&self) -> Result<String, WorkspaceError> {
        self.template_in("infra")
    }

    /// The text of the `template.yaml` in a folder of the workspace.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn template_in(&self, folder: &str) -> Result<String, WorkspaceError> {
        let path = self.root.join(folder).join("template.yaml");
        std::fs::read_to_string(&path).map_err(|source| WorkspaceError::Template { path, source })
    }
}

/// The nearest ancestor that has the receiver function, so that no other project's workspace is taken for ours.
fn enclosing_root(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|dir| dir.join("functions/receiver/Cargo.toml").is_file()).map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_any_member() {
        let workspace = Workspace::find().expect("the tests run inside the workspace");
        let member = workspace.root().join("functions/receiver/src");
        assert_eq!(enclosing_root(&member).as_deref(), Some(workspace.root()));
        assert_eq!(enclosing_root(Path::new("/")), None);
    }

    #[test]
    fn a_relative_target_directory_counts_from_the_root() {
        let at = |target: Option<&str>| Workspace::at(PathBuf::from("/w"), target.map(PathBuf::from)).target;
        assert_eq!(at(None), Path::new("/w/target"));
        assert_eq!(at(Some("out")), Path::new("/w/out"));
        assert_eq!(at(Some("/elsewhere")), Path::new("/elsewhere"));
    }
}
