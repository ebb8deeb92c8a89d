//! Error texts about JSON that quote none of it.

/// Where a JSON text could not be read, without repeating any of it: what `serde_json` says of an odd value quotes it, and
/// a message holds what its sender would not like to see in a log.
pub fn json_fault(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Io => "it could not be read",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Data => "it has another shape",
        serde_json::error::Category::Eof => "it ends too early",
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}
