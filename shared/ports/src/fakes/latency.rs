//! Slow answers, without a timer: a call waits while other tasks take their turns.

use std::future::poll_fn;
use std::task::Poll;

use super::Fake;

/// How slowly a fake answers, and how many calls wait for it. Fakes that share one count their waiting calls together.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    /// How many turns all other tasks have before a call is answered; 0 answers at once.
    pub turns: usize,
    /// How many calls wait at the moment.
    pub waiting: usize,
    /// The most calls that ever waited at the same time.
    pub waiting_max: usize,
}

impl Fake<Latency> {
    /// Waits for as many turns as are set when the call begins.
    pub(super) async fn wait(&self) {
        let turns = {
            let mut latency = self.now();
            latency.waiting += 1;
            latency.waiting_max = latency.waiting_max.max(latency.waiting);
            latency.turns
        };
        yield_turns(turns).await;
        self.now().waiting -= 1;
    }
}

/// Yields this many times, so that all other tasks run.
pub(super) async fn yield_turns(turns: usize) {
    let mut left = turns;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
