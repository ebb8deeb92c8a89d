//! Webhooks to send: the files of events/connect, and the same about resources of a test's own.

use std::fs;
use std::path::PathBuf;

use fundhook::stack::Workspace;
use fundhook_domain::{Kind, Provider, ResourceId};
use serde_json::Value;

fn folder() -> PathBuf {
    Workspace::find().expect("the tests run inside the workspace").root().join("events/connect")
}

/// The names of all files of events/connect, the odd ones with their folder.
pub fn samples() -> Vec<String> {
    let names = |folder: PathBuf| {
        let entries = fs::read_dir(&folder).expect("the folder is there").flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let odd = names(folder().join("odd")).into_iter().map(|name| format!("odd/{name}"));
    names(folder()).into_iter().chain(odd).collect()
}

/// The bytes of a file of events/connect.
pub fn sample(file: &str) -> Vec<u8> {
    fs::read(folder().join(file)).map_err(|error| format!("{file}: {error}")).expect("the file is there")
}

/// The file's bytes, about the deposit or withdrawal that the provider calls `native` instead.
pub fn about(file: &str, native: &str) -> Vec<u8> {
    let text = String::from_utf8(sample(file)).expect("text");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    let own = json["deposit"]["id"].as_str().expect("the files call the object so");
    assert_eq!(text.matches(own).count(), 1, "{file} names its id once");
    text.replace(own, native).into_bytes()
}

/// The file about `native`, with what lies at some JSON pointers replaced. A pointer to what is not there adds it.
pub fn changed(file: &str, native: &str, changes: &[(&str, Value)]) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(&about(file, native)).expect("JSON");
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        json.pointer_mut(parent).expect("what it points into")[name] = value.clone();
    }
    json.to_string().into_bytes()
}

/// A resource that no other test speaks of.
pub fn unique(kind: Kind) -> ResourceId {
    let native = format!("{:08x}-e2e0-4000-8000-{:012x}", fastrand::u32(..), fastrand::u64(..) >> 16);
    ResourceId::new(kind, Provider::Connect, &native).expect("a UUID names a resource")
}
