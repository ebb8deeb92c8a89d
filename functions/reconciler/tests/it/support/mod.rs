//! A world in memory in which days pass in milliseconds: a provider, a table, queues and a clock.

pub(crate) mod deposit;
pub(crate) mod item;
pub(crate) mod steps;
pub(crate) mod table;
pub(crate) mod table_state;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use fundhook_credentials::TokenKeeper;
use fundhook_domain::{
    Claim, ClaimKey, Details, EvidencePointer, Feed, ListId, ListKind, Network, NewFact, Resource, ResourceId, Status,
    Timestamp, events_after,
};
use fundhook_ports::ListPage;
use fundhook_ports::fakes::{
    Clock, Fake, ListApi, Queue, ReconciliationTable, ResourceTable, Stepped, Steps, TokenService,
};
use fundhook_providers::{Envelope, ReadingSettings, facts};
use fundhook_reconciliation::{DayReports, PageKey, RunSummary, Watermark};
use fundhook_runtime::metrics::Metrics;
use fundhook_runtime::settings::{OverdueLimits, ReconcileSettings};
use reconciler::{ListReader, Ports, ReconcileError, ReconcileRequest, ReconcileResponse, Reconciler, TokenLists};

use deposit::TestDeposit;
use item::Item;
use table_state::TableState;

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

/// Connect's list of the organization of this feed.
pub(crate) fn transactions(of: &str) -> ListId {
    ListId::new(&feed(of), ListKind::ConnectTransactions)
}

/// The number of a page of a list that has page numbers.
pub(crate) fn number(page: &PageKey) -> u32 {
    match page {
        PageKey::Number(number) => *number,
        PageKey::Cursor(cursor) => unreachable!("{cursor} is not a number"),
    }
}

/// Random numbers of the seed in `FUNDHOOK_TEST_SEED`, or else of a new one, which is printed.
pub(crate) fn seeded() -> fastrand::Rng {
    let given = fundhook_runtime::variable("FUNDHOOK_TEST_SEED");
    let seed = given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("a whole number"));
    eprintln!("FUNDHOOK_TEST_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

/// The page with each row twice.
pub(crate) fn rows_twice(page: ListPage) -> ListPage {
    let rows = page.rows.into_iter().flat_map(|row| [row.clone(), row]).collect();
    ListPage { rows, ..page }
}

/// The ports of a world in memory.
pub(crate) struct InMemory;

impl Ports for InMemory {
    type Tokens = Stepped<Fake<TokenService>>;
    type Connect = Stepped<Fake<ListApi>>;
    type Zerohash = Stepped<Fake<ListApi>>;
    type Resources = Stepped<Fake<ResourceTable>>;
    type ReconciliationStore = Stepped<ReconciliationTable>;
    type Queue = Stepped<Fake<Queue>>;
    type Clock = Box<dyn Fn() -> Timestamp>;
}

/// Noon of a Tuesday: every world begins then.
pub(crate) const NOON: &str = "2025-10-07T12:00:00Z";

/// The time limit of a run, as in the template.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(300);

/// How many rows a page of the list has, unless a test changes it.
const PAGE_SIZE: usize = 50;

/// Everything that a reconciler works with.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) tokens: Fake<TokenService>,
    pub(crate) provider: Fake<ListApi>,
    pub(crate) table: ReconciliationTable,
    pub(crate) ingress: Fake<Queue>,
    pub(crate) settings: ReconcileSettings,
    pub(crate) asks_the_provider: bool,
    pub(crate) metrics: Metrics,
}

impl World {
    /// A world with the default organization and the default settings.
    pub(crate) fn new() -> Self {
        Self::of(&["connect"])
    }

    /// A world with these organizations. A token that is valid for ten years is stored for each of them.
    pub(crate) fn of(feeds: &[&str]) -> Self {
        let clock = Clock::at(at(NOON));
        let feeds = feeds.iter().map(|name| feed(name));
        let feeds_of_connect = feeds.clone().collect();
        let tokens = Fake::new(TokenService::new(clock.clone(), days(3650), feeds.clone()));
        feeds.for_each(|feed| drop(tokens.store_granted(&feed, clock.now())));
        tokens.now().expires_in = days(1);
        Self {
            provider: Fake::<ListApi>::empty(PAGE_SIZE, &tokens),
            tokens,
            table: ReconciliationTable::default(),
            ingress: Fake::default(),
            settings: ReconcileSettings {
                rows_are: fundhook_domain::Provider::Connect,
                feeds: feeds_of_connect,
                grace: minutes(15),
                overlap: hours(1),
                lookback: days(3),
                overdue: OverdueLimits { deposit: days(1), withdrawal: days(1), recovery: days(7) },
                reading: ReadingSettings::default(),
            },
            asks_the_provider: true,
            clock,
            metrics: Metrics::recorded(false),
        }
    }

    /// A reconciler after a cold start.
    pub(crate) fn reconciler(&self) -> Reconciler<InMemory> {
        self.reconciler_with(&Steps::passing())
    }

    /// A reconciler after a cold start, whose calls to ports have these steps.
    pub(crate) fn reconciler_with(&self, steps: &Steps) -> Reconciler<InMemory> {
        fn stepped<T: Clone>(port: &T, steps: &Steps) -> Stepped<T> {
            Stepped(port.clone(), steps.clone())
        }
        let clock = self.clock.clone();
        let feeds = self.tokens.now().known.iter().cloned().collect();
        let keeper = TokenKeeper::new(stepped(&self.tokens, steps), stepped(&self.provider, steps), feeds);
        Reconciler {
            list_reader: ListReader {
                connect: self.asks_the_provider.then(|| TokenLists::new(keeper)),
                zerohash: Some(stepped(&self.provider, steps)),
            },
            resources: stepped(&self.table.resources, steps),
            store: stepped(&self.table, steps),
            ingress: stepped(&self.ingress, steps),
            settings: self.settings.clone(),
            clock: Box::new(move || clock.now()),
            metrics: self.metrics.clone(),
        }
    }

    /// When a run that begins now must have stopped.
    pub(crate) fn deadline(&self) -> Timestamp {
        self.clock.now().plus(TIMEOUT)
    }

    /// A run from a cold start.
    pub(crate) async fn run(&self) -> Result<RunSummary, ReconcileError> {
        self.reconciler().handle(self.deadline()).await
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
        match self.reconciler().answer(ReconcileRequest::ReportDay(day), self.deadline()).await {
            Ok(ReconcileResponse::Reports(reports)) => reports,
            other => unreachable!("reports were requested: {other:?}"),
        }
    }

    /// Processes the queue: normalises, folds, claims and publishes. The reconciler must not have done any of that.
    pub(crate) fn process_queues(&self) {
        assert!(self.table.resources.writes().is_empty(), "the reconciler writes no resources");
        assert_eq!(self.table.receipts.calls(), 0, "the reconciler stores no receipts");
        let now = self.clock.now();
        let envelopes = std::mem::take(&mut self.ingress.now().sent);
        for (line, message) in (0..).zip(&envelopes) {
            let envelope = Envelope::from_json(message).expect("an envelope");
            let archived = EvidencePointer { object: "evidence/v1/x.ndjson.gz".to_owned(), line };
            let facts = facts(&envelope, archived, &self.settings.reading);
            for fact in facts {
                let message = fact.to_message().expect("a message");
                table::record(&self.table, NewFact::from_message(&message).expect("a fact to record"), now);
            }
        }
    }

    /// Puts this message on the ingress queue and processes it.
    pub(crate) fn receive(&self, message: String) {
        self.ingress.now().sent.push(message);
        self.process_queues();
    }

    /// Only these families of webhooks credit: the fund transaction of a coin is converted, and Connect's deposit is not.
    pub(crate) fn crediting(&mut self, families: &str) {
        self.settings.reading.crediting = families.parse().expect("a list of families");
    }

    /// Receives the webhook which says that `deposit` reached `status` now.
    pub(crate) fn send_webhook(&self, deposit: &TestDeposit, status: &str) {
        self.receive(deposit.webhook(status, self.clock.now()));
    }

    /// Adds `deposit` to Connect's list of its organization.
    pub(crate) fn list(&self, deposit: &TestDeposit, succeeded: bool) {
        self.provider.list_row(&transactions(&deposit.feed.to_string()), deposit.row(succeeded));
    }

    /// The stored watermark of a list.
    pub(crate) fn watermark_of(&self, list: &ListId) -> Watermark {
        self.table.contents.now().watermarks.get(list).cloned().expect("a watermark")
    }

    /// Adds `item` to its list.
    pub(crate) fn list_item(&self, item: &Item) {
        self.provider.list_row(&item.list(), item.row());
    }

    /// The recorded status; `-` if there is none.
    pub(crate) fn status_of(&self, id: &ResourceId) -> &'static str {
        let recorded = self.resource(id);
        let owner = recorded.second_name_of().map(|owner| self.resource(owner));
        let view = owner.unwrap_or(recorded).view();
        view.map_or("-", |view| view.status.map_or("none", Status::as_str))
    }

    /// An organization of both providers, whose lists can all be read.
    pub(crate) fn of_all_lists() -> Self {
        let mut world = Self::new();
        world.settings.feeds.insert(feed("zerohash"));
        world.provider.now().signing.insert(feed("zerohash"));
        world
    }

    pub(crate) fn resource(&self, id: &ResourceId) -> Resource {
        self.table.resources.resource(id)
    }

    /// The recorded status of `deposit`; `-` if there is none.
    pub(crate) fn status(&self, deposit: &TestDeposit) -> &'static str {
        self.resource(&deposit.resource()).view().map_or("-", |view| view.status.map_or("none", Status::as_str))
    }

    /// The watermark of Connect's list.
    pub(crate) fn watermark(&self, name: &str) -> Watermark {
        self.table.contents.now().watermarks.get(&transactions(name)).cloned().expect("a watermark")
    }

    /// The ids of all events that follow from what is recorded.
    pub(crate) fn event_ids(&self) -> BTreeSet<String> {
        self.table.resources.resources().iter().flat_map(|it| events_after(it, 0)).map(|event| event.id).collect()
    }

    /// The types of the events that were published about `resource`, in order.
    pub(crate) fn published(&self, resource: &ResourceId) -> Vec<String> {
        let table = self.table.resources.now();
        let events = table.published.iter().filter(|event| event.data.resource == *resource);
        events.map(|event| event.event_type.replace("fundhook.", "")).collect()
    }

    /// Everything that is recorded.
    pub(crate) fn table_state(&self) -> TableState {
        TableState::of(&self.table)
    }

    /// The money-related content of the table.
    pub(crate) fn ledger(&self) -> Ledger {
        let table = self.table.resources.now();
        // A second name has no view.
        let named = table.resources.values().filter(|resource| resource.second_name_of().is_none());
        let entries = named.map(|resource| (resource.id().clone(), Entry::of(resource)));
        let owners = |claim: &Claim| claim.owners().map(|entry| entry.resource.clone()).collect();
        let claims = table.claims.iter().map(|(key, claim)| (key.clone(), owners(claim)));
        Ledger { entries: entries.collect(), claims: claims.collect() }
    }
}

/// The money-related content of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) entries: BTreeMap<ResourceId, Entry>,
    /// For each transaction, the deposits that are credited with its coins.
    pub(crate) claims: BTreeMap<ClaimKey, Vec<ResourceId>>,
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
    pub(crate) credit: String,
}

impl Entry {
    fn of(resource: &Resource) -> Self {
        let view = Arc::unwrap_or_clone(resource.view().expect("a fact"));
        let (conflicting, is_credited) = (view.conflicting().len(), view.is_credited());
        let duplicate_of = view.duplicate_of;
        let transfer = match view.details {
            Details::Transfer(transfer) => *transfer,
            Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => {
                Default::default()
            }
        };
        let major = transfer.quantity.and_then(|quantity| quantity.in_major());
        Self {
            status: view.status.map_or("none", Status::as_str),
            conflicting,
            amount: major.map(|value| value.to_string()),
            asset: transfer.asset,
            network: transfer.network.as_ref().map(Network::slug).map(str::to_owned),
            account: transfer.account,
            transaction: transfer.transaction.hash,
            address: transfer.transaction.to,
            credit: match (is_credited, duplicate_of) {
                (_, Some(owner)) => format!("duplicate of {owner}"),
                (true, None) => "credited".to_owned(),
                (false, None) => "none".to_owned(),
            },
        }
    }
}
