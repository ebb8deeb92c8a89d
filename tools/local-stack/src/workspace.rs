//! The paths of the workspace: its root, its target directory, and the local stack's files.

use std::{
    env,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// A checkout of Fundhook and its target directory.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

/// Why the workspace was not found.
#[derive(Debug, Error)]
pub enum WorkspaceError {
    #[error(
        "{tried} is not in a checkout of Fundhook; run this with cargo inside a checkout",
        tried = .0.display()
    )]
    NotFound(PathBuf),
    #[error("cannot read {path}", path = .path.display())]
    Template { path: PathBuf, source: std::io::Error },
}

impl Workspace {
    /// The workspace of the package that cargo runs, or of the package that this program was built from.
    ///
    /// # Errors
    /// When neither is in a checkout of Fundhook, for example after the binary was copied to another machine.
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

    /// A relative `target` is relative to the root, where cargo is usually started.
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

    /// The directory of the local stack's files. `cargo clean` removes it.
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

    /// The text of the template in this file, or else of `infra/template.yaml`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn template_or(&self, file: Option<&Path>) -> Result<String, WorkspaceError> {
        let Some(file) = file else {
            return self.template();
        };
        std::fs::read_to_string(file).map_err(|source| WorkspaceError::Template { path: file.to_owned(), source })
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

/// The nearest ancestor that contains the receiver, so that another project's workspace is not mistaken for this one.
fn enclosing_root(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|dir| dir.join("functions/receiver/Cargo.toml").is_file()).map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_a_folder_of_a_member() {
        let workspace = Workspace::find().expect("the tests run inside the workspace");
        let member = workspace.root().join("functions/receiver/src");
        assert_eq!(enclosing_root(&member).as_deref(), Some(workspace.root()));
        assert_eq!(enclosing_root(Path::new("/")), None);
    }

    #[test]
    fn a_relative_target_directory_is_relative_to_the_root() {
        let at = |target: Option<&str>| Workspace::at(PathBuf::from("/w"), target.map(PathBuf::from)).target;
        assert_eq!(at(None), Path::new("/w/target"));
        assert_eq!(at(Some("out")), Path::new("/w/out"));
        assert_eq!(at(Some("/elsewhere")), Path::new("/elsewhere"));
    }
}
