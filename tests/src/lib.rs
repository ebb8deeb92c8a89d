//! What the end-to-end tests share: one local stack for the whole test process, and ways to send to it, to listen to it
//! and to look into it.
//!
//! The harness ends a test by a panic that says what was waited for and what was seen instead: it is for tests alone.

mod evidence;
mod listener;
mod platform;
mod processes;
mod queues;
mod session;
mod stream;
mod waiting;
mod webhooks;

pub use evidence::{settings, verify_again};
pub use listener::Listener;
pub use platform::Platform;
pub use processes::{interruptions, kill};
pub use queues::Queue;
pub use session::{log, run, session};
pub use stream::Stream;
pub use waiting::{WITHIN, eventually, seeded};
pub use webhooks::{about, changed, sample, samples, unique};
