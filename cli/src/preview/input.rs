//! What a preview reads: bodies of webhooks, one file each, and NDJSON with one webhook or row a line.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fundhook_domain::{Feed, ListKind, Provider, Timestamp};
use fundhook_providers::{Envelope, PAYLOAD_TYPE_HEADER, RawRow, Webhook, listed};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// When the first webhook is received if it does not say it. It is fixed, so that two previews print the same.
const FIRST_RECEIVED_AT: &str = "2026-01-01T00:00:00Z";

/// How long after the previous webhook one is received that does not say it.
const BETWEEN: Duration = Duration::from_secs(1);

/// The origin of a row that names no URL.
const ROW_ORIGIN: &str = "https://preview.invalid";

/// What a line looks like, for errors.
const EXAMPLE: &str = r#"{"feed": "zerohash", "payload_type": "deposit.status_changed", "body": {…}}"#;

/// What holds for webhooks that do not say it themselves.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The feed.
    pub feed: Option<Feed>,
    /// The payload type.
    pub payload_type: Option<String>,
}

/// A webhook, or a row of the provider's list.
#[derive(Clone, Debug)]
pub struct Input {
    /// Where it was read.
    pub place: Place,
    /// The feed that it belongs to.
    pub feed: Feed,
    /// When it is received.
    pub at: Timestamp,
    /// What is received.
    pub message: Message,
}

/// What is received.
#[derive(Clone, Debug)]
pub enum Message {
    /// A webhook.
    Webhook {
        /// What the provider's header names as its type.
        payload_type: Option<String>,
        /// The body's bytes, unchanged.
        body: Vec<u8>,
    },
    /// A row of a provider's list.
    Row {
        /// The list.
        list: ListKind,
        /// The row's JSON text, unchanged.
        json: String,
        /// The URL that it was read from.
        url: String,
    },
}

/// Where an input was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as given, or `standard input`.
    pub file: String,
    /// The line, counted from 1; `None` for a file that is one body.
    pub line: Option<u32>,
}

/// Why an input is not a webhook or a row.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file could not be read.
    #[error("cannot read {file}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Nothing says which feed a body belongs to.
    #[error(
        "{0}: nothing says which provider sends this body; pass --feed connect, --feed zerohash or --feed striga, or \
         keep the file in a folder with the provider's name, such as events/zerohash"
    )]
    NoFeed(Place),
    /// A line is not a webhook or a row.
    #[error("{place}: {fault}")]
    Line {
        /// The line.
        place: Place,
        /// What is wrong with it, and what would be right.
        fault: String,
    },
}

/// A line of NDJSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    feed: Option<String>,
    payload_type: Option<String>,
    /// Its text is kept as it is: exponents, digits and repeated members reach the normaliser unchanged.
    #[serde(borrow, default, deserialize_with = "present")]
    body: Option<&'a RawValue>,
    text: Option<String>,
    at: Option<String>,
    #[serde(default)]
    list: ListOption,
    url: Option<String>,
}

/// Whether a line is a row of a list, and of which one.
#[derive(Deserialize)]
#[serde(untagged)]
enum ListOption {
    /// It is one, of the list that its URL or its feed names; or it is none.
    IsRow(bool),
    /// It is a row of the list with this name.
    Named(String),
}

impl Default for ListOption {
    fn default() -> Self {
        Self::IsRow(false)
    }
}

/// The list that a row of `feed` is from: the one that is named, the one at its URL, or Connect's.
fn list_of(option: &ListOption, feed: &Feed, url: Option<&str>) -> Result<Option<ListKind>, String> {
    let kind = match option {
        ListOption::IsRow(false) => return Ok(None),
        ListOption::Named(name) => name.parse().map_err(|_| {
            let names: Vec<&str> = ListKind::ALL.into_iter().map(ListKind::as_str).collect();
            format!("{name:?} is not a list; `list` is true, or one of {}", names.join(", "))
        })?,
        ListOption::IsRow(true) => {
            let path = url.and_then(|url| url.split_once("://")).and_then(|(_, rest)| rest.split_once('/'));
            let path = path.map_or("", |(_, path)| path.split('?').next().unwrap_or_default());
            // A prefix may stand before the path. No path of zerohash's ends with another one's.
            let of_zerohash = ListKind::of(Provider::Zerohash);
            let at_path = of_zerohash.filter(|list| format!("/{path}").trim_end_matches('/').ends_with(list.path()));
            at_path.last().unwrap_or(ListKind::ConnectTransactions)
        }
    };
    let fits = match kind.provider() {
        Provider::Connect => feed.provider() != Provider::Striga,
        Provider::Zerohash | Provider::Striga => feed.provider() == kind.provider(),
    };
    match (fits, kind) {
        (true, kind) => Ok(Some(kind)),
        (false, ListKind::ConnectTransactions) => {
            Err("a row of Connect's GET /transactions belongs to a feed of connect or zerohash; Striga has no list"
                .to_owned())
        }
        (false, _) => Err(format!("a row of zerohash's list {kind} belongs to a feed of zerohash, and not to {feed}")),
    }
}

/// A member that is present, although it may be `null`.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// An input before its time of receipt is known.
struct Untimed {
    place: Place,
    feed: Feed,
    at: Option<Timestamp>,
    message: Message,
}

/// Reads `files` in this order. Standard input (`-`) and a file whose name ends in `.ndjson` have one input a line; any
/// other file is one body.
pub fn read(files: &[PathBuf], defaults: &Defaults) -> Result<Vec<Input>, InputError> {
    let mut inputs: Vec<Input> = Vec::new();
    for file in files {
        for Untimed { place, feed, at, message } in read_file(file, defaults)? {
            let next = || match inputs.last() {
                Some(previous) => Ok(previous.at.plus(BETWEEN)),
                None => FIRST_RECEIVED_AT.parse(),
            };
            let at = at.map_or_else(next, Ok);
            let at = at.map_err(|error| InputError::Line { place: place.clone(), fault: error.to_string() })?;
            inputs.push(Input { place, feed, at, message });
        }
    }
    Ok(inputs)
}

/// The feed `text`, with an error that says what would be right.
pub fn parse_feed(text: &str) -> Result<Feed, String> {
    text.parse().map_err(|error| {
        format!("{error}; a feed is connect, zerohash or striga, and for a tenant such as acme connect/acme")
    })
}

fn read_file(path: &Path, defaults: &Defaults) -> Result<Vec<Untimed>, InputError> {
    let is_standard_input = path.as_os_str() == "-";
    let file = if is_standard_input { "standard input".to_owned() } else { path.display().to_string() };
    let read = if is_standard_input {
        let mut content = Vec::new();
        std::io::stdin().read_to_end(&mut content).map(|_| content)
    } else {
        std::fs::read(path)
    };
    let content = read.map_err(|source| InputError::Unreadable { file: file.clone(), source })?;
    if is_standard_input || path.extension().is_some_and(|extension| extension == "ndjson") {
        return read_lines(&file, &content, defaults);
    }
    let place = Place { file, line: None };
    let Some(feed) = defaults.feed.clone().or_else(|| named_by_folder(path)) else {
        return Err(InputError::NoFeed(place));
    };
    let message = Message::Webhook { payload_type: defaults.payload_type.clone(), body: content };
    Ok(vec![Untimed { place, feed, at: None, message }])
}

/// The feed of the provider that names a folder of `path`, the nearest one first.
fn named_by_folder(path: &Path) -> Option<Feed> {
    let folders = path.parent()?.ancestors().filter_map(|folder| folder.file_name()?.to_str());
    folders.filter_map(|name| name.parse::<Provider>().ok()).next().map(Feed::from)
}

fn read_lines(file: &str, content: &[u8], defaults: &Defaults) -> Result<Vec<Untimed>, InputError> {
    let lines = content.split(|byte| *byte == b'\n').zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim_ascii().is_empty());
    let read = |(line, number)| {
        let place = Place { file: file.to_owned(), line: Some(number) };
        read_line(line, place.clone(), defaults).map_err(|fault| InputError::Line { place, fault })
    };
    lines.map(read).collect()
}

fn read_line(line: &[u8], place: Place, defaults: &Defaults) -> Result<Untimed, String> {
    let text = str::from_utf8(line).map_err(|_| format!("the line is not UTF-8; it must be JSON such as {EXAMPLE}"))?;
    let Line { feed, payload_type, body, text, at, list, url } = serde_json::from_str(text)
        .map_err(|error| format!("{}; a line must be JSON such as {EXAMPLE}", fault(&error)))?;
    let feed = feed.as_deref().map(parse_feed).transpose()?.or_else(|| defaults.feed.clone());
    let feed =
        feed.ok_or(r#"nothing says which provider sends it; add a member such as "feed": "zerohash", or pass --feed"#)?;
    let at = at.map(|at| at.parse().map_err(|error| format!("`at`: {error}"))).transpose()?;
    let body = match (body, text) {
        (Some(body), None) => body.get().to_owned(),
        (None, Some(text)) => text,
        (Some(_), Some(_)) => return Err("both `body` and `text` are given; a line has one of them".to_owned()),
        (None, None) => {
            return Err(format!(
                "neither `body` (JSON) nor `text` (the raw body) is given; a line is such as {EXAMPLE}"
            ));
        }
    };
    let Some(list) = list_of(&list, &feed, url.as_deref())? else {
        if url.is_some() {
            return Err(
                r#"`url` belongs to a row of the provider's list; add "list": true, or leave it out"#.to_owned()
            );
        }
        let payload_type = payload_type.or_else(|| defaults.payload_type.clone());
        let message = Message::Webhook { payload_type, body: body.into_bytes() };
        return Ok(Untimed { place, feed, at, message });
    };
    if payload_type.is_some() {
        return Err("a row of the provider's list has no `payload_type`; leave it out".to_owned());
    }
    let message = Message::Row { list, json: body, url: url.unwrap_or_else(|| format!("{ROW_ORIGIN}{}", list.path())) };
    Ok(Untimed { place, feed, at, message })
}

/// What is wrong with a line, and in which column.
fn fault(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // Each line is read for itself, so the line that the error names is always the first.
    let position = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&position) {
        Some(text) => format!("{text} in column {}", error.column()),
        None => text,
    }
}

impl Input {
    /// The envelope that it travels in.
    pub(super) fn envelope(&self) -> Envelope {
        let Self { place: _, feed, at, message } = self;
        match message {
            Message::Webhook { payload_type, body } => {
                let headers = payload_type.iter().map(|name| (PAYLOAD_TYPE_HEADER, name)).collect();
                let webhook = Webhook { path: format!("/webhooks/{feed}"), headers, body: body.clone() };
                Envelope::unverified(webhook, feed.clone(), *at)
            }
            Message::Row { list, json, url } => {
                listed(RawRow { list: *list, feed, json: json.clone(), url, read_at: *at })
            }
        }
    }
}

impl Place {
    /// The line, counted from 0.
    pub(super) fn line_from_zero(&self) -> u32 {
        self.line.map_or(0, |line| line - 1)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{} line {line}", self.file),
            None => f.write_str(&self.file),
        }
    }
}
