//! One feed's key set: the table that stores it, and the provider that publishes it.

use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};

use super::{Clock, Fail, Fake, Latency, down};
use crate::{BACK_OFF_MAX, CLOCK_SKEW_MAX, FetchKeySet, FetchedKeySet, KeySets, Lease, PortError, StoredKeySet};

/// The key set of one feed, and the lease on fetching a new one, under the conditions of the DynamoDB adapter. It keeps no
/// history of keys.
#[derive(Clone, Debug, Default)]
pub struct KeySetTable {
    /// The stored set, without the back-off that is stored with it.
    pub stored: Option<StoredKeySet>,
    /// When the lease ends.
    pub refetch_after: Option<Timestamp>,
    /// Until when the provider asked not to be asked again.
    pub not_before: Option<Timestamp>,
    /// Which loads fail.
    pub on_load: Fail,
    /// Which stores fail.
    pub on_store: Fail,
    /// Which leases fail, and which notes of a back-off.
    pub on_lease: Fail,
    /// How often the set was loaded, stored or confirmed, and the lease asked for; failed calls count.
    pub loads: usize,
    /// See [`Self::loads`].
    pub stores: usize,
    /// See [`Self::loads`].
    pub leases: usize,
    /// How slowly a load is answered.
    pub latency: Fake<Latency>,
}

impl KeySetTable {
    /// The set as a reader gets it: with the back-off that is stored with it.
    fn read(&self) -> Option<StoredKeySet> {
        self.stored.clone().map(|set| StoredKeySet { not_before: self.not_before, ..set })
    }
}

impl KeySets for Fake<KeySetTable> {
    async fn load(&self, _: &Feed) -> Result<Option<StoredKeySet>, PortError> {
        let latency = self.now().latency.clone();
        latency.wait().await;
        let mut table = self.now();
        table.loads += 1;
        table.on_load.outcome("read the key set")?;
        Ok(table.read())
    }

    /// A set that was fetched earlier than the stored one is ignored, unless the stored one was fetched implausibly far
    /// in the future. A set that is stored ends the back-off.
    async fn store(&self, _: &Feed, set: &StoredKeySet) -> Result<(), PortError> {
        let mut table = self.now();
        table.stores += 1;
        table.on_store.outcome("store the key set")?;
        let believed_until = set.fetched_at.plus(CLOCK_SKEW_MAX);
        let is_replaced =
            |stored: &StoredKeySet| stored.fetched_at < set.fetched_at || stored.fetched_at > believed_until;
        if table.stored.as_ref().is_none_or(is_replaced) {
            table.stored = Some(set.clone());
            table.not_before = None;
        }
        Ok(())
    }

    /// The lease is refused during a cooldown and during a back-off. Either is ignored if it ends implausibly far in
    /// the future.
    async fn lease(&self, _: &Feed, now: Timestamp, cooldown: Duration) -> Result<Lease, PortError> {
        let mut table = self.now();
        table.leases += 1;
        table.on_lease.outcome("take the lease")?;
        let until = now.plus(cooldown);
        let is_leased = is_in_force(table.refetch_after, now, cooldown);
        if is_leased || is_in_force(table.not_before, now, BACK_OFF_MAX) {
            return Ok(Lease::Lost(table.read()));
        }
        table.refetch_after = Some(until);
        Ok(Lease::Won)
    }

    async fn back_off_until(&self, _: &Feed, until: Timestamp) -> Result<(), PortError> {
        let mut table = self.now();
        table.on_lease.outcome("note until when to back off")?;
        table.not_before = Some(until);
        Ok(())
    }
}

/// Whether a lease or back-off until `until`, which lasts at most `at_most`, is in force at `now`. One that ends later
/// than `now` + `at_most` + the clock skew was stored by a wrong clock and is not in force.
pub(super) fn is_in_force(until: Option<Timestamp>, now: Timestamp, at_most: Duration) -> bool {
    until.is_some_and(|until| until > now && until <= now.plus(at_most).plus(CLOCK_SKEW_MAX))
}

/// The URL of the key set, unless the test sets a different one.
pub const KEY_SET_URL: &str = "https://api.connect.xyz/v1/jwks";

/// The provider's key set endpoint. It is down unless it serves something.
#[derive(Clone, Debug, Default)]
pub struct KeySetApi {
    /// The document that it serves; `None` fails every fetch.
    pub serves: Option<String>,
    /// The entity tag of the document: a fetch with this tag is answered "not modified".
    pub etag: Option<String>,
    /// The `max-age` of its `Cache-Control`.
    pub fresh_for: Option<Duration>,
    /// Answers every fetch "not modified", whatever its tag. A provider must not, and some do.
    pub says_unchanged: bool,
    /// Its `Retry-After` while it is down.
    pub retry_after: Option<Duration>,
    /// Where it publishes; `None` for [`KEY_SET_URL`].
    pub url: Option<&'static str>,
    /// How long a fetch takes, and the clock that advances by that time.
    pub takes: Option<(Clock, Duration)>,
    /// The entity tag of each fetch.
    pub asked_by: Vec<Option<String>>,
    /// How many fetches there were; failed ones count.
    pub fetches: usize,
}

impl FetchKeySet for Fake<KeySetApi> {
    async fn fetch(&self, _: &Feed, etag: Option<&str>) -> Result<FetchedKeySet, PortError> {
        let mut api = self.now();
        api.fetches += 1;
        api.asked_by.push(etag.map(str::to_owned));
        if let Some((clock, duration)) = &api.takes {
            clock.pass(*duration);
        }
        let retry_after = api.retry_after;
        let jwks = api.serves.clone().ok_or_else(|| down("fetch the key set").with_retry_after(retry_after))?;
        let fresh_for = api.fresh_for;
        if api.says_unchanged || etag.is_some() && etag == api.etag.as_deref() {
            return Ok(FetchedKeySet::NotModified { fresh_for });
        }
        Ok(FetchedKeySet::Served { jwks, etag: api.etag.clone(), fresh_for })
    }

    fn url(&self, _: &Feed) -> Option<String> {
        Some(self.now().url.unwrap_or(KEY_SET_URL).to_owned())
    }
}
