//! The steps of a run: one before each call to a port and one after it. A run can be stopped at each.

use std::sync::Arc;

use fundhook_ports::PortError;
use tokio::sync::Notify;

use super::{Shared, failure};

/// What happens at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// The process is gone: nothing that would come after it happens.
    Crash,
    /// The call is answered with an error; what it did until then stays done.
    Error,
    /// It goes on when the test says so.
    Pause,
}

/// The steps as they are come to.
#[derive(Clone, Default)]
pub(crate) struct Steps {
    script: Shared<Script>,
    stopped: Arc<Notify>,
    resumed: Arc<Notify>,
}

#[derive(Default)]
struct Script {
    trace: Vec<&'static str>,
    disturbed: Option<(usize, Disturbance)>,
}

impl Steps {
    /// Counts from here on, and has this happen at the step with that number.
    pub(crate) fn disturb(&self, disturbed: Option<(usize, Disturbance)>) {
        *self.script.lock() = Script { trace: Vec::new(), disturbed };
    }

    /// The steps since then.
    pub(crate) fn trace(&self) -> Vec<&'static str> {
        self.script.lock().trace.clone()
    }

    /// Comes to the next step.
    pub(crate) async fn reach(&self, name: &'static str) -> Result<(), PortError> {
        let disturbance = {
            let mut script = self.script.lock();
            script.trace.push(name);
            let step = script.trace.len() - 1;
            script.disturbed.filter(|(at, _)| *at == step).map(|(_, by)| by)
        };
        match disturbance {
            None => {
                // Whoever else is at work comes between.
                tokio::task::yield_now().await;
                Ok(())
            }
            Some(Disturbance::Error) => Err(failure("it is down")),
            Some(Disturbance::Crash) => {
                self.stopped.notify_one();
                std::future::pending().await
            }
            Some(Disturbance::Pause) => {
                self.stopped.notify_one();
                self.resumed.notified().await;
                Ok(())
            }
        }
    }

    /// Returns once a run has crashed or paused.
    pub(crate) async fn stopped(&self) {
        self.stopped.notified().await;
    }

    /// Lets a run that paused go on.
    pub(crate) fn resume(&self) {
        self.resumed.notify_one();
    }
}
