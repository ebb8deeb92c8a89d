//! A fake for each feed.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};

use super::{Fake, KeySetApi, KeySetTable};
use crate::{FetchKeySet, FetchedKeySet, KeySets, Lease, PortError, StoredKeySet};

/// A fake for each feed: every call goes to the fake of the feed that it is about. Clones share the fakes.
#[derive(Debug)]
pub struct ByFeed<T>(pub BTreeMap<Feed, Fake<T>>);

impl<T> Clone for ByFeed<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Default> ByFeed<T> {
    /// A fake in its default state for each of `feeds`.
    pub fn new(feeds: impl IntoIterator<Item = Feed>) -> Self {
        Self(feeds.into_iter().map(|feed| (feed, Fake::default())).collect())
    }
}

impl<T> ByFeed<T> {
    /// The feed's fake.
    ///
    /// # Panics
    ///
    /// If the feed has none: the code under test must not ask about a feed that is not configured.
    pub fn of(&self, feed: &Feed) -> &Fake<T> {
        self.0.get(feed).expect("a feed that has a fake")
    }
}

impl KeySets for ByFeed<KeySetTable> {
    async fn load(&self, feed: &Feed) -> Result<Option<StoredKeySet>, PortError> {
        self.of(feed).load(feed).await
    }

    async fn store(&self, feed: &Feed, set: &StoredKeySet) -> Result<(), PortError> {
        self.of(feed).store(feed, set).await
    }

    async fn lease(&self, feed: &Feed, now: Timestamp, cooldown: Duration) -> Result<Lease, PortError> {
        self.of(feed).lease(feed, now, cooldown).await
    }

    async fn back_off_until(&self, feed: &Feed, until: Timestamp) -> Result<(), PortError> {
        self.of(feed).back_off_until(feed, until).await
    }
}

impl FetchKeySet for ByFeed<KeySetApi> {
    async fn fetch(&self, feed: &Feed, etag: Option<&str>) -> Result<FetchedKeySet, PortError> {
        self.of(feed).fetch(feed, etag).await
    }

    fn url(&self, feed: &Feed) -> Option<String> {
        self.of(feed).url(feed)
    }
}
