//! The files that are generated from the code, the template and the tests' tables: JSON Schemas, the AsyncAPI document, and
//! the generated parts of the book.

mod asyncapi;
mod event_examples;
mod examples;
mod layout;
mod marked_part;
mod money;
mod parameters;
mod postings;
mod simulation;
mod webhooks;

use std::io;
use std::path::PathBuf;

use fundhook_domain::{Kind, event_schema};
use fundhook_local_stack::{Workspace, WorkspaceError};
use fundhook_sandbox::KeyError;
use serde_json::{Value, json};
use thiserror::Error;

use examples::Example;
use marked_part::MarkedPart;

/// The folder of the schemas.
const SCHEMAS: &str = "schemas";

/// The page with the examples of all event types.
const EVENTS: &str = "docs/events.md";

/// The page with the table of accepted webhooks.
const WEBHOOKS: &str = "docs/providers/webhooks.md";

/// The page about credits and holds.
const CREDIT: &str = "docs/credit.md";

/// The page about what events book.
const POSTINGS: &str = "docs/postings.md";

/// The page about statements beside a final status.
const BESIDE: &str = "docs/beside.md";

/// The page with the tables of the template's parameters.
const PARAMETERS: &str = "docs/operate/parameters.md";

/// The table that the end-to-end tests compare with the events of every sample.
const ACCEPTED: &str = "tests/tests/promises/accepted.txt";

/// The command that writes the files.
pub const COMMAND: &str = "cargo xtask docs";

/// A generated file with its current content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// The path in the workspace, such as `schemas/deposit.json`.
    pub path: String,
    pub content: String,
}

/// Why a file cannot be generated.
#[derive(Debug, Error)]
pub enum GenerateError {
    #[error("cannot {verb} {path}", path = .path.display())]
    File { verb: &'static str, path: PathBuf, source: io::Error },
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The examples cannot be signed.
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the webhook {file} of an example {why}")]
    Webhook { file: String, why: String },
    #[error("no example of {0}; add its webhooks to tools/xtask/src/generated/examples.rs")]
    NoExample(String),
    /// The input or the page has an unexpected form.
    #[error("{file}: {why}")]
    Invalid { file: &'static str, why: String },
}

/// All generated files with their current content.
///
/// # Errors
/// When an input or a page cannot be read or has an unexpected form, or an event type has no example.
pub fn generated_files(workspace: &Workspace) -> Result<Vec<GeneratedFile>, GenerateError> {
    let examples = examples::examples(workspace)?;
    let mut files: Vec<GeneratedFile> = Kind::ALL.map(|kind| schema_file(kind, &examples)).into();
    files.push(json_file("asyncapi", &asyncapi::document(&examples)));

    let events = event_examples::insert(&read(workspace, EVENTS)?, &examples)?;
    files.push(GeneratedFile { path: EVENTS.to_owned(), content: events });
    files.push(page(workspace, WEBHOOKS, &webhooks::tables(&read(workspace, ACCEPTED)?)?)?);
    files.push(page(workspace, CREDIT, &money::holds())?);
    files.push(page(workspace, POSTINGS, &postings::table(&examples))?);
    files.push(page(workspace, BESIDE, &money::beside_final())?);
    files.push(page(workspace, PARAMETERS, &parameters::tables(&workspace.template()?)?)?);
    Ok(files)
}

/// A page of the book with its generated part replaced.
fn page(workspace: &Workspace, path: &'static str, part: &MarkedPart) -> Result<GeneratedFile, GenerateError> {
    let content = part.insert_into(&read(workspace, path)?);
    let content = content.map_err(|why| GenerateError::Invalid { file: path, why })?;
    Ok(GeneratedFile { path: path.to_owned(), content })
}

impl GeneratedFile {
    /// Whether the workspace's file is missing or differs.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn is_outdated(&self, workspace: &Workspace) -> Result<bool, GenerateError> {
        let path = workspace.root().join(&self.path);
        Ok(!path.is_file() || read(workspace, &self.path)? != self.content)
    }

    /// Writes the file to the workspace.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, workspace: &Workspace) -> Result<(), GenerateError> {
        let path = workspace.root().join(&self.path);
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = folder.and_then(|()| std::fs::write(&path, &self.content));
        written.map_err(|source| GenerateError::File { verb: "write", path, source })
    }
}

/// The schema of a kind. Its example is the kind's longest event.
fn schema_file(kind: Kind, examples: &[Example]) -> GeneratedFile {
    let mut schema = event_schema(kind);
    let richest = examples.iter().filter(|example| example.kind() == kind).max_by_key(|example| example.json().len());
    schema["examples"] = Value::from_iter(richest.map(|example| json!(example.event())));
    json_file(kind.as_str(), &schema)
}

fn json_file(name: &str, content: &Value) -> GeneratedFile {
    GeneratedFile { path: format!("{SCHEMAS}/{name}.json"), content: format!("{content:#}\n") }
}

fn read(workspace: &Workspace, path: &str) -> Result<String, GenerateError> {
    let path = workspace.root().join(path);
    std::fs::read_to_string(&path).map_err(|source| GenerateError::File { verb: "read", path, source })
}

/// A row of a Markdown table. Empty cells are written as a single space.
fn table_row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cell = |cell: &str| if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") };
    format!("|{}\n", cells.into_iter().map(cell).collect::<String>())
}

/// A header row and its separator.
fn table_head(columns: &[&str]) -> String {
    format!("{}|{}\n", table_row(columns.iter().copied()), "---|".repeat(columns.len()))
}

/// Text for a cell of a Markdown table: on one line, without characters that Markdown interprets there.
fn cell_text(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', r"\|").replace('<', "&lt;")
}
