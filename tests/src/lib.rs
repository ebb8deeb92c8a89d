//! What the end-to-end tests share: one local stack for the whole test process, and ways to send to it, to listen to it
//! and to look into it.
//!
//! The harness ends a test by a panic that says what was waited for and what was seen instead: it is for tests alone.

mod coins;
mod evidence;
mod listener;
mod platform;
mod processes;
mod promised;
mod queues;
mod resources;
mod session;
mod stream;
mod subscriber;
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
pub use waiting::{WITHIN, eventually, seeded};
pub use webhooks::{about, changed, hash, resource, retold, sample, samples, unique, uuid, webhook};
