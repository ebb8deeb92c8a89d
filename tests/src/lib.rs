//! The harness of the end-to-end tests: one local stack for the test process, and functions to send webhooks to it, to
//! receive its events and to inspect it.
//!
//! It panics with what was expected and what was found instead, so it is only for tests.

mod coins;
mod evidence;
mod listener;
mod logs;
mod platform;
mod processes;
mod promised;
mod queues;
mod resources;
mod session;
mod stream;
mod subscriber;
mod tables;
mod waiting;
mod webhooks;

pub use coins::Coin;
pub use evidence::verify_again;
pub use listener::Listener;
pub use platform::Platform;
pub use processes::{interruptions, kill};
pub use promised::{attribute_faults, event_faults, save};
pub use queues::Queue;
pub use resources::{event_ids, plain_view};
pub use session::{log, run, session};
pub use stream::Stream;
pub use subscriber::Subscriber;
pub use tables::Item;
pub use waiting::{WITHIN, eventually, seeded};
pub use webhooks::{about, changed, hash, resource, sample, samples, samples_with, unique, uuid, webhook};
