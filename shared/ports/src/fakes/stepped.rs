//! Ports whose calls can be stopped or failed before and after they take effect.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_domain::{
    Claim, ClaimKey, Event, Fact, Feed, Kind, ListId, Provider, Resource, ResourceId, SimilarDeposits, SimilarKey,
    Timestamp,
};
use fundhook_reconciliation::{MovementsMark, Receipt, Report, Watermark};
use secrecy::SecretString;

use super::Steps;
use crate::{
    AccessTokens, AccountResources, Advance, ApiAccessError, Archive, CheckApiAccess, Claims, FactPages, FetchKeySet,
    FetchedKeySet, GrantedToken, IndexPage, KeySets, Lease, ListError, ListPage, ListQuery, ListSigned, ListWithToken,
    MovementsMarks, OpenQuery, OpenResources, PortError, ProviderClock, PublishEvents, QueueMessage, ReadSecret,
    Receipts, Reports, RequestToken, Resources, SendMessage, SendMessages, SettledResources, StoredKeySet, StoredToken,
    Watermarks, Write, WriteOutcome,
};

/// What happens around each call to a port: it may wait, fail, or never end.
pub trait Around: Send + Sync {
    /// Makes the call named `call`, which does `effect`.
    fn around<T: Send, E: From<PortError> + Send>(
        &self,
        call: &str,
        effect: impl Future<Output = Result<T, E>> + Send,
    ) -> impl Future<Output = Result<T, E>> + Send;
}

/// A port with something around each call: by default, a step before and a step after it. A call that sends or writes several
/// things has it around each of them, as a real one may fail between two.
#[derive(Clone, Debug)]
pub struct Stepped<T, A = Steps>(pub T, pub A);

impl<T: KeySets + Send + Sync, A: Around> KeySets for Stepped<T, A> {
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

impl<T: FetchKeySet + Send + Sync, A: Around> FetchKeySet for Stepped<T, A> {
    async fn fetch(&self, feed: &Feed, etag: Option<&str>) -> Result<FetchedKeySet, PortError> {
        self.1.around(&format!("fetching the set of {feed}"), self.0.fetch(feed, etag)).await
    }

    fn url(&self, feed: &Feed) -> Option<String> {
        self.0.url(feed)
    }
}

impl<T: AccessTokens + Send + Sync, A: Around> AccessTokens for Stepped<T, A> {
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

impl<T: RequestToken + Send + Sync, A: Around> RequestToken for Stepped<T, A> {
    async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        self.1.around("reading the credentials", self.0.feeds()).await
    }

    async fn request(&self, feed: &Feed) -> Result<GrantedToken, PortError> {
        self.1.around(&format!("granting the token of {feed}"), self.0.request(feed)).await
    }
}

impl<T: CheckApiAccess + Send + Sync, A: Around> CheckApiAccess for Stepped<T, A> {
    async fn provider_clock(&self) -> Result<ProviderClock, ApiAccessError> {
        self.1.around("asking for the provider's time", self.0.provider_clock()).await
    }

    async fn feeds(&self) -> Result<Vec<Feed>, ApiAccessError> {
        self.1.around("reading the API keys", self.0.feeds()).await
    }

    async fn read(&self, feed: &Feed) -> Result<(), ApiAccessError> {
        self.1.around(&format!("checking the access of {feed}"), self.0.read(feed)).await
    }
}

impl<T: ListWithToken + Send + Sync, A: Around> ListWithToken for Stepped<T, A> {
    async fn list(&self, list: &ListId, token: &SecretString, query: &ListQuery) -> Result<ListPage, ListError> {
        self.1.around(&format!("reading {list}"), self.0.list(list, token, query)).await
    }
}

impl<T: ListSigned + Send + Sync, A: Around> ListSigned for Stepped<T, A> {
    async fn lists(&self) -> Result<Vec<ListId>, PortError> {
        self.1.around("reading the API keys", self.0.lists()).await
    }

    async fn list(&self, list: &ListId, query: &ListQuery) -> Result<ListPage, PortError> {
        self.1.around(&format!("reading {list}"), self.0.list(list, query)).await
    }
}

impl<T: SendMessage + Send + Sync, A: Around> SendMessage for Stepped<T, A> {
    async fn send(&self, message: QueueMessage) -> Result<(), PortError> {
        self.1.around("sending a message", self.0.send(message)).await
    }
}

impl<T: Archive + Send + Sync, A: Around> Archive for Stepped<T, A> {
    async fn put(&self, key: &str, content: Vec<u8>) -> Result<(), PortError> {
        self.1.around("storing an object", self.0.put(key, content)).await
    }
}

impl<T: ReadSecret + Send + Sync, A: Around> ReadSecret for Stepped<T, A> {
    async fn read(&self, provider: Provider) -> Result<SecretString, PortError> {
        self.1.around(&format!("reading the secrets of {provider}"), self.0.read(provider)).await
    }
}

impl<T: FactPages + Send + Sync, A: Around> FactPages for Stepped<T, A> {
    async fn paged_facts(&self, id: &ResourceId, pages: u32) -> Result<Vec<Fact>, PortError> {
        self.1.around("reading pages of facts", self.0.paged_facts(id, pages)).await
    }
}

impl<T: PublishEvents + Send + Sync, A: Around> PublishEvents for Stepped<T, A> {
    fn keeps_order(&self) -> bool {
        self.0.keeps_order()
    }

    async fn publish(&self, events: &[Event]) -> Vec<Result<(), PortError>> {
        let mut outcomes = Vec::with_capacity(events.len());
        for event in events {
            let publishing = async { self.0.publish(std::slice::from_ref(event)).await.into_iter().collect() };
            outcomes.push(self.1.around("publishing an event", publishing).await);
        }
        outcomes
    }
}

impl<T: SendMessages + Send + Sync, A: Around> SendMessages for Stepped<T, A> {
    async fn send_all(&self, messages: Vec<QueueMessage>) -> Vec<Result<(), PortError>> {
        let mut outcomes = Vec::with_capacity(messages.len());
        for message in messages {
            let sending = async { self.0.send_all(vec![message]).await.into_iter().collect() };
            outcomes.push(self.1.around("sending a message", sending).await);
        }
        outcomes
    }
}

impl<T: Resources + Send + Sync, A: Around> Resources for Stepped<T, A> {
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

impl<T: Claims + Send + Sync, A: Around> Claims for Stepped<T, A> {
    async fn claims(&self, keys: &[ClaimKey]) -> Result<Vec<Claim>, PortError> {
        self.1.around("reading claims", self.0.claims(keys)).await
    }

    async fn similar(&self, keys: &[SimilarKey]) -> Result<Vec<SimilarDeposits>, PortError> {
        self.1.around("reading similar deposits", self.0.similar(keys)).await
    }
}

impl<T: Receipts + Send + Sync, A: Around> Receipts for Stepped<T, A> {
    async fn note(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        self.1.around("noting receipts", self.0.note(receipts)).await
    }

    async fn receipts(&self, resources: &[ResourceId]) -> Result<Vec<Receipt>, PortError> {
        self.1.around("reading receipts", self.0.receipts(resources)).await
    }
}

impl<T: Watermarks + Send + Sync, A: Around> Watermarks for Stepped<T, A> {
    async fn load(&self, list: &ListId) -> Result<Option<Watermark>, PortError> {
        self.1.around(&format!("reading the watermark of {list}"), self.0.load(list)).await
    }

    async fn advance(&self, list: &ListId, to: &Watermark) -> Result<Advance, PortError> {
        self.1.around(&format!("advancing the watermark of {list}"), self.0.advance(list, to)).await
    }
}

impl<T: MovementsMarks + Send + Sync, A: Around> MovementsMarks for Stepped<T, A> {
    async fn movements_mark(&self) -> Result<Option<MovementsMark>, PortError> {
        self.1.around("reading the mark of movements", self.0.movements_mark()).await
    }

    async fn advance_movements_mark(&self, to: &MovementsMark) -> Result<Advance, PortError> {
        self.1.around("advancing the mark of movements", self.0.advance_movements_mark(to)).await
    }
}

impl<T: OpenResources + Send + Sync, A: Around> OpenResources for Stepped<T, A> {
    async fn open(&self, query: OpenQuery<'_>) -> Result<IndexPage, PortError> {
        self.1.around("reading open resources", self.0.open(query)).await
    }
}

impl<T: SettledResources + Send + Sync, A: Around> SettledResources for Stepped<T, A> {
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

impl<T: AccountResources + Send + Sync, A: Around> AccountResources for Stepped<T, A> {
    async fn of_account(&self, account: &str, since: Timestamp) -> Result<Vec<ResourceId>, PortError> {
        self.1.around("reading resources of an account", self.0.of_account(account, since)).await
    }
}

impl<T: Reports + Send + Sync, A: Around> Reports for Stepped<T, A> {
    async fn put(&self, report: &Report) -> Result<(), PortError> {
        self.1.around(&format!("storing a report of {}", report.list_id()), self.0.put(report)).await
    }

    async fn of_day(&self, list: &ListId, day: Timestamp) -> Result<Vec<Report>, PortError> {
        self.1.around(&format!("reading reports of {list}"), self.0.of_day(list, day)).await
    }
}
