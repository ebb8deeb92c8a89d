//! The index queries of reconciliation: open resources by the time of their status, deposits that may be credited, and the
//! resources of a user.

use std::collections::BTreeSet;
use std::time::Duration;

use fundhook_adapters::{ReconciliationTable, ResourceTable, WriteMethod};
use fundhook_domain::WebhookFamily::{ConnectDeposits, ZerohashDepositStatus, ZerohashFund};
use fundhook_domain::{
    FactContent, Feed, HoldForce, HoldReason, Kind, NewFact, Provider, Resource, ResourceId, Statement, Timestamp,
};
use fundhook_ports::{
    AccountResources, IndexPage, OpenQuery, OpenResources, Resources, SettledResources, Write, WriteOutcome,
};

use crate::support::coins::{HASH, OTHER_HASH, THIRD_HASH, confirmed, recorded, unexpected};
use crate::support::{
    Local, TABLE, at, deposit, first_write, id_of, only, read_one, statement, with, write, write_one,
};

const LIMIT: Duration = Duration::from_secs(3600);

/// A DynamoDB for one test, with the resources and the indexes in it.
struct World {
    local: Local,
    resources: ResourceTable,
    store: ReconciliationTable,
}

impl World {
    async fn new(writes: WriteMethod) -> Self {
        let (local, resources) = crate::support::table(writes).await;
        let store = ReconciliationTable::new(&local.aws, TABLE.to_owned());
        Self { local, resources, store }
    }

    async fn store(&self, write: Write) -> Resource {
        let outcome = write_one(&self.resources, write.clone()).await;
        assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
        only(&write).clone()
    }

    /// Records a statement about a coin, with everything that changes with it.
    async fn record(&self, said: Statement) {
        let outcome = write_one(&self.resources, recorded(&self.resources, said).await).await;
        assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
    }

    /// Records the first statement about a resource.
    async fn first(&self, said: Statement) -> Resource {
        self.store(first_write(said)).await
    }

    /// Records a further statement or notice about a resource.
    async fn then(&self, resource: &Resource, fact: impl Into<FactContent>) -> Resource {
        self.store(write(resource, fact)).await
    }

    /// Records many first statements.
    async fn all(&self, said: impl IntoIterator<Item = Statement>) {
        let outcomes = self.resources.write(said.into_iter().map(first_write).collect(), at(0)).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, WriteOutcome::Written)));
    }

    /// The resources of `kind` whose status is older than `before`, page by page.
    async fn pages(&self, kind: Kind, overdue: bool, before: Timestamp) -> Vec<Vec<ResourceId>> {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let query = OpenQuery { kind, overdue, from: None, before, after: after.as_deref(), limit: 100 };
            let page = self.store.open(query).await.expect("the index answers");
            let end = page.entries.last().map(|entry| entry.cursor.clone());
            assert!(page.is_last || end > after, "each page makes progress");
            after = end;
            pages.push(resources(&page));
            if page.is_last {
                return pages;
            }
        }
    }

    /// The open deposits: those that were not reported overdue, and those that were.
    async fn open(&self) -> [Vec<ResourceId>; 2] {
        [
            self.pages(Kind::Deposit, false, at(9999)).await.concat(),
            self.pages(Kind::Deposit, true, at(9999)).await.concat(),
        ]
    }

    /// The feed's deposits of a day that may be credited.
    async fn settled(&self, feed: &str, day: &str) -> BTreeSet<ResourceId> {
        let day: Timestamp = format!("{day}T00:00:00Z").parse().expect("a day");
        self.settled_within(feed, day, day.plus(Duration::from_secs(86_400))).await
    }

    async fn settled_within(&self, feed: &str, from: Timestamp, before: Timestamp) -> BTreeSet<ResourceId> {
        let feed: Feed = feed.parse().expect("a feed");
        let settled = self.store.settled(&feed, Kind::Deposit, from, before).await.expect("the index answers");
        let distinct: BTreeSet<ResourceId> = settled.iter().cloned().collect();
        assert_eq!(distinct.len(), settled.len(), "no duplicates: {settled:?}");
        distinct
    }

    /// Whether the deposit is settled on the first day of the tests.
    async fn is_settled(&self, id: &ResourceId) -> bool {
        self.settled(&id.feed().to_string(), "2025-10-07").await.contains(id)
    }
}

#[tokio::test]
async fn open_resources_of_all_feeds_are_listed_by_kind_oldest_first() {
    let world = World::new(WriteMethod::default()).await;
    let tenant: Feed = "zerohash/acme".parse().expect("a feed");
    let deposits = [deposit("b"), id_of(Kind::Deposit, Provider::Striga, "c"), id_of(Kind::Deposit, tenant, "a")];
    let withdrawal = id_of(Kind::Withdrawal, Provider::Zerohash, "a");
    let recovery = id_of(Kind::Recovery, Provider::Zerohash, "CUST01:USDC:-");
    world.first(statement(&deposits[1], "held", 20, "")).await;
    world.first(statement(&deposits[2], "submitted", 30, "")).await;
    world.first(statement(&deposits[0], "pending", 10, "")).await;
    world.first(statement(&withdrawal, "broadcast", 5, "")).await;
    world.first(statement(&recovery, "required", 5, "")).await;
    world.first(statement(&deposit("ended"), "failed", 5, "")).await;
    world.first(statement(&id_of(Kind::Participant, Provider::Zerohash, "a"), "submitted", 5, "")).await;

    for (kind, expected) in [
        (Kind::Deposit, deposits.to_vec()),
        (Kind::Withdrawal, vec![withdrawal]),
        (Kind::Recovery, vec![recovery]),
        (Kind::Participant, vec![]),
        (Kind::Fee, vec![]),
    ] {
        assert_eq!(world.pages(kind, false, at(9999)).await, [expected], "{kind}");
        assert_eq!(world.pages(kind, true, at(9999)).await, [Vec::new()], "{kind}: nothing was reported overdue");
    }
    // `before` is exclusive: a status with exactly this time is not listed.
    for (seconds, count) in [(0, 0), (10, 0), (11, 1), (20, 1), (21, 2), (30, 2), (31, 3)] {
        let expected = deposits[..count].to_vec();
        assert_eq!(world.pages(Kind::Deposit, false, at(seconds)).await, [expected], "before {seconds}");
    }
}

async fn resources_reported_overdue_are_listed_separately_until_their_status_changes(writes: WriteMethod) {
    let world = World::new(writes).await;
    let (id, other) = (deposit("a"), deposit("b"));
    world.first(statement(&other, "pending", 50, "")).await;
    let mut resource = world.first(statement(&id, "pending", 0, "")).await;
    assert_eq!(world.open().await, [vec![id.clone(), other.clone()], vec![]]);

    for (status, seconds) in [("submitted", 100), ("held", 200)] {
        let notice = NewFact::overdue(&resource, LIMIT).expect("it awaits something");
        resource = world.then(&resource, notice).await;
        assert_eq!(world.open().await, [vec![other.clone()], vec![id.clone()]], "before it is {status}");
        // A late statement does not change it.
        resource = world.then(&resource, statement(&id, "pending", seconds - 50, "late")).await;
        assert_eq!(world.open().await, [vec![other.clone()], vec![id.clone()]], "before it is {status}");
        resource = world.then(&resource, statement(&id, status, seconds, "")).await;
        assert_eq!(world.open().await, [vec![other.clone(), id.clone()], vec![]], "{status}");
        let since = world.pages(Kind::Deposit, false, at(seconds)).await;
        assert_eq!(since, [std::slice::from_ref(&other)], "it has this status since {seconds}");
    }
}

async fn a_session_that_the_user_left_is_not_open_until_money_arrives(writes: WriteMethod) {
    let world = World::new(writes).await;
    for (native, is_reported) in [("a", false), ("b", true)] {
        let id = deposit(native);
        let mut resource = world.first(statement(&id, "pending", 0, "")).await;
        if is_reported {
            let notice = NewFact::overdue(&resource, LIMIT).expect("it awaits something");
            resource = world.then(&resource, notice).await;
        }
        resource = world.then(&resource, statement(&id, "abandoned", 100, "")).await;
        assert_eq!(world.open().await, [vec![], vec![]], "reported overdue: {is_reported}");
        assert!(NewFact::overdue(&resource, LIMIT).is_none());
        resource = world.then(&resource, statement(&id, "held", 200, "")).await;
        assert_eq!(world.open().await, [vec![id.clone()], vec![]], "reported overdue: {is_reported}");
        world.then(&resource, statement(&id, "confirmed", 300, "")).await;
    }
}

async fn a_deposit_that_the_provider_is_done_with_is_not_open(writes: WriteMethod) {
    let world = World::new(writes).await;
    for reason in HoldReason::ALL {
        let id = deposit(reason.as_str());
        let held = with(statement(&id, "held", 0, ""), |details| details.hold = Some(reason.into()));
        let resource = world.first(held).await;
        let [open, overdue] = world.open().await;
        assert_eq!(open.contains(&id), reason.force() == HoldForce::Waiting, "{reason}");
        assert_eq!(overdue, [], "{reason}");
        world.then(&resource, statement(&id, "failed", 10, "")).await;
    }
}

async fn a_final_resource_is_not_open_whether_overdue_or_not(writes: WriteMethod) {
    let world = World::new(writes).await;
    for (native, is_reported) in [("a", false), ("b", true)] {
        let id = deposit(native);
        let mut resource = world.first(statement(&id, "pending", 0, "")).await;
        if is_reported {
            let notice = NewFact::overdue(&resource, LIMIT).expect("it awaits something");
            resource = world.then(&resource, notice).await;
        }
        assert!(world.open().await[usize::from(is_reported)].contains(&id));
        resource = world.then(&resource, statement(&id, "confirmed", 40, "")).await;
        assert_eq!(world.open().await, [vec![], vec![]]);
        world.then(&resource, statement(&id, "submitted", 10, "late")).await;
        assert_eq!(world.open().await, [vec![], vec![]]);
    }
}

/// Deposits whose ids have characters that could break a cursor. Three have the same time.
fn many() -> Vec<Statement> {
    (0..230)
        .map(|number| statement(&deposit(&format!("{number:03} with # and  spaces")), "held", number / 3, ""))
        .collect()
}

#[tokio::test]
async fn the_next_page_of_open_resources_starts_after_the_previous_one() {
    let world = World::new(WriteMethod::default()).await;
    world.all(many()).await;
    let pages = world.pages(Kind::Deposit, false, at(9999)).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 30]);
    let all = pages.concat();
    let expected: BTreeSet<ResourceId> = many().into_iter().map(|said| said.resource).collect();
    assert_eq!((all.len(), all.iter().cloned().collect::<BTreeSet<_>>()), (230, expected));
    let since = |id: &ResourceId| id.native()[..3].parse::<u32>().expect("a number") / 3;
    assert!(all.is_sorted_by_key(since), "oldest first");
    // `before` applies to each page.
    let before = world.pages(Kind::Deposit, false, at(50)).await;
    assert_eq!(before.concat().len(), 150);
    assert!(before.concat().iter().all(|id| since(id) < 50));
}

#[tokio::test]
async fn the_next_page_is_read_even_if_the_last_entry_is_no_longer_open() {
    let world = World::new(WriteMethod::default()).await;
    world.all(many()).await;
    let (kind, before) = (Kind::Deposit, at(9999));
    let not_overdue = OpenQuery { kind, overdue: false, from: None, before, after: None, limit: 100 };
    let first = world.store.open(not_overdue).await.expect("the index answers");
    let last = first.entries.last().expect("a full page");
    let resource = read_one(&world.resources, &last.resource).await;
    world.then(&resource, statement(&last.resource, "confirmed", 500, "")).await;

    let second = world.store.open(OpenQuery { after: Some(&last.cursor), ..not_overdue }).await;
    let (first, second) = (resources(&first), resources(&second.expect("the index answers")));
    let read: BTreeSet<&ResourceId> = first.iter().chain(&second).collect();
    assert_eq!((second.len(), read.len()), (100, 200), "no duplicates and no gaps");
    // An invalid cursor starts from the beginning.
    let anew = world.store.open(OpenQuery { after: Some("nonsense"), ..not_overdue }).await.expect("the index answers");
    assert_eq!(resources(&anew)[..99], first[..99]);
}

fn resources(page: &IndexPage) -> Vec<ResourceId> {
    page.entries.iter().map(|entry| entry.resource.clone()).collect()
}

#[tokio::test]
async fn a_page_has_at_most_the_requested_entries_and_none_before_the_range() {
    let world = World::new(WriteMethod::default()).await;
    world.all(many()).await;
    let all = world.pages(Kind::Deposit, false, at(9999)).await.concat();
    let from = at(20);
    let query =
        OpenQuery { kind: Kind::Deposit, overdue: false, from: Some(from), before: at(9999), after: None, limit: 20 };
    let page = world.store.open(query).await.expect("the index answers");
    let wanted = resources(&page);
    assert_eq!((wanted.len(), page.is_last), (20, false));
    let first = all.iter().position(|id| *id == wanted[0]).expect("one of them");
    assert!(first > 0 && all[first..first + 20] == wanted);
    // A cursor before the requested range is ignored.
    let older = format!("{} {}", at(1).sortable(), all[0]);
    let again = world.store.open(OpenQuery { after: Some(&older), ..query }).await.expect("the index answers");
    assert_eq!(resources(&again), wanted);
    // A page may start after any entry, not only after the last one of a page.
    let after = Some(page.entries[4].cursor.as_str());
    let next = world.store.open(OpenQuery { after, ..query }).await.expect("the index answers");
    assert_eq!(resources(&next), all[first + 5..first + 25]);
}

/// A confirmation of the deposit with this date.
fn confirmed_at(id: &ResourceId, at: &str) -> Statement {
    let mut confirmed = statement(id, "confirmed", 0, at);
    confirmed.content.occurred_at = at.parse().expect("an instant");
    confirmed
}

async fn a_confirmed_deposit_is_settled_on_the_day_of_its_confirmation_in_its_own_feed(writes: WriteMethod) {
    let world = World::new(writes).await;
    let feeds = ["connect", "connect/acme", "zerohash"];
    for feed in feeds {
        let id = |native: &str| id_of(Kind::Deposit, feed.parse::<Feed>().expect("a feed"), native);
        for (native, dated) in [
            ("first", "2025-10-07T00:00:00Z"),
            ("last", "2025-10-07T23:59:59.999999999Z"),
            ("before", "2025-10-06T23:59:59.999999999Z"),
            ("after", "2025-10-08T00:00:00Z"),
            ("elsewhere", "2025-10-08T01:00:00+02:00"),
        ] {
            world.first(confirmed_at(&id(native), dated)).await;
        }
        for (day, natives) in [
            ("2025-10-05", &[][..]),
            ("2025-10-06", &["before"]),
            ("2025-10-07", &["first", "last", "elsewhere"]),
            ("2025-10-08", &["after"]),
        ] {
            let expected: BTreeSet<ResourceId> = natives.iter().map(|native| id(native)).collect();
            assert_eq!(world.settled(feed, day).await, expected, "{feed} {day}");
        }
    }
    // A confirmation with a later date, which supersedes the first one, moves the deposit to its own day.
    let moved = read_one(&world.resources, &deposit("last")).await;
    world.then(&moved, confirmed_at(&deposit("last"), "2025-10-09T10:00:00Z")).await;
    assert!(!world.settled("connect", "2025-10-07").await.contains(&deposit("last")));
    assert_eq!(world.settled("connect", "2025-10-09").await, BTreeSet::from([deposit("last")]));
}

#[tokio::test]
async fn an_hour_of_settled_deposits_includes_its_start_and_excludes_its_end() {
    let world = World::new(WriteMethod::default()).await;
    let dated = [
        ("a", "2025-10-07T18:59:59.999999999Z"),
        ("b", "2025-10-07T19:00:00Z"),
        ("c", "2025-10-07T19:30:00.5Z"),
        ("d", "2025-10-07T19:59:59.999999999Z"),
        ("e", "2025-10-07T20:00:00Z"),
    ];
    world.all(dated.map(|(native, at)| confirmed_at(&deposit(native), at))).await;
    for (from, natives) in [("17", ""), ("18", "a"), ("19", "bcd"), ("20", "e"), ("21", "")] {
        let from: Timestamp = format!("2025-10-07T{from}:00:00Z").parse().expect("an hour");
        let expected = natives.chars().map(|native| deposit(&native.to_string())).collect();
        let within = world.settled_within("connect", from, from.plus(Duration::from_secs(3600))).await;
        assert_eq!(within, expected, "{from}");
    }
}

async fn a_deposit_that_may_not_be_credited_is_not_settled(writes: WriteMethod) {
    let world = World::new(writes).await;
    for status in ["pending", "submitted", "held", "abandoned", "failed", "unexpected"] {
        world.first(statement(&deposit(status), status, 0, "")).await;
    }
    world.first(statement(&id_of(Kind::Withdrawal, Provider::Connect, "out"), "confirmed", 0, "")).await;
    assert_eq!(world.settled("connect", "2025-10-07").await, BTreeSet::new());

    // Deposits that were never creditable.
    let plain = |native: &str| statement(&deposit(native), "confirmed", 0, "");
    let contradiction = |native: &str| statement(&deposit(native), "failed", 50, "");
    let both = crate::support::folded(Resource::unknown(deposit("a")), [plain("a"), contradiction("a")]);
    world.store(Write::of(both, 0)).await;
    for hash in [HASH, OTHER_HASH] {
        world.record(confirmed(ZerohashFund, hash, hash)).await;
    }
    world.record(confirmed(ConnectDeposits, "b", HASH)).await;
    assert_eq!(world.settled("connect", "2025-10-07").await, BTreeSet::new());

    // Deposits that were.
    for (first, news, why) in [
        (plain("c"), contradiction("c"), "its own statements conflict"),
        (plain("d"), confirmed(ConnectDeposits, "d", OTHER_HASH), "its coin is credited as another deposit"),
        (
            confirmed(ConnectDeposits, "e", THIRD_HASH),
            unexpected(ZerohashDepositStatus, "e", THIRD_HASH),
            "another report of its coin contradicts it",
        ),
    ] {
        let id = first.resource.clone();
        world.record(first).await;
        assert!(world.is_settled(&id).await, "{id}");
        world.record(news).await;
        assert!(!world.is_settled(&id).await, "{why}");
        // A later statement does not bring it back.
        world.record(statement(&id, "confirmed", 70, "again")).await;
        assert!(!world.is_settled(&id).await, "{why}, and again");
        let item = world.local.item(&id.to_string()).await.expect("the item");
        assert_eq!((item.get("settled"), item.get("settled_at")), (None, None), "{id}: nothing of it stays");
    }
}

#[tokio::test]
async fn a_deposit_that_is_written_with_the_claim_on_its_coin_is_settled() {
    let world = World::new(WriteMethod::default()).await;
    let id = deposit("a");
    world.first(statement(&id, "pending", 0, "")).await;
    world.record(confirmed(ConnectDeposits, "a", HASH)).await;
    assert_eq!(world.open().await, [vec![], vec![]]);
    assert!(world.is_settled(&id).await);
    world.record(statement(&id, "failed", 50, "")).await;
    assert!(!world.is_settled(&id).await);
}

#[tokio::test]
async fn all_pages_of_settled_deposits_are_read() {
    let world = World::new(WriteMethod::default()).await;
    let ids: Vec<ResourceId> = (0..230).map(|number| deposit(&format!("{number:03}"))).collect();
    world.all(ids.iter().zip(0..).map(|(id, number)| statement(id, "confirmed", number / 3, ""))).await;
    world.all([statement(&id_of(Kind::Deposit, Provider::Zerohash, "a"), "confirmed", 0, "")]).await;
    assert_eq!(world.settled("connect", "2025-10-07").await, BTreeSet::from_iter(ids));
}

#[tokio::test]
async fn the_resources_of_a_user_are_those_written_since() {
    let world = World::new(WriteMethod::default()).await;
    let about = |native: &str, account: &str| {
        with(statement(&deposit(native), "held", 0, ""), |details| details.account = Some(account.to_owned()))
    };
    let said: Vec<Statement> = (0..130).map(|number| about(&format!("{number:03}"), "konto-ä")).collect();
    for (write, seconds) in said.iter().cloned().map(first_write).zip(0..) {
        let written = world.resources.write(vec![write], at(seconds)).await;
        assert!(matches!(written[..], [WriteOutcome::Written]), "{written:?}");
    }
    world.all([about("other", "konto-b"), statement(&deposit("silent"), "held", 0, "")]).await;
    let since = async |account: &str, since| world.store.of_account(account, since).await.expect("the index answers");
    let of = async |account: &str| since(account, at(0)).await;
    let all: Vec<ResourceId> = said.into_iter().map(|said| said.resource).collect();
    assert_eq!(of("konto-ä").await, all, "more than one page of the index");
    assert_eq!(since("konto-ä", at(120)).await, all[120..]);
    assert_eq!(of("konto-b").await, [deposit("other")]);
    assert_eq!(of("unknown").await, []);
}

crate::support::by_statements_and_by_puts! {
    resources_reported_overdue_are_listed_separately_until_their_status_changes,
    a_session_that_the_user_left_is_not_open_until_money_arrives,
    a_deposit_that_the_provider_is_done_with_is_not_open,
    a_final_resource_is_not_open_whether_overdue_or_not,
    a_confirmed_deposit_is_settled_on_the_day_of_its_confirmation_in_its_own_feed,
    a_deposit_that_may_not_be_credited_is_not_settled,
}
