//! One coin, one credit: the first deposit to claim a coin is credited, and every other deposit of the coin is a duplicate.

use std::collections::BTreeSet;

use aws_lambda_events::sqs::SqsBatchResponse;
use fundhook_domain::{
    Attestation, Claim, Details, Event, EvidenceClass, Kind, Network, Resource, ResourceId, Scheme, Statement,
    Transaction, TransferDetails, WebhookFamily, events_after,
};
use fundhook_ports::fakes::Fate;
use state_updater::{ATTEMPTS_MAX, StateUpdater};

use crate::support::disturbed::{Disturbance, handled_until_acknowledged, no_pause, overtaken_by};
use crate::support::{Table, at, batch_of, failed, statement, statement_of};

/// How a webhook family reports the coin.
#[derive(Clone, Copy, Debug)]
struct Reporter {
    feed: &'static str,
    family: WebhookFamily,
    network: Option<&'static str>,
    hash: Option<&'static str>,
    address: &'static str,
}

const CONNECT: Reporter = Reporter {
    feed: "connect",
    family: WebhookFamily::ConnectDeposits,
    network: Some("ethereum"),
    hash: Some("0xCD9e98ae"),
    address: "0x34f53Aea",
};
const FUND: Reporter = Reporter { feed: "zerohash", family: WebhookFamily::ZerohashFund, ..CONNECT };

impl Reporter {
    fn deposit(self, native: &str) -> ResourceId {
        let feed: fundhook_domain::Feed = self.feed.parse().expect("a feed");
        ResourceId::new(Kind::Deposit, feed, native).expect("a valid id")
    }

    /// The deposit `native` of the coin reached the status `name`.
    fn says(self, native: &str, name: &str, seconds: i64) -> Statement {
        let hash = self.hash.map(str::to_owned);
        let details = TransferDetails {
            asset: Some("USDC".to_owned()),
            network: self.network.map(Network::named),
            transaction: Transaction { hash, to: Some(self.address.to_owned()), ..Transaction::default() },
            family: Some(self.family),
            ..TransferDetails::default()
        };
        statement_of(self.deposit(native), name, seconds, Details::Transfer(Box::new(details)))
    }

    fn confirms(self, native: &str) -> Statement {
        self.says(native, "confirmed", 40)
    }
}

async fn handled(table: &Table, statements: &[Statement]) -> SqsBatchResponse {
    StateUpdater::new(table.clone(), no_pause).handle(batch_of(statements), at(100)).await
}

/// A table after these were handled, one after the other.
async fn table_after(statements: &[Statement]) -> Table {
    let table = Table::default();
    for statement in statements {
        assert!(failed(&handled(&table, std::slice::from_ref(statement)).await).is_empty());
    }
    table
}

fn stored(table: &Table, id: &ResourceId) -> Resource {
    table.now().resources.get(id).cloned().expect("it is stored")
}

/// The deposit that is credited with a coin of the first transaction.
fn owner(table: &Table) -> Option<ResourceId> {
    let contents = table.now();
    let owners = contents.claims.values().flat_map(Claim::owners);
    owners.map(|entry| entry.resource.clone()).next()
}

fn is_credited(table: &Table, id: &ResourceId) -> bool {
    stored(table, id).view().is_some_and(|view| view.is_credited())
}

/// The deposit that is credited in place of `id`.
fn duplicate_of(table: &Table, id: &ResourceId) -> Option<ResourceId> {
    stored(table, id).view().and_then(|view| view.duplicate_of.clone())
}

/// The types of the events published about `id`, without the common prefix.
fn published(table: &Table, id: &ResourceId) -> Vec<String> {
    let contents = table.now();
    let of_it = contents.published.iter().filter(|event| event.data.resource == *id);
    of_it.map(|event| event.event_type.replace("fundhook.deposit.", "")).collect()
}

/// Asserts that one deposit in the table is credited with the coin, and that its events are the same when made again.
fn assert_one_credit(table: &Table, what: &str) {
    let resources = table.resources();
    let owner = owner(table).expect("the coin is claimed");
    for resource in &resources {
        let id = resource.id();
        let types = published(table, id);
        let count = |name: &str| types.iter().filter(|published| *published == name).count();
        let (credited, expected) = if *id == owner { (true, (1, 0)) } else { (false, (0, 1)) };
        assert_eq!(is_credited(table, id), credited, "{what}: {id}");
        assert_eq!((count("confirmed"), count("duplicate")), expected, "{what}: {id} {types:?}");
        let contents = table.now();
        let events: Vec<&Event> = contents.published.iter().filter(|event| event.data.resource == *id).collect();
        let again = events_after(resource, 0);
        assert_eq!(events, again.iter().collect::<Vec<_>>(), "{what}: the events of {id}, made again");
        let named = again.last().and_then(|event| event.data.duplicate_of.clone());
        assert_eq!(named, (*id != owner).then(|| owner.clone()), "{what}: {id} names the owner");
    }
}

#[tokio::test]
async fn the_first_deposit_to_be_confirmed_claims_its_coin() {
    let id = CONNECT.deposit("a");
    for lengths in [&[1, 1, 1][..], &[2, 1], &[1, 2], &[3]] {
        let life = [("pending", 0), ("submitted", 10), ("confirmed", 40)];
        let mut life = life.map(|(name, seconds)| CONNECT.says("a", name, seconds)).to_vec();
        let table = Table::default();
        for length in lengths {
            assert_eq!(owner(&table), None, "a deposit that is not confirmed claims nothing");
            let batch: Vec<Statement> = life.drain(..length).collect();
            assert!(failed(&handled(&table, &batch).await).is_empty());
        }
        assert_eq!(table.writes().len(), lengths.len(), "the claim is part of the write");
        assert_eq!(owner(&table).as_ref(), Some(&id));
        assert!(is_credited(&table, &id));
        assert_eq!(published(&table, &id), ["pending", "submitted", "confirmed"]);
    }
}

#[tokio::test]
async fn a_deposit_without_a_credit_or_without_a_known_coin_claims_nothing() {
    let without_hash = Reporter { hash: None, ..CONNECT };
    for statements in [
        vec![CONNECT.says("a", "held", 40)],
        vec![CONNECT.says("a", "unexpected", 40)],
        vec![CONNECT.says("a", "failed", 40)],
        vec![without_hash.confirms("a")],
        vec![statement("a", "confirmed", 40)],
        // A contradiction is not credited before it is reviewed.
        vec![CONNECT.says("a", "failed", 50), CONNECT.confirms("a")],
    ] {
        let table = Table::default();
        assert!(failed(&handled(&table, &statements).await).is_empty());
        assert_eq!(owner(&table), None, "{statements:?}");
    }
}

#[tokio::test]
async fn deposits_of_two_organizations_are_never_duplicates_of_each_other() {
    let other = Reporter { feed: "zerohash/acme", ..FUND };
    let table = table_after(&[CONNECT.confirms("a"), other.confirms("b")]).await;
    assert_eq!(published(&table, &CONNECT.deposit("a")), ["confirmed"]);
    assert_eq!(published(&table, &other.deposit("b")), ["confirmed"]);
    assert_eq!(table.now().claims.len(), 2);
}

#[tokio::test]
async fn the_same_coin_reported_by_another_family_is_a_duplicate_in_any_spelling() {
    let first = CONNECT.deposit("a");
    for other in [
        FUND,
        Reporter { network: None, ..FUND },
        Reporter { network: Some("ETH"), ..FUND },
        Reporter { hash: Some("cd9e98ae"), ..FUND },
        Reporter { hash: Some("0xcd9e98ae-0"), ..FUND },
        Reporter { address: "0X34F53AEA", ..FUND },
        Reporter { feed: "connect", ..FUND },
    ] {
        let table = table_after(&[CONNECT.confirms("a"), other.says("b", "held", 20), other.confirms("b")]).await;
        let id = other.deposit("b");
        assert_eq!(duplicate_of(&table, &id).as_ref(), Some(&first), "{other:?}");
        assert_eq!(published(&table, &id), ["held", "duplicate"], "{other:?}");
        assert_eq!(owner(&table).as_ref(), Some(&first), "{other:?}");
        assert_one_credit(&table, &format!("{other:?}"));
    }
}

#[tokio::test]
async fn two_deposits_of_one_family_and_the_same_hash_on_another_chain_are_both_credited() {
    let elsewhere = Reporter { network: Some("base"), ..FUND };
    for other in [CONNECT, elsewhere, Reporter { hash: Some("0xff"), ..FUND }, Reporter { address: "0xff", ..FUND }] {
        let table = table_after(&[CONNECT.confirms("a"), other.confirms("b")]).await;
        for id in [CONNECT.deposit("a"), other.deposit("b")] {
            assert!(is_credited(&table, &id), "{other:?}: {id}");
            assert_eq!(published(&table, &id), ["confirmed"], "{other:?}: {id}");
        }
        assert_eq!(owner(&table), Some(CONNECT.deposit("a")), "{other:?}");
    }
}

/// The provider lists the deposit `native` of the coin as succeeded.
fn lists(native: &str) -> Statement {
    let mut row = Reporter { family: WebhookFamily::ConnectTransactions, ..CONNECT }.says(native, "confirmed", 60);
    let (scheme, class) = (Scheme::ConnectTransactionsApi, EvidenceClass::Api);
    row.content.evidence.attestation =
        Attestation { scheme, class, signed_at: None, ..row.content.evidence.attestation };
    row
}

#[tokio::test]
async fn two_deposits_of_one_transaction_are_both_credited_when_a_row_arrives_before_its_webhook() {
    let submitted = |native| Reporter { hash: None, ..CONNECT }.says(native, "submitted", 10);
    for (what, statements, published_of_a, published_of_b) in [
        (
            "after the other's webhook",
            vec![CONNECT.confirms("a"), submitted("b"), lists("b")],
            vec!["confirmed"],
            vec!["submitted", "confirmed"],
        ),
        (
            "before the other's webhook",
            vec![submitted("a"), lists("a"), CONNECT.confirms("b")],
            vec!["submitted", "confirmed"],
            vec!["confirmed"],
        ),
        ("of both", vec![submitted("a"), lists("a"), lists("b")], vec!["submitted", "confirmed"], vec!["confirmed"]),
        // A row alone, with another id, may be about the same deposit as the webhook.
        (
            "and its webhook comes last",
            vec![CONNECT.confirms("a"), lists("b")],
            vec!["confirmed"],
            vec!["duplicate", "confirmed"],
        ),
    ] {
        for at_once in [false, true] {
            let table = Table::default();
            for batch in statements.chunks(if at_once { statements.len() } else { 1 }) {
                assert!(failed(&handled(&table, batch).await).is_empty());
            }
            // The webhook that the row arrived before, and the other one again.
            for late in [CONNECT.confirms("a"), CONNECT.confirms("b")] {
                assert!(failed(&handled(&table, &[late]).await).is_empty());
            }
            assert_eq!(published(&table, &CONNECT.deposit("a")), published_of_a, "{what}, at once: {at_once}");
            assert_eq!(published(&table, &CONNECT.deposit("b")), published_of_b, "{what}, at once: {at_once}");
            assert_eq!(owner(&table), Some(CONNECT.deposit("a")), "{what}, at once: {at_once}");
        }
    }
}

#[tokio::test]
async fn two_deposits_of_one_coin_in_one_batch_are_one_credit() {
    let table = Table::default();
    assert!(failed(&handled(&table, &[FUND.confirms("b"), CONNECT.confirms("a")]).await).is_empty());
    // What shares a claim is one write.
    assert_eq!(table.writes(), [vec![CONNECT.deposit("a"), FUND.deposit("b")]]);
    assert_eq!(table.reads().len(), 1);
    assert_eq!(owner(&table), Some(CONNECT.deposit("a")), "in the order of the ids");
    assert_one_credit(&table, "in one batch");
}

#[tokio::test]
async fn a_deposit_that_changes_while_it_claims_a_coin_ends_as_a_duplicate() {
    let (first, second) = (CONNECT.deposit("a"), FUND.deposit("b"));
    for fate in
        [Fate::LosesTo(FUND.says("b", "held", 20).into()), Fate::LosesBlindlyTo(FUND.says("b", "held", 20).into())]
    {
        let table = table_after(&[CONNECT.confirms("a")]).await;
        table.now().fates.insert(second.clone(), [fate].into());
        assert!(failed(&handled(&table, &[FUND.confirms("b")]).await).is_empty());
        assert_eq!(duplicate_of(&table, &second).as_ref(), Some(&first));
        assert_eq!(published(&table, &second), ["held", "duplicate"]);
        // It lost to the rival, and was then written.
        assert_eq!(table.writes().len(), 1 + 2);
        assert_one_credit(&table, "changed meanwhile");
    }
    // It changes again and again.
    let table = table_after(&[CONNECT.confirms("a")]).await;
    let held = |seconds| Fate::LosesTo(FUND.says("b", "held", seconds).into());
    table.now().fates.insert(second.clone(), [held(20), held(21), held(22), held(23)].into());
    assert!(failed(&handled(&table, &[FUND.confirms("b")]).await).is_empty());
    assert_eq!(duplicate_of(&table, &second).as_ref(), Some(&first));
    assert_eq!(published(&table, &second), ["held", "updated", "updated", "updated", "duplicate"]);
    assert_eq!(table.writes().len(), 1 + ATTEMPTS_MAX as usize);
}

#[tokio::test]
async fn a_deposit_whose_transaction_is_corrected_while_it_claims_the_first_one_claims_both() {
    let second = FUND.deposit("b");
    let table = table_after(&[CONNECT.confirms("a")]).await;
    // The rival corrects the transaction, with a later date than the statement that is being recorded.
    let corrected = Reporter { hash: Some("0xff"), ..FUND }.says("b", "confirmed", 50);
    table.now().fates.insert(second.clone(), [Fate::LosesTo(corrected.into())].into());
    assert!(failed(&handled(&table, &[FUND.confirms("b")]).await).is_empty());
    assert_eq!(published(&table, &second), ["confirmed", "duplicate"]);
    let claims: Vec<String> = table.now().claims.keys().map(ToString::to_string).collect();
    assert_eq!(claims, ["cd9e98ae", "ff"]);
}

#[tokio::test]
async fn a_deposit_that_contradicts_itself_leaves_its_coin_to_a_review_in_any_batches() {
    let (first, second) = (CONNECT.deposit("a"), FUND.deposit("b"));
    let contradicting = [CONNECT.confirms("a"), CONNECT.says("a", "failed", 50)];
    for cut in [1, 2] {
        let table = Table::default();
        for batch in contradicting.chunks(cut).chain([&[FUND.confirms("b")][..]]) {
            assert!(failed(&handled(&table, batch).await).is_empty());
        }
        assert!(!is_credited(&table, &first) && !is_credited(&table, &second));
        assert_eq!(published(&table, &second), ["conflicting", "updated"]);
        let ids = event_ids(&table);

        // The other way round: first it is a duplicate, then it contradicts itself.
        let table = table_after(&[FUND.confirms("b")]).await;
        for batch in contradicting.chunks(cut) {
            assert!(failed(&handled(&table, batch).await).is_empty());
        }
        assert!(!is_credited(&table, &first) && !is_credited(&table, &second));
        assert_eq!(event_ids(&table), ids);
    }
}

fn event_ids(table: &Table) -> BTreeSet<String> {
    table.now().published.iter().map(|event| event.id.clone()).collect()
}

/// A deposit that was confirmed, and published as confirmed, before its transaction was known.
fn confirmed_without_transaction() -> Statement {
    Reporter { hash: None, ..FUND }.confirms("b")
}

#[tokio::test]
async fn a_deposit_found_to_be_a_duplicate_after_it_was_confirmed_is_published_as_one_in_any_batches() {
    let mut repeated = confirmed_without_transaction();
    repeated.content.id = fundhook_domain::FactId::of(&repeated.resource, "", b"in other bytes");
    let late = Reporter { hash: None, ..FUND }.says("b", "held", 20);
    for before in [vec![], vec![late], vec![repeated]] {
        let is_repeated = before.first().is_some_and(|statement| statement.content.occurred_at == at(40));
        let news = [before, vec![FUND.says("b", "confirmed", 50)]].concat();
        let mut expected = vec!["confirmed"];
        expected.extend((news.len() == 2 && !is_repeated).then_some("updated"));
        expected.push("duplicate");
        for at_once in [false, true] {
            let table = table_after(&[CONNECT.confirms("a"), confirmed_without_transaction()]).await;
            for batch in news.chunks(if at_once { news.len() } else { 1 }) {
                assert!(failed(&handled(&table, batch).await).is_empty());
            }
            // The first event after that is the duplicate; of several facts recorded together it need not be the one with the hash.
            let mut types = published(&table, &FUND.deposit("b"));
            assert_eq!(types.remove(0), "confirmed");
            types.sort_unstable_by(|a, b| b.cmp(a));
            assert_eq!(types, expected[1..], "at once: {at_once}");
        }
    }
}

/// Every order of `items`.
fn permutations(items: &[Statement]) -> Vec<Vec<Statement>> {
    let Some((first, rest)) = items.split_first() else {
        return vec![Vec::new()];
    };
    let with_first = |rest: Vec<Statement>| {
        (0..=rest.len()).map(move |place| {
            let mut order = rest.clone();
            order.insert(place, first.clone());
            order
        })
    };
    permutations(rest).into_iter().flat_map(with_first).collect()
}

/// The statements of both feeds about the coin.
fn both() -> Vec<Statement> {
    let statements = [(CONNECT, "a", "pending", 0), (CONNECT, "a", "confirmed", 40), (FUND, "b", "held", 20)];
    let statements = statements.map(|(stream, native, name, seconds)| stream.says(native, name, seconds));
    [statements.to_vec(), vec![FUND.confirms("b")]].concat()
}

#[tokio::test]
async fn a_coin_reported_by_two_feeds_is_credited_once_in_any_order_and_any_batches() {
    let mut owners = BTreeSet::new();
    for order in permutations(&both()) {
        // Bit n ends a batch after statement n.
        for cuts in 0..8_u32 {
            let is_cut = |place: usize| place < 3 && cuts & (1 << place) != 0;
            let table = Table::default();
            let mut batch = Vec::new();
            for (place, statement) in order.iter().enumerate() {
                batch.push(statement.clone());
                if is_cut(place) || place == 3 {
                    // Every batch is delivered twice.
                    assert!(failed(&handled(&table, &batch).await).is_empty());
                    assert!(failed(&handled(&table, &std::mem::take(&mut batch)).await).is_empty());
                }
            }
            let names: Vec<String> =
                order.iter().map(|it| format!("{} {}", it.resource, it.content.status.expect("a status"))).collect();
            assert_one_credit(&table, &format!("{names:?} cut by {cuts:03b}"));
            let ids = event_ids(&table);
            let expected =
                ["deposit#connect#a#1", "deposit#connect#a#2", "deposit#zerohash#b#1", "deposit#zerohash#b#2"];
            assert_eq!(ids.into_iter().collect::<Vec<_>>(), expected);
            owners.extend(owner(&table));
        }
    }
    assert_eq!(owners.len(), 2, "each of the two, depending on the order");
}

#[tokio::test]
async fn a_claiming_write_whose_answer_was_lost_changes_nothing_when_it_is_repeated() {
    let (first, second) = (CONNECT.deposit("a"), FUND.deposit("b"));
    for (fate, failures) in [(Fate::FailsStored, 1), (Fate::LosesToItself, 0)] {
        // Of the write with the claim, and of the write that records the duplicate.
        for (id, statements) in
            [(&first, vec![CONNECT.confirms("a")]), (&second, vec![CONNECT.confirms("a"), FUND.confirms("b")])]
        {
            let table = table_after(&statements[..statements.len() - 1]).await;
            table.now().fates.insert(id.clone(), [fate.clone()].into());
            let last = &statements[statements.len() - 1..];
            assert_eq!(failed(&handled(&table, last).await).len(), failures);
            let before = table.resources();
            assert!(failed(&handled(&table, last).await).is_empty());
            assert_eq!(table.resources(), before, "the repetition changes nothing");
            assert_one_credit(&table, &id.to_string());
        }
    }
}

#[tokio::test]
async fn a_coin_is_credited_once_wherever_an_updater_stops_or_is_overtaken() {
    let batch = both();
    let steps = handled_until_acknowledged(&Table::default(), &batch, usize::MAX, Disturbance::Crash).await;
    let calls = ["read", "read of claims"].map(|call| [format!("before a {call}"), format!("after a {call}")]).concat();
    assert_eq!(steps, [calls, vec!["before a write".to_owned(), "after an item".to_owned()]].concat());

    for by in [
        Disturbance::Crash,
        Disturbance::Error,
        overtaken_by(batch.clone()),
        overtaken_by(batch[..2].to_vec()),
        overtaken_by(batch[2..].to_vec()),
        overtaken_by(vec![FUND.confirms("b")]),
        overtaken_by(vec![CONNECT.confirms("a")]),
        // A third family reports the same coin.
        overtaken_by(vec![Reporter { family: WebhookFamily::ZerohashDepositStatus, ..FUND }.confirms("c")]),
    ] {
        for (at_step, step) in steps.iter().enumerate() {
            let table = Table::default();
            handled_until_acknowledged(&table, &batch, at_step, by.clone()).await;
            assert_one_credit(&table, &format!("{by:?} {step}"));
            let before = table.resources();
            handled_until_acknowledged(&table, &batch, usize::MAX, Disturbance::Crash).await;
            assert_eq!(table.resources(), before, "{by:?} {step}: all of it again");
        }
    }
}
