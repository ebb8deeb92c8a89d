//! Webhooks to send: the samples in events/, unchanged or about a test's own resources.

use std::fs;
use std::path::{Path, PathBuf};

use fundhook_domain::{Feed, Kind, Provider, ResourceId};
use fundhook_local_stack::Workspace;
use fundhook_local_stack::sending::Webhook;
use serde_json::Value;

fn folder() -> PathBuf {
    Workspace::find().expect("the tests run inside the workspace").root().join("events")
}

/// The names of all sample webhooks, with their folders: `zerohash/odd/duplicate_key.json`.
pub fn samples() -> Vec<String> {
    let folders = Provider::ALL.into_iter().flat_map(|provider| [format!("{provider}"), format!("{provider}/odd")]);
    let names = |named: String| {
        let entries = fs::read_dir(folder().join(&named)).expect("the folder is there").flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        files.map(|entry| format!("{named}/{}", entry.file_name().to_string_lossy())).collect::<Vec<_>>()
    };
    folders.flat_map(names).collect()
}

/// A sample, unchanged.
pub fn webhook(file: &str) -> Webhook {
    let path = folder().join(file);
    Webhook::new(Webhook::feed_of(&path), read(&path))
}

/// Samples about a test's own resources: in all of them, each pair's first text is replaced by the second.
pub fn samples_with(files: &[&str], own: &[(&str, &str)]) -> Vec<Webhook> {
    let mut webhooks: Vec<Webhook> = files.iter().map(|file| webhook(file)).collect();
    for (sample, own) in own {
        let mut replaced = 0;
        for webhook in &mut webhooks {
            let text = std::str::from_utf8(&webhook.body).expect("text");
            replaced += text.matches(sample).count();
            webhook.body = text.replace(sample, own).into_bytes();
        }
        assert!(replaced > 0, "no file of {files:?} contains {sample}");
    }
    webhooks
}

/// The bytes of a file of events/connect.
pub fn sample(file: &str) -> Vec<u8> {
    read(&folder().join("connect").join(file))
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display())).expect("the file exists")
}

/// A file of events/connect about the deposit or withdrawal `native`.
pub fn about(file: &str, native: &str) -> Vec<u8> {
    let text = String::from_utf8(sample(file)).expect("text");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    let own = json["deposit"]["id"].as_str().expect("the object is named `deposit`");
    assert_eq!(text.matches(own).count(), 1, "{file} names its id once");
    text.replace(own, native).into_bytes()
}

/// A file about `native`, with the values at some JSON pointers replaced or added.
pub fn changed(file: &str, native: &str, changes: &[(&str, Value)]) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(&about(file, native)).expect("JSON");
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        json.pointer_mut(parent).expect("the parent exists")[name] = value.clone();
    }
    json.to_string().into_bytes()
}

/// A resource of Connect for one test only.
pub fn unique(kind: Kind) -> ResourceId {
    resource(kind, Provider::Connect, &uuid())
}

/// The resource `native` of `feed`.
pub fn resource(kind: Kind, feed: impl Into<Feed>, native: &str) -> ResourceId {
    ResourceId::new(kind, feed, native).expect("a valid resource id")
}

/// A random UUID.
pub fn uuid() -> String {
    format!("{:08x}-e2e0-4000-8000-{:012x}", fastrand::u32(..), fastrand::u64(..) >> 16)
}

/// A random transaction hash.
pub fn hash() -> String {
    format!("{:032x}{:032x}", fastrand::u128(..), fastrand::u128(..))
}
