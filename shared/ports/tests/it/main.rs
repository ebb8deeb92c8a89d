//! The semantics of the in-memory fakes: what a test of a function relies on.

mod key_sets;
mod lists;
mod messages;
mod resources;
mod steps;
mod tokens;

use fundhook_domain::{Feed, Timestamp};

/// The instant this many seconds after the tests begin.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_760_484_866 + seconds).expect("in range")
}

fn feed(name: &str) -> Feed {
    name.parse().expect("a feed")
}
