//! What subscribers are promised, as files that the code makes: a JSON Schema for each kind of event, the AsyncAPI document,
//! and the examples in the guide to the events.

mod asyncapi;
mod examples;
mod guide;
mod layout;
mod story;

use std::io;
use std::path::PathBuf;

use fundhook_domain::{Kind, event_schema};
use serde_json::{Value, json};
use thiserror::Error;

use examples::Example;
use fundhook_local_stack::Workspace;
use fundhook_sandbox::KeyError;

/// The folder of the schemas.
const SCHEMAS: &str = "schemas";

/// The guide to the events.
const GUIDE: &str = "docs/events.md";

/// The command that writes the files anew.
pub const REMEDY: &str = "cargo xtask docs";

/// A file of the contract as the code makes it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractFile {
    /// Where it lies in the workspace: `schemas/deposit.json`.
    pub name: String,
    /// What it holds.
    pub content: String,
}

/// Why the files cannot be made.
#[derive(Debug, Error)]
pub enum ContractError {
    /// A file cannot be read or written.
    #[error("cannot {verb} {path}", path = .path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is nothing to sign the examples with.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An example cannot be told.
    #[error("the webhook {file} of an example {why}")]
    Webhook {
        /// The sample.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// No webhooks are known that give rise to an event of this type.
    #[error("there is no example of {0}; cli/src/contract/examples.rs tells by which webhooks one comes about")]
    NoExample(String),
    /// The guide is not as it should be.
    #[error("{GUIDE}, line {line}: {why}")]
    Guide {
        /// Which line.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// All files of the contract, as the code makes them now.
///
/// # Errors
/// When the workspace's samples or its guide cannot be read, or an event has no example.
pub fn contract(workspace: &Workspace) -> Result<Vec<ContractFile>, ContractError> {
    let examples = examples::examples(workspace)?;
    let mut files: Vec<ContractFile> = Kind::ALL.map(|kind| schema_file(kind, &examples)).into();
    files.push(json_file("asyncapi", &asyncapi::document(&examples)));
    let guide = read(workspace, GUIDE)?;
    files.push(ContractFile { name: GUIDE.to_owned(), content: guide::with_examples(&guide, &examples)? });
    Ok(files)
}

impl ContractFile {
    /// Whether the workspace has another file by that name, or none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn has_drifted(&self, workspace: &Workspace) -> Result<bool, ContractError> {
        let path = workspace.root().join(&self.name);
        Ok(!path.is_file() || read(workspace, &self.name)? != self.content)
    }

    /// Puts it into the workspace.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, workspace: &Workspace) -> Result<(), ContractError> {
        let path = workspace.root().join(&self.name);
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = folder.and_then(|()| std::fs::write(&path, &self.content));
        written.map_err(|source| ContractError::File { verb: "write", path, source })
    }
}

/// The schema of a kind with an example: the event of it that says most.
fn schema_file(kind: Kind, examples: &[Example]) -> ContractFile {
    let mut schema = event_schema(kind);
    let richest = examples.iter().filter(|example| example.kind() == kind).max_by_key(|example| example.json().len());
    schema["examples"] = Value::from_iter(richest.map(|example| json!(example.event())));
    json_file(kind.as_str(), &schema)
}

fn json_file(name: &str, content: &Value) -> ContractFile {
    ContractFile { name: format!("{SCHEMAS}/{name}.json"), content: format!("{content:#}\n") }
}

fn read(workspace: &Workspace, name: &str) -> Result<String, ContractError> {
    let path = workspace.root().join(name);
    std::fs::read_to_string(&path).map_err(|source| ContractError::File { verb: "read", path, source })
}
