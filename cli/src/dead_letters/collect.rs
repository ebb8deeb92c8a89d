//! Receives what waits in a queue, within limits.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fundhook_ports::{PortError, WaitingMessage, WaitingMessages};

/// How much is received at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// This many messages.
    pub messages: usize,
    /// For this long.
    pub time: Duration,
}

impl Limits {
    /// How long a received message stays hidden from others, if the command ends before it gives it back: as long as
    /// receiving may take, and the work on the last messages.
    pub fn hidden(self) -> Duration {
        self.time + Duration::from_secs(30)
    }
}

/// What was received, and whether there may be more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// The messages, each once.
    pub messages: Vec<WaitingMessage>,
    /// Whether a limit was reached before the queue had no more visible messages.
    pub cut: bool,
}

/// Receives the messages of `queue` until none is visible, or until each of `wanted` was found, or up to `limits`. They stay
/// hidden: the caller gives them back or deletes them.
pub async fn collect(
    queue: &impl WaitingMessages,
    limits: Limits,
    wanted: Option<&BTreeSet<String>>,
) -> Result<Collected, PortError> {
    let began = Instant::now();
    let mut collected = Collected::default();
    let mut seen = BTreeSet::new();
    loop {
        let has_all = wanted.is_some_and(|wanted| wanted.is_subset(&seen));
        if has_all {
            return Ok(collected);
        }
        if collected.messages.len() >= limits.messages || began.elapsed() >= limits.time {
            collected.cut = true;
            return Ok(collected);
        }
        let received = match queue.receive(limits.hidden()).await {
            Ok(received) => received,
            Err(error) => {
                // Those that were received must not stay hidden.
                queue.give_back(&collected.messages).await?;
                return Err(error);
            }
        };
        if received.is_empty() {
            return Ok(collected);
        }
        for message in received {
            // A standard queue may deliver a message twice; the later receipt counts.
            if seen.insert(message.id.clone()) {
                collected.messages.push(message);
            } else if let Some(known) = collected.messages.iter_mut().find(|known| known.id == message.id) {
                *known = message;
            }
        }
    }
}
