//! Runs that stop or fail before and after each call to a port.
//!
//! A run over [`Stepped`](super::Stepped) ports can be stopped at each step permanently, as by a crash; or while others
//! run; or its call can be answered with an error, before or after it took effect.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::MutexGuard;
use std::task::{Context, Poll, Waker};

use super::{Around, Fake};
use crate::{Disposition, PortError};

/// The steps of one run.
#[derive(Clone, Debug, Default)]
pub struct Steps(Fake<Progress>);

#[derive(Debug, Default)]
struct Progress {
    /// The names of the steps that were reached, in order.
    reached: Vec<String>,
    /// How many steps the run may pass in all.
    may_pass: usize,
    fails_at: Option<usize>,
}

impl Steps {
    /// The steps of a run that is never stopped.
    pub fn passing() -> Self {
        Self(Fake::new(Progress { may_pass: usize::MAX, ..Progress::default() }))
    }

    /// The steps of a run in which the call at step `step`, counted from 0, is answered with an error.
    pub fn failing_at(step: usize) -> Self {
        Self(Fake::new(Progress { fails_at: Some(step), ..Progress::default() }))
    }

    fn now(&self) -> MutexGuard<'_, Progress> {
        self.0.now()
    }

    /// The steps that were reached, by name.
    pub fn reached(&self) -> Vec<String> {
        self.now().reached.clone()
    }

    async fn step(&self, name: String) -> Result<(), PortError> {
        let step = {
            let mut progress = self.now();
            progress.reached.push(name);
            progress.reached.len() - 1
        };
        poll_fn(|_| if step < self.now().may_pass { Poll::Ready(()) } else { Poll::Pending }).await;
        if self.now().fails_at == Some(step) {
            return Err(PortError::new("complete a call", Disposition::Retry, "the connection was cut off"));
        }
        Ok(())
    }
}

impl Around for Steps {
    async fn around<T: Send, E: From<PortError> + Send>(
        &self,
        call: &str,
        effect: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        self.step(format!("before {call}")).await?;
        let done = effect.await;
        self.step(format!("after {call}")).await?;
        done
    }
}

/// A run over [`Stepped`](super::Stepped) ports. Dropping it is a crash at the step that it reached.
pub struct Run<'a, T> {
    steps: Steps,
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
}

impl<T> std::fmt::Debug for Run<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("steps", &self.steps).finish_non_exhaustive()
    }
}

impl<'a, T> Run<'a, T> {
    /// A run of `future`, whose ports have these steps. It has not begun.
    pub fn of(steps: &Steps, future: impl Future<Output = T> + 'a) -> Self {
        Self { steps: steps.clone(), future: Box::pin(future) }
    }

    /// Continues until the run has passed this many steps in total. Returns its outcome if it ended.
    pub fn pass(&mut self, steps: usize) -> Option<T> {
        self.steps.now().may_pass = steps;
        match self.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }

    /// Continues to the end.
    ///
    /// # Panics
    ///
    /// If the run waits for something other than its steps.
    pub fn finish(mut self) -> T {
        self.pass(usize::MAX).expect("a run that waits for its steps alone")
    }
}
