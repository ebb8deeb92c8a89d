//! The steps of a run: one before each call to a port and one after each call that changes something. A test can stop a
//! run at each of them.

use std::sync::Arc;

use fundhook_ports::PortError;
use tokio::sync::Notify;

use super::{Shared, failure};

/// What happens at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// The process dies: nothing after the step happens.
    Crash,
    /// The call returns an error; what it did before stays done.
    Error,
    /// The run waits until the test resumes it.
    Pause,
}

/// The steps that a run reaches.
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
    /// Counts steps from here on, and disturbs the one with this number.
    pub(crate) fn disturb(&self, disturbed: Option<(usize, Disturbance)>) {
        *self.script.lock() = Script { trace: Vec::new(), disturbed };
    }

    /// The steps that were reached since then.
    pub(crate) fn trace(&self) -> Vec<&'static str> {
        self.script.lock().trace.clone()
    }

    /// Reaches the next step.
    pub(crate) async fn reach(&self, name: &'static str) -> Result<(), PortError> {
        let disturbance = {
            let mut script = self.script.lock();
            script.trace.push(name);
            let step = script.trace.len() - 1;
            script.disturbed.filter(|(at, _)| *at == step).map(|(_, by)| by)
        };
        match disturbance {
            None => {
                // Another run can act here.
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

    /// Resumes a paused run.
    pub(crate) fn resume(&self) {
        self.resumed.notify_one();
    }
}
