//! Running something step by step. A step is before and after each call to a port: a run can be stopped there for good, as by
//! a crash, or while others run, or be told of a failure.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{
    AccessTokens, Disposition, FetchKeySet, FetchedKeySet, GrantedToken, KeySets, Lease, PortError, RequestToken,
    StoredKeySet, StoredToken,
};

/// The steps of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps(Arc<Mutex<Progress>>);

#[derive(Debug, Default)]
struct Progress {
    reached: Vec<String>,
    may_pass: usize,
    fails_at: Option<usize>,
}

impl Steps {
    /// Those of a run that is told of a failure at this step.
    pub(crate) fn failing_at(step: usize) -> Self {
        Self(Arc::new(Mutex::new(Progress { fails_at: Some(step), ..Progress::default() })))
    }

    fn now(&self) -> MutexGuard<'_, Progress> {
        self.0.try_lock().expect("one look at a time")
    }

    /// The steps that were reached, by name.
    pub(crate) fn reached(&self) -> Vec<String> {
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
            return Err(PortError::new("hear from the world", Disposition::Retry, "it was cut off"));
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

/// A port each of whose calls is two steps.
#[derive(Clone, Debug)]
pub(crate) struct Stepped<T>(pub(crate) T, pub(crate) Steps);

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

    async fn leave_alone(&self, feed: &Feed, until: Timestamp) -> Result<(), PortError> {
        self.1.around(&format!("leaving the set of {feed} alone"), self.0.leave_alone(feed, until)).await
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

    async fn leave_alone(&self, feed: &Feed, until: Timestamp) -> Result<(), PortError> {
        self.1.around(&format!("leaving the token of {feed} alone"), self.0.leave_alone(feed, until)).await
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

/// A run over stepped ports. Dropped, it has crashed where it stands.
pub(crate) struct Run<'a, T> {
    steps: Steps,
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
}

impl<'a, T> Run<'a, T> {
    /// A run of `future`, whose ports have these steps; it has not begun.
    pub(crate) fn of(steps: &Steps, future: impl Future<Output = T> + 'a) -> Self {
        Self { steps: steps.clone(), future: Box::pin(future) }
    }

    /// Lets it go on until it has passed so many steps in all: its outcome, if it has come to its end.
    pub(crate) fn pass(&mut self, steps: usize) -> Option<T> {
        self.steps.now().may_pass = steps;
        match self.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }

    /// Lets it go on to its end.
    pub(crate) fn finish(mut self) -> T {
        self.pass(usize::MAX).expect("nothing but its steps holds it")
    }
}
