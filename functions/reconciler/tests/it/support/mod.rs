//! A world in memory in which days pass in milliseconds: a provider, a table, queues and a clock.

pub(crate) mod deposit;
pub(crate) mod provider;
pub(crate) mod steps;
pub(crate) mod table;
pub(crate) mod table_state;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fundhook_credentials::TokenKeeper;
use fundhook_domain::{
    Details, EvidencePointer, Feed, Network, NewFact, Ownership, Resource, ResourceId, Timestamp, events_after,
};
use fundhook_ports::{Disposition, PortError, SendMessages, StoredToken};
use fundhook_providers::{Envelope, normalise};
use fundhook_reconciliation::{DayReports, RunSummary, Watermark};
use fundhook_runtime::settings::{OverdueLimits, ReconcileSettings};
use reconciler::{ListReader, Ports, ReconcileError, ReconcileRequest, ReconcileResponse, Reconciler};

use deposit::TestDeposit;
use provider::{Provider, ProviderState, Tokens};
use steps::Steps;
use table::{Contents, Table};
use table_state::TableState;

/// A value with several owners.
pub(crate) struct Shared<T>(Arc<Mutex<T>>);

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

pub(crate) fn failure(why: &'static str) -> PortError {
    PortError::new("do what the test prevents", Disposition::Retry, why)
}

/// The instant of an RFC 3339 text.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("RFC 3339")
}

pub(crate) fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

pub(crate) fn hours(count: u64) -> Duration {
    minutes(60 * count)
}

pub(crate) fn days(count: u64) -> Duration {
    hours(24 * count)
}

/// A feed by its name.
pub(crate) fn feed(name: &str) -> Feed {
    name.parse().expect("a feed")
}

/// A clock that the test sets.
#[derive(Clone)]
pub(crate) struct Clock(Shared<Timestamp>);

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        *self.0.lock()
    }

    pub(crate) fn set(&self, now: Timestamp) {
        *self.0.lock() = now;
    }

    pub(crate) fn pass(&self, duration: Duration) {
        self.set(self.now().plus(duration));
    }
}

/// A queue.
#[derive(Clone)]
pub(crate) struct Queue {
    pub(crate) messages: Shared<Vec<String>>,
    steps: Steps,
    names: [&'static str; 2],
}

impl SendMessages for Queue {
    async fn send_all(&self, bodies: Vec<String>) -> Vec<Result<(), PortError>> {
        let mut outcomes = Vec::new();
        for body in bodies {
            if let Err(failed) = self.steps.reach(self.names[0]).await {
                outcomes.push(Err(failed));
                continue;
            }
            self.messages.lock().push(body);
            outcomes.push(self.steps.reach(self.names[1]).await);
        }
        outcomes
    }
}

/// The ports of a world in memory.
pub(crate) struct InMemory;

impl Ports for InMemory {
    type Tokens = Tokens;
    type Api = Provider;
    type Resources = Table;
    type ReconciliationStore = Table;
    type Queue = Queue;
    type Clock = Box<dyn Fn() -> Timestamp>;
}

/// Noon of a Tuesday: every world begins then.
pub(crate) const NOON: &str = "2025-10-07T12:00:00Z";

/// The time limit of a run, as in the template.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(300);

/// Everything that a reconciler works with.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) provider: Provider,
    pub(crate) tokens: Tokens,
    pub(crate) table: Table,
    pub(crate) ingress: Queue,
    pub(crate) transfers: Queue,
    pub(crate) steps: Steps,
    pub(crate) settings: ReconcileSettings,
    pub(crate) asks_the_provider: bool,
}

impl World {
    /// A world with the default organization and the default settings.
    pub(crate) fn new() -> Self {
        Self::of(&["connect"])
    }

    /// A world with these organizations.
    pub(crate) fn of(feeds: &[&str]) -> Self {
        let (clock, steps) = (Clock(Shared::new(at(NOON))), Steps::default());
        let feeds: Vec<Feed> = feeds.iter().map(|name| feed(name)).collect();
        let token = |feed: &Feed| {
            let (issued_at, expires_at) = (clock.now(), clock.now().plus(days(3650)));
            (feed.clone(), StoredToken { access_token: format!("first-of-{feed}").into(), issued_at, expires_at })
        };
        let accepts: BTreeSet<String> = feeds.iter().map(|feed| format!("first-of-{feed}")).collect();
        let stored = Shared::new(feeds.iter().map(token).collect());
        let queue = |names| Queue { messages: Shared::default(), steps: steps.clone(), names };
        Self {
            tokens: Tokens { stored, leases: Shared::default(), steps: steps.clone() },
            provider: Provider {
                state: Shared::new(ProviderState { accepts, ..ProviderState::default() }),
                feeds,
                clock: clock.clone(),
                steps: steps.clone(),
            },
            table: Table {
                contents: Shared::new(Contents { index_page: 100, ..Contents::default() }),
                steps: steps.clone(),
            },
            ingress: queue(["before a row is queued", "after a row is queued"]),
            transfers: queue(["before a notice is queued", "after a notice is queued"]),
            settings: ReconcileSettings {
                rows_are: fundhook_domain::Provider::Connect,
                zerohash_feeds: BTreeSet::new(),
                grace: minutes(15),
                overlap: hours(1),
                lookback: days(3),
                overdue: OverdueLimits { deposit: days(1), withdrawal: days(1), recovery: days(7) },
            },
            asks_the_provider: true,
            clock,
            steps,
        }
    }

    /// A reconciler after a cold start.
    pub(crate) fn reconciler(&self) -> Reconciler<InMemory> {
        let clock = self.clock.clone();
        let keeper = TokenKeeper::new(self.tokens.clone(), self.provider.clone(), self.provider.feeds.clone());
        let list_reader = self.asks_the_provider.then(|| ListReader::new(keeper));
        Reconciler {
            list_reader,
            resources: self.table.clone(),
            store: self.table.clone(),
            ingress: self.ingress.clone(),
            transfers: self.transfers.clone(),
            settings: self.settings.clone(),
            clock: Box::new(move || clock.now()),
        }
    }

    /// A run from a cold start.
    pub(crate) async fn run(&self) -> Result<RunSummary, ReconcileError> {
        self.reconciler().handle(self.clock.now().plus(TIMEOUT)).await
    }

    /// A run that succeeds; then the queues are processed.
    pub(crate) async fn reconcile(&self) -> RunSummary {
        let summary = self.run().await.expect("a run");
        self.process_queues();
        summary
    }

    /// Lets this much time pass, with a run every 15 minutes. What a run queued is processed before the next one.
    pub(crate) async fn run_for(&self, duration: Duration) {
        let until = self.clock.now().plus(duration);
        while self.clock.now() < until {
            self.clock.pass(minutes(15));
            self.reconcile().await;
        }
    }

    /// The reports of a day, on request.
    pub(crate) async fn reports_of(&self, day: Timestamp) -> DayReports {
        let deadline = self.clock.now().plus(TIMEOUT);
        match self.reconciler().answer(ReconcileRequest::ReportDay(day), deadline).await {
            Ok(ReconcileResponse::Reports(reports)) => reports,
            other => unreachable!("reports were requested: {other:?}"),
        }
    }

    /// Processes both queues: normalises, folds, claims and publishes.
    pub(crate) fn process_queues(&self) {
        let now = self.clock.now();
        let envelopes = std::mem::take(&mut *self.ingress.messages.lock());
        for (line, message) in (0..).zip(&envelopes) {
            let envelope = Envelope::from_json(message).expect("an envelope");
            let archived = EvidencePointer { object: "evidence/v1/x.ndjson.gz".to_owned(), line };
            let statements = normalise(&envelope, archived);
            let messages =
                statements.into_iter().map(|statement| NewFact::from(statement).to_message().expect("a message"));
            self.transfers.messages.lock().extend(messages);
        }
        let statements = std::mem::take(&mut *self.transfers.messages.lock());
        for message in &statements {
            self.table.contents.lock().record(NewFact::from_message(message).expect("a fact to record"), now);
        }
    }

    /// Puts this message on the ingress queue and processes it.
    pub(crate) fn receive(&self, message: String) {
        self.ingress.messages.lock().push(message);
        self.process_queues();
    }

    /// Receives the webhook which says that `deposit` reached `status` now.
    pub(crate) fn send_webhook(&self, deposit: &TestDeposit, status: &str) {
        self.receive(deposit.webhook(status, self.clock.now()));
    }

    /// Adds `deposit` to the organization's list.
    pub(crate) fn list(&self, deposit: &TestDeposit, succeeded: bool) {
        self.provider.list(&deposit.feed.of(fundhook_domain::Provider::Connect), deposit.row(succeeded));
    }

    pub(crate) fn resource(&self, id: &ResourceId) -> Resource {
        let known = self.table.contents.lock().resources.get(id).cloned();
        known.unwrap_or_else(|| Resource::unknown(id.clone()))
    }

    /// The recorded status of `deposit`; `-` if there is none.
    pub(crate) fn status(&self, deposit: &TestDeposit) -> &'static str {
        self.resource(&deposit.resource()).view().map_or("-", |view| view.status.as_str())
    }

    pub(crate) fn watermark(&self, name: &str) -> Watermark {
        self.table.contents.lock().watermarks.get(&feed(name)).cloned().expect("a watermark")
    }

    /// The ids of all events that follow from what is recorded.
    pub(crate) fn event_ids(&self) -> BTreeSet<String> {
        let contents = self.table.contents.lock();
        contents.resources.values().flat_map(|resource| events_after(resource, 0)).map(|event| event.id).collect()
    }

    /// The types of the events that were published about `resource`, in order.
    pub(crate) fn published(&self, resource: &ResourceId) -> Vec<String> {
        let contents = self.table.contents.lock();
        let events = contents.published.iter().filter(|event| event.data.resource == *resource);
        events.map(|event| event.event_type.replace("fundhook.", "")).collect()
    }

    /// Everything that is recorded.
    pub(crate) fn table_state(&self) -> TableState {
        TableState::of(&self.table.contents.lock())
    }

    /// The money-related content of the table.
    pub(crate) fn ledger(&self) -> Ledger {
        let contents = self.table.contents.lock();
        let entries = contents.resources.values().map(|resource| (resource.id().clone(), Entry::of(resource)));
        let claims = contents.claims.iter().map(|(coin, claim)| (coin.clone(), claim.owner.clone()));
        Ledger { entries: entries.collect(), claims: claims.collect() }
    }
}

/// The money-related content of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) entries: BTreeMap<ResourceId, Entry>,
    /// Each coin, and the deposit that owns it.
    pub(crate) claims: BTreeMap<String, ResourceId>,
}

/// What is recorded of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) status: &'static str,
    pub(crate) conflicting: usize,
    pub(crate) amount: Option<String>,
    pub(crate) asset: Option<String>,
    pub(crate) network: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) transaction: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) ownership: String,
}

impl Entry {
    fn of(resource: &Resource) -> Self {
        let view = resource.view().expect("a fact");
        let transfer = match view.details {
            Details::Transfer(transfer) => *transfer,
            Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => {
                Default::default()
            }
        };
        let major = transfer.quantity.and_then(|quantity| quantity.in_major());
        Self {
            status: view.status.as_str(),
            conflicting: view.conflicting.len(),
            amount: major.map(|value| value.to_string()),
            asset: transfer.asset,
            network: transfer.network.as_ref().map(Network::slug).map(str::to_owned),
            account: transfer.account,
            transaction: transfer.transaction.hash,
            address: transfer.transaction.to,
            ownership: match resource.ownership() {
                Ownership::Unclaimed => "unclaimed".to_owned(),
                Ownership::Owner => "owner".to_owned(),
                Ownership::DuplicateOf { owner, after: _ } => format!("duplicate of {owner}"),
            },
        }
    }
}
