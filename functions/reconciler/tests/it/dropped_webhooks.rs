//! With 30% of the webhooks of Connect and zerohash dropped, the lists bring the table to the same state as with none dropped.
//!
//! To repeat a test run, set `FUNDHOOK_TEST_SEED` to the seed that it printed.
//!
//! What no list tells, and these tests therefore do not compare or drop:
//!
//! - The events about a status that a thing has left before its list was read, where the rows have no history. So the worlds are
//!   compared by what is recorded in the end, what is booked, and how often each final status was published. Where the rows have
//!   a history, the worlds have the same number of events.
//! - Connect's withdrawals, and its deposits that never arrived.
//! - `DEPOSIT_FAILED`, and the webhooks of Striga.
//!
//! When the dropped webhooks arrive late after all, the same number of events is published, with the same postings.

use std::collections::BTreeMap;

use fundhook_domain::{Details, Feed, HoldReason, Kind, ListId, ListKind, Provider, Resource, ResourceId, Timestamp};
use fundhook_ports::fakes::ApiRow;
use fundhook_providers::ReadingSettings;
use serde_json::{Value, json};

use crate::support::deposit::{TestDeposit, deposit, webhook};
use crate::support::{Ledger, World, at, days, hours, minutes, seeded};

const STORIES: usize = 160;
const DROPPED_PERCENT: u32 = 30;

/// What happens to the webhooks that the provider drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drops {
    None,
    ForGood,
    /// They arrive at the end, in any order.
    Late,
}

/// A status of a thing, and whether the provider drops its webhook.
#[derive(Clone, Debug)]
struct Step {
    status: &'static str,
    at: Timestamp,
    is_dropped: bool,
}

impl Step {
    fn milliseconds(&self) -> i64 {
        self.at.unix_seconds() * 1000
    }
}

/// The life of a thing of one list.
#[derive(Clone, Debug)]
struct Story {
    list: ListKind,
    id: String,
    account: String,
    amount: String,
    begins: Timestamp,
    steps: Vec<Step>,
}

/// The ways that the things of a list go.
fn ways(list: ListKind) -> &'static [&'static [&'static str]] {
    match list {
        ListKind::ConnectTransactions => {
            &[&["pending", "confirmed"], &["pending", "submitted", "confirmed"], &["confirmed"]]
        }
        ListKind::FundTransactions => {
            &[&["success"], &["match_pending", "success"], &["match_pending", "match_failed"], &["not_supported"]]
        }
        ListKind::Deposits => &[
            &["initial", "confirmed", "completed"],
            &["confirmed", "pending_compliance_review", "completed"],
            &["confirmed", "pending_settlement", "quarantined"],
            &["initial", "recovery_quarantine"],
        ],
        ListKind::Payments => &[
            &["initialized", "submitted", "posted", "settled"],
            &["submitted", "posted", "failed"],
            &["initialized", "abandoned"],
            &["submitted", "pending", "posted", "settled"],
        ],
        ListKind::BankPayments => {
            &[&["submitted", "posted", "settled"], &["submitted", "rejected"], &["submitted", "settled", "returned"]]
        }
        ListKind::Participants => {
            &[&["submitted", "approved"], &["submitted", "rejected"], &["submitted", "approved", "locked", "disabled"]]
        }
        ListKind::ExternalAccounts => {
            &[&["pending", "approved"], &["pending", "rejected"], &["pending", "approved", "closed"]]
        }
        // Its statuses are its amounts.
        ListKind::Accounts => &[&["10", "0.5"], &["7"], &["1", "2", "3"]],
    }
}

impl Story {
    fn any(rng: &mut fastrand::Rng, nth: usize) -> Self {
        let lists = ListKind::ALL;
        let list = lists[nth % lists.len()];
        let way = ways(list)[(nth / lists.len()) % ways(list).len()];
        // After the hour of the first run, which is not totalled.
        let begins = at(crate::support::NOON).plus(hours(1)).plus(minutes(rng.u64(1..300)));
        let mut then = begins;
        let steps: Vec<Step> = way
            .iter()
            .enumerate()
            .map(|(step, status)| {
                if step > 0 {
                    then = then.plus(minutes(rng.u64(1..60)));
                }
                // All webhooks of the first things of each list are dropped.
                Step { status, at: then, is_dropped: nth < 2 * lists.len() || rng.u32(..100) < DROPPED_PERCENT }
            })
            .collect();
        Self {
            list,
            id: format!("{list}-{nth}"),
            account: format!("CUST{:02}", rng.u32(..20)),
            amount: format!("{}.{:06}", rng.u64(1..10_000), rng.u64(1..1_000_000)),
            begins,
            steps,
        }
    }

    fn feed(&self) -> Feed {
        self.list.provider().into()
    }

    fn resource(&self) -> ResourceId {
        let named = [&self.account, &self.account, &self.id, "available", "USDC.BASE"];
        let is_balance = self.list.contains() == Kind::Balance;
        let native = if is_balance { ReadingSettings::default().id_key.name(&named) } else { self.id.clone() };
        ResourceId::new(self.list.contains(), self.feed(), &native).expect("a valid id")
    }

    /// The deposit of Connect.
    fn deposit(&self) -> TestDeposit {
        TestDeposit { amount: self.amount.clone(), account: self.account.clone(), ..deposit(&self.id, self.begins) }
    }

    fn hash(&self) -> String {
        fundhook_domain::digest_hex(self.id.as_bytes())
    }

    fn webhook(&self, step: &Step) -> String {
        let body = match self.list {
            ListKind::ConnectTransactions => return self.deposit().webhook(step.status, step.at),
            ListKind::FundTransactions => self.fund(step),
            ListKind::Deposits => json!({
                "deposit_id": self.id, "participant_code": self.account, "transaction_hash": self.hash(),
                "state": step.status, "asset": "USDC.BASE", "amount": self.amount, "received_address": "0xbb02",
                "timestamp": step.at.unix_seconds(),
            }),
            ListKind::Payments => self.payment(step),
            ListKind::BankPayments => json!({
                "transaction_id": self.id, "payment_status": step.status, "participant_code": self.account,
                "amount": self.amount, "asset": "USD", "type": "credit", "timestamp": step.at.unix_seconds() * 1000,
            }),
            ListKind::Participants => json!({
                "participant_code": self.id, "participant_status": step.status, "timestamp": step.milliseconds(),
            }),
            ListKind::ExternalAccounts => json!({
                "external_account_id": self.id, "participant_code": self.account,
                "external_account_status": step.status, "timestamp": step.milliseconds(),
            }),
            ListKind::Accounts => json!({
                "participant_code": self.account, "account_group": self.account, "account_label": self.id,
                "account_type": "available", "asset": "USDC.BASE", "balance": step.status,
                "timestamp": step.milliseconds(),
            }),
        };
        webhook(&self.feed(), &body.to_string(), step.at)
    }

    /// The row when `step` is the newest; `None` if the list does not have the thing then.
    fn row(&self, step: &Step) -> Option<ApiRow> {
        let row = match self.list {
            ListKind::ConnectTransactions => {
                return (step.status == "confirmed").then(|| self.deposit().row_since(true, step.at));
            }
            ListKind::FundTransactions => self.fund(step),
            ListKind::Deposits => json!({
                "depositId": self.id, "participantCode": self.account, "transactionHash": self.hash(),
                "state": step.status, "asset": "USDC.BASE", "amount": self.amount, "receivedAddress": "0xbb02",
                "history": self.history(step, "toState"),
            }),
            ListKind::Payments => self.payment(step),
            ListKind::BankPayments => json!({
                "transaction_id": self.id, "status": step.status, "participant_code": self.account,
                "amount": self.amount, "asset": "USD", "type": "credit", "timestamp": step.at.unix_seconds() * 1000,
                "status_history": self.history(step, "status"),
            }),
            ListKind::Participants => json!({
                "participant_code": self.id, "status": step.status, "updated_at": step.milliseconds(),
            }),
            ListKind::ExternalAccounts => json!({
                "external_account_id": self.id, "participant_code": self.account, "status": step.status,
                "created_at": self.begins, "updated_at": step.at,
            }),
            ListKind::Accounts => json!({
                "account_owner": self.account, "account_group": self.account, "account_label": self.id,
                "account_type": "available", "asset": "USDC.BASE", "balance": step.status,
                "last_update": step.milliseconds(),
            }),
        };
        Some(ApiRow { at: self.begins, id: self.id.clone(), json: row.to_string() })
    }

    /// The statuses up to `step`, newest first, with the member that names one.
    fn history(&self, step: &Step, member: &str) -> Value {
        let until = self.steps.iter().rev().skip_while(|other| other.at > step.at);
        until.map(|step| json!({ member: step.status, "timestamp": step.at })).collect()
    }

    fn fund(&self, step: &Step) -> Value {
        let reason = match step.status {
            "match_pending" => "deposit received, however the Travel Rule-based account match has not completed",
            "match_failed" => "Travel Rule-based account match failed",
            "not_supported" => "asset deposited is not supported by the fund workflow",
            _ => "",
        };
        json!({
            "fund_id": self.id, "participant_code": self.account, "fund_asset": "USDC.BASE", "rate": "1",
            "quoted_currency": "USD", "quantity": self.amount, "notional": self.amount,
            "transaction_id": self.hash(), "deposit_address": "0xbb02", "account_label": "general",
            "success": step.status == "success", "status_reason": reason,
            "deposit_timestamp": self.begins.unix_seconds() * 1000, "fund_timestamp": step.at.unix_seconds() * 1000,
        })
    }

    fn payment(&self, step: &Step) -> Value {
        // Every other payment returns an unexpected deposit. `updated_at` equals `created_at` in all samples.
        let returns = self.id.ends_with(['1', '3', '5', '7', '9']);
        json!({
            "payment_id": self.id, "payment_type": if returns { "auth_withdrawal" } else { "payout" },
            "status": step.status, "participant_code": self.account,
            "payment_details": { "withdrawal_request_id": format!("request-of-{}", self.id), "network_fee_quantity": ".5" },
            "total": self.amount, "quantity": "", "asset": "USDC", "network": "BASE",
            "created_at": self.begins, "updated_at": self.begins,
        })
    }
}

/// Plays the stories with a run of the reconciler every 15 minutes.
async fn world_of(stories: &[Story], drops: Drops, rng: &mut fastrand::Rng) -> World {
    let mut world = World::of_all_lists();
    (world.settings.overdue.deposit, world.settings.overdue.withdrawal) = (hours(3), hours(3));
    world.reconcile().await;
    let (mut then, mut dropped) = (world.clock.now(), Vec::new());
    while then < at("2025-10-08T03:00:00Z") {
        world.clock.pass(minutes(15));
        let now = world.clock.now();
        let mut messages = Vec::new();
        for story in stories {
            for step in story.steps.iter().filter(|step| (then..now).contains(&step.at)) {
                let list = ListId::new(&story.feed(), story.list);
                story.row(step).into_iter().for_each(|row| world.provider.list_row(&list, row));
                let is_lost = step.is_dropped && drops != Drops::None;
                if is_lost { dropped.push(story.webhook(step)) } else { messages.push(story.webhook(step)) }
            }
        }
        rng.shuffle(&mut messages);
        messages.into_iter().for_each(|message| world.receive(message));
        world.reconcile().await;
        then = now;
    }
    if drops == Drops::Late {
        rng.shuffle(&mut dropped);
        dropped.into_iter().for_each(|message| world.receive(message));
    }
    // What a bank returned after it had settled is found when its hour is totalled a second time.
    world.run_for(days(3)).await;
    world
}

/// What each resource books.
fn books(world: &World) -> BTreeMap<ResourceId, String> {
    let recorded = world.table.resources.resources();
    let books = |resource: &Resource| {
        let view = resource.view()?;
        Some((resource.id().clone(), format!("{:?}", view.books(resource.id()).postings())))
    };
    recorded.iter().filter_map(books).collect()
}

/// Why each deposit is held that is held.
fn holds(world: &World) -> BTreeMap<ResourceId, HoldReason> {
    let recorded = world.table.resources.resources();
    let hold = |resource: &Resource| match &resource.view()?.details {
        Details::Transfer(transfer) => transfer.hold.as_ref().map(|hold| (resource.id().clone(), hold.reason)),
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    };
    recorded.iter().filter_map(hold).collect()
}

/// What the postings of all published events of each resource add up to.
fn posted(world: &World) -> BTreeMap<ResourceId, String> {
    let table = world.table.resources.now();
    let mut sums: BTreeMap<ResourceId, BTreeMap<(String, String), fundhook_domain::DecimalValue>> = BTreeMap::new();
    for event in &table.published {
        let event = serde_json::to_value(event).expect("an event");
        let resource: ResourceId = event["data"]["resource"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        let of_resource = sums.entry(resource).or_default();
        for posting in event["data"]["postings"].as_array().into_iter().flatten() {
            let text = |name: &str| posting[name].as_str().expect("a text").to_owned();
            let value: fundhook_domain::DecimalValue = text("value").parse().expect("a decimal");
            let sum = of_resource
                .entry((text("ledger_account"), text("asset")))
                .or_insert_with(fundhook_domain::DecimalValue::zero);
            *sum = if text("direction") == "debit" { sum.clone() + &value } else { sum.clone() - &value };
        }
    }
    let zero = fundhook_domain::DecimalValue::zero();
    sums.into_iter()
        .map(|(id, lines)| (id, format!("{:?}", lines.into_iter().filter(|(_, sum)| *sum != zero).collect::<Vec<_>>())))
        .collect()
}

/// How often each resource was published in a final status.
fn finals(world: &World, ledger: &Ledger) -> BTreeMap<ResourceId, (String, usize)> {
    let table = world.table.resources.now();
    let of = |id: &ResourceId, status: &str| {
        let event_type = format!("fundhook.{}.{status}", id.kind());
        table.published.iter().filter(|event| event.data.resource == *id && event.event_type == event_type).count()
    };
    // A deposit may be held for one reason after another, a recovery has no end, and a balance has one status.
    let has_end = |id: &ResourceId| !matches!(id.kind(), Kind::Recovery | Kind::Balance);
    let ended = ledger.entries.iter().filter(|(id, entry)| has_end(id) && entry.status != "held");
    ended.map(|(id, entry)| (id.clone(), (entry.status.to_owned(), of(id, entry.status)))).collect()
}

/// How many events there are about each resource. A notice that it is overdue does not count.
fn events(world: &World) -> BTreeMap<ResourceId, usize> {
    let about =
        |resource: &Resource| world.published(resource.id()).iter().filter(|of| !of.ends_with("overdue")).count();
    world.table.resources.resources().iter().map(|resource| (resource.id().clone(), about(resource))).collect()
}

/// Asserts that both maps are equal, and shows only where they are not.
fn assert_same<T: std::fmt::Debug + PartialEq>(
    what: &str,
    found: &BTreeMap<ResourceId, T>,
    expected: &BTreeMap<ResourceId, T>,
) {
    let ids = found.keys().chain(expected.keys()).collect::<std::collections::BTreeSet<_>>();
    let different = ids.into_iter().filter(|id| found.get(*id) != expected.get(*id));
    let shown: Vec<String> =
        different.map(|id| format!("{id}: found {:?}, expected {:?}", found.get(id), expected.get(id))).collect();
    assert!(shown.is_empty(), "{what} differ:\n{}", shown.join("\n"));
}

#[tokio::test]
async fn dropped_webhooks_are_reconciled_until_everything_is_as_if_none_had_been_dropped() {
    let mut rng = seeded();
    let stories: Vec<Story> = (0..STORIES).map(|nth| Story::any(&mut rng, nth)).collect();
    let calm = world_of(&stories, Drops::None, &mut rng).await;
    let reconciled = world_of(&stories, Drops::ForGood, &mut rng).await;
    for story in &stories {
        let (expected, found) = (calm.status_of(&story.resource()), reconciled.status_of(&story.resource()));
        assert_eq!(found, expected, "{story:?}");
    }
    assert_same("entries", &reconciled.ledger().entries, &calm.ledger().entries);
    // A claim remembers the deposits that it released: a status that was left again.
    let owned =
        |world: &World| world.ledger().claims.into_iter().filter(|(_, owners)| !owners.is_empty()).collect::<Vec<_>>();
    assert_eq!(owned(&reconciled), owned(&calm));
    assert_same("reasons for holds", &holds(&reconciled), &holds(&calm));
    assert_same("books", &books(&reconciled), &books(&calm));
    assert_same("postings", &posted(&reconciled), &posted(&calm));
    let finals_of = |world: &World| finals(world, &world.ledger());
    assert_same("final events", &finals_of(&reconciled), &finals_of(&calm));

    let has_history = |id: &ResourceId| {
        let of_id = stories.iter().find(|story| story.resource() == *id);
        of_id.is_some_and(|story| matches!(story.list, ListKind::Deposits | ListKind::BankPayments))
    };
    let told = |world: &World| events(world).into_iter().filter(|(id, _)| has_history(id)).collect();
    assert_same("numbers of events about what has a history", &told(&reconciled), &told(&calm));

    let late = world_of(&stories, Drops::Late, &mut rng).await;
    assert_same("entries", &late.ledger().entries, &calm.ledger().entries);
    assert_same("books", &books(&late), &books(&calm));
    assert_same("postings", &posted(&late), &posted(&calm));
    assert_same("numbers of events", &events(&late), &events(&calm));
}

/// A payment that settled, which its bank returns `after` it began. Of both webhooks, only the first arrives.
async fn returned_by_its_bank(after: std::time::Duration) -> (World, ResourceId) {
    let begins = at(crate::support::NOON).plus(hours(1));
    let step = |status, at, is_dropped| Step { status, at, is_dropped };
    let steps = vec![step("settled", begins, false), step("returned", begins.plus(after), true)];
    let (id, account) = ("returned".to_owned(), "CUST01".to_owned());
    let story = Story { list: ListKind::BankPayments, id, account, amount: "25.5".to_owned(), begins, steps };
    let world = World::of_all_lists();
    world.reconcile().await;
    let list = ListId::new(&Provider::Zerohash.into(), story.list);
    for step in &story.steps {
        world.clock.set(step.at.max(world.clock.now()));
        story.row(step).into_iter().for_each(|row| world.provider.list_row(&list, row));
        if !step.is_dropped {
            world.receive(story.webhook(step));
        }
        world.run_for(hours(6)).await;
        // The hour is totalled a second time before its bank returns the payment.
        world.clock.pass(days(4));
        world.run_for(hours(6)).await;
    }
    let resource = story.resource();
    (world, resource)
}

#[tokio::test]
async fn a_payment_that_its_bank_returns_weeks_later_is_found_when_no_bank_can_return_it_any_more() {
    let (world, payment) = returned_by_its_bank(days(60)).await;
    let status = |world: &World| world.resource(&payment).view().and_then(|view| view.status);
    assert_eq!(status(&world).map(|status| status.as_str()), Some("confirmed"), "its webhook was dropped");
    world.clock.set(at(crate::support::NOON).plus(days(70)));
    world.run_for(hours(12)).await;
    assert_eq!(status(&world).map(|status| status.as_str()), Some("returned"));
    let events = world.published(&payment);
    assert_eq!(events.len(), 2, "{events:?}");
}
