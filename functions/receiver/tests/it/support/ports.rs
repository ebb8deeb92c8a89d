//! The world outside, in memory: what was asked of it is counted, and each part of it can be down.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{
    CLOCKS_DIFFER_MAX, Disposition, FetchKeySet, FetchedKeySet, KeySets, LEFT_ALONE_MAX, Lease, PortError, SendMessage,
    StoredKeySet,
};

/// A part of the world that functions hold clones of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared<T>(Arc<Mutex<T>>);

impl<T> Shared<T> {
    /// A look at it, or a change of it: one at a time, and never held while the code under test runs.
    pub(crate) fn now(&self) -> MutexGuard<'_, T> {
        self.0.try_lock().expect("one look at a time")
    }
}

/// A clock that moves when it is told to; clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Clock(Arc<Mutex<Timestamp>>);

#[allow(dead_code, reason = "it is made by the refresher's tests")]
impl Clock {
    pub(crate) fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    pub(crate) fn now(&self) -> Timestamp {
        *self.0.try_lock().expect("one look at a time")
    }

    pub(crate) fn set(&self, now: Timestamp) {
        *self.0.try_lock().expect("one look at a time") = now;
    }

    pub(crate) fn pass(&self, duration: Duration) {
        self.set(self.now().plus(duration));
    }
}

pub(crate) fn down(attempted: &'static str) -> PortError {
    PortError::new(attempted, Disposition::Retry, "it is down")
}

/// Who waits for an answer of the world at the moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    /// How many turns others have until an answer comes.
    pub(crate) turns: usize,
    /// How many wait now, and how many did at most.
    pub(crate) waiting: usize,
    pub(crate) waiting_max: usize,
}

impl Shared<Waiting> {
    pub(crate) async fn wait(&self) {
        let turns = {
            let mut now = self.now();
            now.waiting += 1;
            now.waiting_max = now.waiting_max.max(now.waiting);
            now.turns
        };
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        self.now().waiting -= 1;
    }
}

/// The ingress queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    pub(crate) sent: Vec<String>,
    pub(crate) is_down: bool,
}

impl SendMessage for Shared<Queue> {
    async fn send(&self, body: String) -> Result<(), PortError> {
        let mut queue = self.now();
        if queue.is_down {
            return Err(down("send a message"));
        }
        queue.sent.push(body);
        Ok(())
    }
}

/// Where the provider publishes its key set.
pub(crate) const URL: &str = "https://api.connect.xyz/v1/jwks";

/// The key set of one feed in the table, and the lease on fetching a new one, under the conditions of the adapter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) waiting: Shared<Waiting>,
    pub(crate) stored: Option<StoredKeySet>,
    pub(crate) refetch_after: Option<Timestamp>,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) reads_are_down: bool,
    pub(crate) stores_are_down: bool,
    pub(crate) leases_are_down: bool,
    pub(crate) loads: usize,
    pub(crate) stores: usize,
    pub(crate) leases: usize,
}

impl KeySets for Shared<Table> {
    async fn load(&self, _: &Feed) -> Result<Option<StoredKeySet>, PortError> {
        let waiting = self.now().waiting.clone();
        waiting.wait().await;
        let mut table = self.now();
        table.loads += 1;
        if table.reads_are_down { Err(down("read the key set")) } else { Ok(table.row()) }
    }

    async fn store(&self, _: &Feed, set: &StoredKeySet) -> Result<(), PortError> {
        let mut table = self.now();
        table.stores += 1;
        if table.stores_are_down {
            return Err(down("store the key set"));
        }
        let ahead = set.fetched_at.plus(CLOCKS_DIFFER_MAX);
        let gives_way = |stored: &StoredKeySet| stored.fetched_at < set.fetched_at || stored.fetched_at > ahead;
        if table.stored.as_ref().is_none_or(gives_way) {
            table.stored = Some(set.clone());
            table.not_before = None;
        }
        Ok(())
    }

    async fn lease(&self, _: &Feed, now: Timestamp, cooldown: Duration) -> Result<Lease, PortError> {
        let mut table = self.now();
        table.leases += 1;
        if table.leases_are_down {
            return Err(down("take the lease"));
        }
        let until = now.plus(cooldown);
        let holds = |noted: Option<Timestamp>, at_most: Timestamp| noted.is_some_and(|it| it > now && it <= at_most);
        let is_taken = holds(table.refetch_after, until.plus(CLOCKS_DIFFER_MAX));
        if is_taken || holds(table.not_before, now.plus(LEFT_ALONE_MAX).plus(CLOCKS_DIFFER_MAX)) {
            return Ok(Lease::Lost(table.row()));
        }
        table.refetch_after = Some(until);
        Ok(Lease::Won)
    }

    async fn leave_alone(&self, _: &Feed, until: Timestamp) -> Result<(), PortError> {
        let mut table = self.now();
        if table.leases_are_down {
            return Err(down("note that the provider is to be left alone"));
        }
        table.not_before = Some(until);
        Ok(())
    }
}

impl Table {
    /// The set as it is read, with what else is noted of it.
    fn row(&self) -> Option<StoredKeySet> {
        self.stored.clone().map(|set| StoredKeySet { not_before: self.not_before, ..set })
    }
}

/// The provider's key set endpoint; down unless it serves something.
#[derive(Clone, Debug, Default)]
pub(crate) struct Api {
    pub(crate) serves: Option<String>,
    /// The entity tag of what it serves: whoever asks by it is told that nothing has changed.
    pub(crate) etag: Option<String>,
    /// What its `Cache-Control` says.
    pub(crate) fresh_for: Option<Duration>,
    /// Whatever it is asked by, it says that nothing has changed.
    pub(crate) says_unchanged: bool,
    /// What its `Retry-After` says while it is down.
    pub(crate) retry_after: Option<Duration>,
    /// Where it publishes now; `None` for [`URL`].
    pub(crate) url: Option<&'static str>,
    /// How long an answer takes, and by which clock.
    pub(crate) takes: Option<(Clock, Duration)>,
    /// The entity tags that it was asked by.
    pub(crate) asked_by: Vec<Option<String>>,
    pub(crate) fetches: usize,
}

impl FetchKeySet for Shared<Api> {
    async fn fetch(&self, _: &Feed, etag: Option<&str>) -> Result<FetchedKeySet, PortError> {
        let mut api = self.now();
        api.fetches += 1;
        api.asked_by.push(etag.map(str::to_owned));
        let Api { etag: current, fresh_for, .. } = api.clone();
        if let Some((clock, duration)) = &api.takes {
            clock.pass(*duration);
        }
        let is_down = || down("fetch the key set").to_be_retried_after(api.retry_after);
        let jwks = api.serves.clone().ok_or_else(is_down)?;
        if api.says_unchanged || etag.is_some() && etag == current.as_deref() {
            return Ok(FetchedKeySet::NotModified { fresh_for });
        }
        Ok(FetchedKeySet::Served { jwks, etag: current, fresh_for })
    }
    fn url(&self, _: &Feed) -> Option<String> {
        Some(self.now().url.unwrap_or(URL).to_owned())
    }
}
