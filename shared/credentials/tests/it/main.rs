//! Keeping tokens, one file per promise, in a world in memory.

/// Apart from the rest, which is the refresher's tests' as well.
#[path = "support/logs.rs"]
mod logs;
mod support;
mod token_storms;
mod tokens;
