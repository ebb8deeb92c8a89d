//! Descriptions of JSON errors that do not quote the JSON.

/// What is wrong with a JSON text and where, without quoting it.
///
/// `serde_json`'s own messages quote unexpected values, and a webhook's values do not belong in a log.
pub fn json_fault(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Io => "reading it failed",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Data => "a value is missing or has an unexpected type",
        serde_json::error::Category::Eof => "it ends unexpectedly",
    };
    format!("{what} at line {} column {}", error.line(), error.column())
}
