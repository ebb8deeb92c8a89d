//! The table that the simulator and the tests of the functions use answers as the real one does.
//!
//! Both get the same calls, drawn from one seed: writes with versions of now and of before, and reads of everything. To repeat
//! a test run, set `FUNDHOOK_TEST_SEED` to the seed that it printed.

use std::time::Duration;

use fundhook_adapters::{ReconciliationTable, ResourceTable, WriteMethod};
use fundhook_domain::{
    ClaimKey, Feed, Kind, ListId, ListKind, NewFact, Provider, Resource, ResourceId, Stored, Timestamp, WebhookFamily,
};
use fundhook_ports::fakes::{self, ResourceTable as SimulatedResources};
use fundhook_ports::{
    AccountResources, Advance, Claims, OpenQuery, OpenResources, Receipts, Resources, SettledResources, Watermarks,
    Write, WriteOutcome,
};
use fundhook_reconciliation::{Receipt, RowsWithoutWebhook, Watermark, receipt_of};

use crate::support::coins::{HASH, OTHER_HASH, claim_on, of_coin, reported_by};
use crate::support::{Local, TABLE, at, statement, table, with};

/// How many calls are drawn.
const STEPS: usize = 400;

/// How far back a stale writer may have read.
const STALE_MAX: usize = 6;

const FAMILIES: [WebhookFamily; 2] = [WebhookFamily::ConnectDeposits, WebhookFamily::ZerohashDepositStatus];
const ACCOUNTS: [&str; 3] = ["CUST01", "CUST02", "CUST03"];

/// Both tables.
struct Both {
    _local: Local,
    real: ResourceTable,
    real_store: ReconciliationTable,
    simulated: fakes::ReconciliationTable,
    /// What was stored before the last writes, the latest last.
    before: Vec<Snapshot>,
    rng: fastrand::Rng,
}

/// What a writer read.
#[derive(Clone, Default)]
struct Snapshot(Stored);

impl Snapshot {
    fn of(table: &SimulatedResources) -> Self {
        let mut stored = Stored::default();
        table.resources.values().cloned().for_each(|resource| stored.know(resource));
        table.claims.values().cloned().for_each(|claim| stored.know_claim(claim));
        Self(stored)
    }
}

fn rng() -> fastrand::Rng {
    let given = std::env::var("FUNDHOOK_TEST_SEED").ok();
    let seed = given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("a whole number"));
    eprintln!("FUNDHOOK_TEST_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

fn list() -> ListId {
    ListId::new(&Provider::Connect.into(), ListKind::ConnectTransactions)
}

impl Both {
    async fn new(writes: WriteMethod) -> Self {
        let (local, real) = table(writes).await;
        let real_store = ReconciliationTable::new(&local.aws, TABLE.to_owned());
        let (simulated, before) = Default::default();
        Self { _local: local, real, real_store, simulated, before, rng: rng() }
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.rng.usize(..of.len())]
    }

    /// A time of few, so that the bounds of queries are times of statements too.
    fn seconds(&mut self) -> i64 {
        5_000 * i64::from(self.rng.u8(..40))
    }

    /// All deposits that may be written.
    fn ids() -> Vec<ResourceId> {
        let ids = |family| (0..4).map(move |number| reported_by(family, &format!("d-{number}")));
        FAMILIES.into_iter().flat_map(ids).collect()
    }

    /// A statement about some deposit: some of them are about the same coin.
    fn fact(&mut self, step: usize) -> NewFact {
        let family = *self.pick(&FAMILIES);
        let id = reported_by(family, &format!("d-{}", self.rng.u8(..4)));
        let status = *self.pick(&["pending", "submitted", "confirmed", "held", "failed", "unexpected"]);
        let seconds = self.seconds();
        let account = self.pick(&ACCOUNTS).to_string();
        let said = statement(&id, status, seconds, &format!("body {step}"));
        let said = with(said, |details| details.account = Some(account));
        match self.rng.u8(..3) {
            0 => with(said, |details| details.family = Some(family)).into(),
            1 => of_coin(said, family, HASH).into(),
            _ => of_coin(said, family, OTHER_HASH).into(),
        }
    }

    /// Some writer writes what it makes of what it read, now or a while ago.
    async fn write(&mut self, step: usize) {
        let now = Snapshot::of(&self.simulated.resources.now());
        let back = if self.rng.bool() { 0 } else { self.rng.usize(..STALE_MAX) };
        let read = self.before.iter().rev().nth(back.wrapping_sub(1)).cloned().unwrap_or_else(|| now.clone());
        let overdue = self.rng.u8(..8) == 0;
        let resource = self.rng.choice(Self::ids()).and_then(|id| read.0.resource(&id).cloned());
        let notice = resource.filter(|_| overdue).and_then(|it| NewFact::overdue(&it, Duration::from_secs(3600)));
        let fact = notice.unwrap_or_else(|| self.fact(step));
        let Some(write) = read.clone().0.record(&[fact]).expect("a name with an owner") else {
            return;
        };
        let written_at = at(i64::try_from(step).expect("a small number"));
        let real = self.real.write(vec![write.clone()], written_at).await;
        let simulated = self.simulated.resources.write(vec![write.clone()], written_at).await;
        let same = match (real.as_slice(), simulated.as_slice()) {
            ([WriteOutcome::Written], [WriteOutcome::Written]) => {
                self.remember(&write, now, written_at);
                true
            }
            ([WriteOutcome::Lost(real)], [WriteOutcome::Lost(_)]) => {
                let is_current = |it: &Resource| *it == self.simulated.resources.resource(it.id());
                real.as_ref().is_none_or(is_current)
            }
            _ => false,
        };
        assert!(same, "step {step}: {write:?} is {real:?}, and {simulated:?} in the simulation");
    }

    fn remember(&mut self, write: &Write, before: Snapshot, written_at: Timestamp) {
        self.before.push(before);
        write.resources.iter().for_each(|written| self.simulated.index(&written.item, written_at));
    }

    /// Both tables have the same resources and claims.
    async fn compare(&self, step: usize) {
        let ids = Self::ids();
        let [mut real, mut simulated] = [self.real.read(&ids).await, self.simulated.resources.read(&ids).await]
            .map(|read| read.expect("an answer"));
        real.sort_by_key(|resource| resource.id().clone());
        simulated.sort_by_key(|resource| resource.id().clone());
        assert_eq!(real, simulated, "step {step}");

        let keys: Vec<ClaimKey> = [HASH, OTHER_HASH].map(claim_on).into();
        let [mut real, mut simulated] = [self.real_store.claims(&keys).await, self.simulated.claims(&keys).await]
            .map(|claims| claims.expect("an answer"));
        real.sort_by_key(|claim| claim.key().clone());
        simulated.sort_by_key(|claim| claim.key().clone());
        assert_eq!(real, simulated, "step {step}");
    }

    /// Both tables answer the same to a query of an index.
    async fn query(&mut self, step: usize) {
        match self.rng.u8(..3) {
            0 => {
                let overdue = self.rng.bool();
                let [from, before] = [self.seconds(), self.seconds()].map(at);
                let from = Some(from).filter(|from| self.rng.bool() && *from < before);
                let limit = self.rng.u16(1..4);
                let real = open_in(&self.real_store, overdue, from, before, limit).await;
                let simulated = open_in(&self.simulated, overdue, from, before, limit).await;
                assert_eq!(real, simulated, "step {step}: open, overdue {overdue}, from {from:?} before {before}");
            }
            1 => {
                let feed = Feed::from(*self.pick(&[Provider::Connect, Provider::Zerohash]));
                let from = at(self.seconds());
                let day = from.day_start().plus(Duration::from_secs(86_400));
                let before = day.min(from.plus(Duration::from_secs(5_000 * self.rng.u64(1..16))));
                let real = self.real_store.settled(&feed, Kind::Deposit, from, before).await;
                let simulated = self.simulated.settled(&feed, Kind::Deposit, from, before).await;
                let [real, simulated] = [real, simulated].map(|it| sorted(it.expect("an answer")));
                assert_eq!(real, simulated, "step {step}: settled from {from} before {before}");
            }
            _ => {
                let account = *self.pick(&ACCOUNTS);
                let since = at(i64::try_from(self.rng.usize(..=step)).expect("a small number"));
                let real = self.real_store.of_account(account, since).await;
                let simulated = self.simulated.of_account(account, since).await;
                let [real, simulated] = [real, simulated].map(|it| sorted(it.expect("an answer")));
                assert_eq!(real, simulated, "step {step}: of {account} since {since}");
            }
        }
    }

    /// Some reconciler advances the watermark from what it loaded, now or a while ago.
    async fn advance(&mut self, step: usize) {
        let loaded = self.real_store.load(&list()).await.expect("an answer");
        assert_eq!(loaded, self.simulated.load(&list()).await.expect("an answer"), "step {step}");
        let revision = loaded.map_or(0, |watermark| watermark.revision);
        let to = Watermark {
            begins: Some(at(0)),
            revision: (revision + 1).saturating_sub(self.rng.u64(..3)).max(1),
            read_until: at(i64::try_from(step).expect("a small number")),
            window: None,
            totals_until: at(0).day_start(),
            revised_until: None,
            returned_until: None,
            overdue_after: None,
            reported: Vec::new(),
            without_webhook: RowsWithoutWebhook::counted_from(at(0)),
        };
        let real: Advance = self.real_store.advance(&list(), &to).await.expect("an answer");
        let simulated: Advance = self.simulated.advance(&list(), &to).await.expect("an answer");
        assert_eq!(real, simulated, "step {step}: to revision {} after {revision}", to.revision);
    }

    /// Some publisher notes the receipts of some deposit's events.
    async fn note(&mut self, step: usize) {
        let id = self.rng.choice(Self::ids()).expect("a deposit");
        let events = fundhook_domain::events_after(&self.simulated.resources.resource(&id), 0);
        let receipts = events.iter().filter_map(|event| receipt_of(event, at(0)));
        let receipt: Option<Receipt> = self.rng.choice(receipts.collect::<Vec<_>>());
        if let Some(receipt) = receipt {
            let receipts = std::slice::from_ref(&receipt);
            self.real_store.note(receipts).await.expect("it is noted");
            self.simulated.note(receipts).await.expect("it is noted");
        }
        let ids = Self::ids();
        let [mut real, mut simulated] = [self.real_store.receipts(&ids).await, self.simulated.receipts(&ids).await]
            .map(|receipts| receipts.expect("an answer"));
        real.sort_by_key(|receipt| receipt.resource.clone());
        simulated.sort_by_key(|receipt| receipt.resource.clone());
        assert_eq!(real, simulated, "step {step}");
    }
}

fn sorted(mut ids: Vec<ResourceId>) -> Vec<ResourceId> {
    ids.sort();
    ids
}

/// All deposits that the query selects, page by page.
async fn open_in(
    store: &impl OpenResources,
    overdue: bool,
    from: Option<Timestamp>,
    before: Timestamp,
    limit: u16,
) -> Vec<ResourceId> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let query = OpenQuery { kind: Kind::Deposit, overdue, from, before, after: after.as_deref(), limit };
        let page = store.open(query).await.expect("an answer");
        after = page.entries.last().map(|entry| entry.cursor.clone());
        all.extend(page.entries.into_iter().map(|entry| entry.resource));
        if page.is_last {
            return all;
        }
    }
}

async fn both_tables_answer_the_same(writes: WriteMethod) {
    let mut both = Both::new(writes).await;
    for step in 0..STEPS {
        match both.rng.u8(..8) {
            0..4 => both.write(step).await,
            4 => both.compare(step).await,
            5 => both.advance(step).await,
            6 => both.note(step).await,
            _ => both.query(step).await,
        }
    }
    both.compare(STEPS).await;
    let resources = both.simulated.resources.resources();
    assert!(resources.iter().map(Resource::version).sum::<u64>() > 50, "much was written: {}", resources.len());
}

crate::support::by_statements_and_by_puts! {
    both_tables_answer_the_same,
}
