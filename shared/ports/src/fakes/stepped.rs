//! Ports whose calls can be stopped or failed before and after they take effect.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_domain::{
    Claim, ClaimKey, Feed, Kind, ListId, Resource, ResourceId, SimilarDeposits, SimilarKey, Timestamp,
};
use fundhook_reconciliation::{MovementsMark, Receipt, Report, Watermark};
use secrecy::SecretString;

use super::Steps;
use crate::{
    AccessTokens, AccountResources, Advance, Claims, FetchKeySet, FetchedKeySet, GrantedToken, IndexPage, KeySets,
    Lease, ListError, ListPage, ListQuery, ListSigned, ListWithToken, MovementsMarks, OpenQuery, OpenResources,
    PortError, QueueMessage, Receipts, Reports, RequestToken, Resources, SendMessages, SettledResources, StoredKeySet,
    StoredToken, Watermarks, Write, WriteOutcome,
};

/// A port with a step before and a step after each call. A call that sends or writes several things has them before and
/// after each of them, as a real one may fail between two.
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

impl<T: ListWithToken + Send + Sync> ListWithToken for Stepped<T> {
    async fn list(&self, list: &ListId, token: &SecretString, query: &ListQuery) -> Result<ListPage, ListError> {
        self.1.around(&format!("reading {list}"), self.0.list(list, token, query)).await
    }
}

impl<T: ListSigned + Send + Sync> ListSigned for Stepped<T> {
    async fn lists(&self) -> Result<Vec<ListId>, PortError> {
        self.1.around("reading the API keys", self.0.lists()).await
    }

    async fn list(&self, list: &ListId, query: &ListQuery) -> Result<ListPage, PortError> {
        self.1.around(&format!("reading {list}"), self.0.list(list, query)).await
    }
}

impl<T: SendMessages + Send + Sync> SendMessages for Stepped<T> {
    async fn send_all(&self, messages: Vec<QueueMessage>) -> Vec<Result<(), PortError>> {
        let mut outcomes = Vec::with_capacity(messages.len());
        for message in messages {
            let sending = async { self.0.send_all(vec![message]).await.into_iter().collect() };
            outcomes.push(self.1.around("sending a message", sending).await);
        }
        outcomes
    }
}

impl<T: Resources + Send + Sync> Resources for Stepped<T> {
    async fn read(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, PortError> {
        self.1.around("reading resources", self.0.read(ids)).await
    }

    async fn write(&self, writes: Vec<Write>, now: Timestamp) -> Vec<WriteOutcome> {
        let mut outcomes = Vec::with_capacity(writes.len());
        for write in writes {
            let writing = async { Ok(self.0.write(vec![write], now).await) };
            let written = self.1.around("writing a resource", writing).await;
            outcomes.extend(written.unwrap_or_else(|failed| vec![WriteOutcome::Failed(failed)]));
        }
        outcomes
    }
}

impl<T: Claims + Send + Sync> Claims for Stepped<T> {
    async fn claims(&self, keys: &[ClaimKey]) -> Result<Vec<Claim>, PortError> {
        self.1.around("reading claims", self.0.claims(keys)).await
    }

    async fn similar(&self, keys: &[SimilarKey]) -> Result<Vec<SimilarDeposits>, PortError> {
        self.1.around("reading similar deposits", self.0.similar(keys)).await
    }
}

impl<T: Receipts + Send + Sync> Receipts for Stepped<T> {
    async fn note(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        self.1.around("noting receipts", self.0.note(receipts)).await
    }

    async fn receipts(&self, resources: &[ResourceId]) -> Result<Vec<Receipt>, PortError> {
        self.1.around("reading receipts", self.0.receipts(resources)).await
    }
}

impl<T: Watermarks + Send + Sync> Watermarks for Stepped<T> {
    async fn load(&self, list: &ListId) -> Result<Option<Watermark>, PortError> {
        self.1.around(&format!("reading the watermark of {list}"), self.0.load(list)).await
    }

    async fn advance(&self, list: &ListId, to: &Watermark) -> Result<Advance, PortError> {
        self.1.around(&format!("advancing the watermark of {list}"), self.0.advance(list, to)).await
    }
}

impl<T: MovementsMarks + Send + Sync> MovementsMarks for Stepped<T> {
    async fn movements_mark(&self) -> Result<Option<MovementsMark>, PortError> {
        self.1.around("reading the mark of movements", self.0.movements_mark()).await
    }

    async fn advance_movements_mark(&self, to: &MovementsMark) -> Result<Advance, PortError> {
        self.1.around("advancing the mark of movements", self.0.advance_movements_mark(to)).await
    }
}

impl<T: OpenResources + Send + Sync> OpenResources for Stepped<T> {
    async fn open(&self, query: OpenQuery<'_>) -> Result<IndexPage, PortError> {
        self.1.around("reading open resources", self.0.open(query)).await
    }
}

impl<T: SettledResources + Send + Sync> SettledResources for Stepped<T> {
    async fn settled(
        &self,
        feed: &Feed,
        kind: Kind,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<ResourceId>, PortError> {
        let reading = self.0.settled(feed, kind, from, before);
        self.1.around(&format!("reading confirmed {kind}s of {feed}"), reading).await
    }
}

impl<T: AccountResources + Send + Sync> AccountResources for Stepped<T> {
    async fn of_account(&self, account: &str, since: Timestamp) -> Result<Vec<ResourceId>, PortError> {
        self.1.around("reading resources of an account", self.0.of_account(account, since)).await
    }
}

impl<T: Reports + Send + Sync> Reports for Stepped<T> {
    async fn put(&self, report: &Report) -> Result<(), PortError> {
        self.1.around(&format!("storing a report of {}", report.list_id()), self.0.put(report)).await
    }

    async fn of_day(&self, list: &ListId, day: Timestamp) -> Result<Vec<Report>, PortError> {
        self.1.around(&format!("reading reports of {list}"), self.0.of_day(list, day)).await
    }
}
