//! Runs that stop or fail before and after each call to a port.
//!
//! A run over [`Stepped`] ports can be stopped at each step permanently, as by a crash; or while others run; or its call can
//! be answered with an error, before or after it took effect.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::MutexGuard;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};

use super::Fake;
use crate::{
    AccessTokens, Disposition, FetchKeySet, FetchedKeySet, GrantedToken, KeySets, Lease, PortError, RequestToken,
    StoredKeySet, StoredToken,
};

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

    async fn around<T>(&self, call: &str, effect: impl Future<Output = Result<T, PortError>>) -> Result<T, PortError> {
        self.step(format!("before {call}")).await?;
        let done = effect.await;
        self.step(format!("after {call}")).await?;
        done
    }
}

/// A port with a step before and a step after each call.
#[derive(Clone, Debug)]
pub struct Stepped<T>(pub T, pub Steps);

impl<T: KeySets + Send + Sync> KeySets for Stepped<T> {
    async fn load(&self, feed: &Feed) -> Result<Option<StoredKeySet>, PortError> {
        self.1.around(&format!("reading the set of {feed}"), self.0.load(feed)).await
    }

    async fn store(&self, feed: &Feed, set: &StoredKeySet) -> Result<(), PortError> {
        self.1.around(&format!("storing the set of {feed}"), self.0.store(feed, set)).await
    }

    async fn lease(&self, feed: &Feed, now: Timestamp, cooldown: Duration) -> Result<Lease, PortError> {
        self.1.around(&format!("leasing the set of {feed}"), self.0.lease(feed, now, cooldown)).await
    }

    async fn back_off_until(&self, feed: &Feed, until: Timestamp) -> Result<(), PortError> {
        self.1.around(&format!("noting the back-off of the set of {feed}"), self.0.back_off_until(feed, until)).await
    }
}

impl<T: FetchKeySet + Send + Sync> FetchKeySet for Stepped<T> {
    async fn fetch(&self, feed: &Feed, etag: Option<&str>) -> Result<FetchedKeySet, PortError> {
        self.1.around(&format!("fetching the set of {feed}"), self.0.fetch(feed, etag)).await
    }

    fn url(&self, feed: &Feed) -> Option<String> {
        self.0.url(feed)
    }
}

impl<T: AccessTokens + Send + Sync> AccessTokens for Stepped<T> {
    async fn load(&self) -> Result<BTreeMap<Feed, StoredToken>, PortError> {
        self.1.around("reading the tokens", self.0.load()).await
    }

    async fn store(&self, tokens: &BTreeMap<Feed, StoredToken>) -> Result<(), PortError> {
        self.1.around("storing the tokens", self.0.store(tokens)).await
    }

    async fn lease(&self, feed: &Feed, now: Timestamp, duration: Duration) -> Result<bool, PortError> {
        self.1.around(&format!("leasing the token of {feed}"), self.0.lease(feed, now, duration)).await
    }

    async fn release(&self, feed: &Feed, now: Timestamp, duration: Duration) -> Result<(), PortError> {
        self.1.around(&format!("releasing the token of {feed}"), self.0.release(feed, now, duration)).await
    }

    async fn back_off_until(&self, feed: &Feed, until: Timestamp) -> Result<(), PortError> {
        self.1.around(&format!("noting the back-off of the token of {feed}"), self.0.back_off_until(feed, until)).await
    }
}

impl<T: RequestToken + Send + Sync> RequestToken for Stepped<T> {
    async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        self.1.around("reading the credentials", self.0.feeds()).await
    }

    async fn request(&self, feed: &Feed) -> Result<GrantedToken, PortError> {
        self.1.around(&format!("granting the token of {feed}"), self.0.request(feed)).await
    }
}

/// A run over [`Stepped`] ports. Dropping it is a crash at the step that it reached.
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
