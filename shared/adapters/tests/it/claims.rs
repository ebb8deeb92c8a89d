//! One coin, one credit: a deposit and the claim on its coin are written together or not at all.

use fundhook_adapters::{Aws, ResourceTable, WriteMethod};
use fundhook_domain::{Claim, Kind, Network, Ownership, Provider, Resource, ResourceId, Statement, WebhookFamily};
use fundhook_ports::{Disposition, Resources, Write, WriteOutcome};
use tokio::task::JoinSet;

use crate::support::{
    Local, TABLE, at, deposit, first_write, folded, id_of, read_one, statement, table, text, with, write, write_one,
};

/// What both feeds say of one coin: its transaction, its address, its asset.
const HASH: &str = "0xCD9e98ae";
const ADDRESS: &str = "0x34f53Aea";
const COIN: &str = "claim#cd9e98ae#0x34f53aea#USDC";

/// The same deposit, reported by another feed.
fn fund(native: &str) -> ResourceId {
    id_of(Kind::Deposit, Provider::Zerohash, native)
}

/// `statement`, with the coin of the transaction `hash`.
fn of_coin(statement: Statement, hash: &str) -> Statement {
    let family = match statement.resource.feed().provider() {
        Provider::Connect => WebhookFamily::ConnectDeposits,
        Provider::Zerohash => WebhookFamily::ZerohashFund,
        Provider::Striga => WebhookFamily::StrigaTransactions,
    };
    with(statement, |details| {
        details.transaction.hash = Some(hash.to_owned());
        details.transaction.to = Some(ADDRESS.to_owned());
        details.asset = Some("USDC".to_owned());
        details.network = Some(Network::named("ethereum"));
        details.family = Some(family);
    })
}

fn confirmed(id: &ResourceId, hash: &str) -> Statement {
    of_coin(statement(id, "confirmed", 40, "confirmed"), hash)
}

/// `write`, claiming the coin of its deposit.
fn claiming(write: Write) -> Write {
    let claim = write.resource.claim_due();
    assert!(claim.is_some(), "it has nothing to claim");
    Write { resource: write.resource.owning_its_coin(), claim, ..write }
}

/// The first write of a confirmed deposit, which claims its coin.
fn first_claim(id: &ResourceId, hash: &str) -> Write {
    claiming(first_write(confirmed(id, hash)))
}

/// The claim as stored in the table, and the names of all attributes of its item.
async fn stored_claim(local: &Local, key: &str) -> Option<(Claim, Vec<String>)> {
    let item = local.item(key).await?;
    let claim = serde_json::from_str(text(&item, "claim").expect("a claim")).expect("JSON");
    let mut names: Vec<String> = item.into_keys().collect();
    names.sort_unstable();
    Some((claim, names))
}

#[tokio::test]
async fn a_deposit_and_its_claim_are_written_together() {
    for known in [vec![], vec![statement(&deposit("a"), "pending", 0, "pending")]] {
        let (local, table) = table(WriteMethod::default()).await;
        let resource = folded(Resource::unknown(deposit("a")), known.clone());
        for said in known {
            assert!(matches!(write_one(&table, first_write(said)).await, WriteOutcome::Written));
        }
        let claiming = claiming(write(&resource, confirmed(&deposit("a"), HASH)));
        let outcome = write_one(&table, claiming.clone()).await;
        assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");

        let stored = read_one(&table, &deposit("a")).await;
        assert_eq!((stored.ownership(), &stored), (&Ownership::Owner, &claiming.resource));
        let (claim, names) = stored_claim(&local, COIN).await.expect("the claim is stored");
        assert_eq!(Some(claim), claiming.claim);
        // Without `version` the publisher's filter ignores it, and no condition on a resource applies to it.
        assert_eq!(names, ["claim", "claimed_at", "owner", "pk"]);
        let item = local.item(COIN).await.expect("the item");
        assert_eq!(text(&item, "owner"), Some("deposit#connect#a"));
        assert_eq!(text(&item, "claimed_at"), Some(at(0).sortable().as_str()));
    }
}

#[tokio::test]
async fn a_claimed_coin_stays_with_its_owner_and_nothing_of_the_loser_is_written() {
    let (local, table) = table(WriteMethod::default()).await;
    let owner = first_claim(&deposit("a"), HASH);
    assert!(matches!(write_one(&table, owner.clone()).await, WriteOutcome::Written));
    let pending = first_write(statement(&fund("b"), "held", 0, "held"));
    assert!(matches!(write_one(&table, pending.clone()).await, WriteOutcome::Written));

    // By a known deposit, by a new one, and with another spelling of the same hash.
    let late = claiming(write(&pending.resource, confirmed(&fund("b"), HASH)));
    for loser in [late, first_claim(&fund("c"), HASH), first_claim(&fund("d"), "cd9e98ae-0")] {
        let outcome = write_one(&table, loser.clone()).await;
        assert!(matches!(&outcome, WriteOutcome::Claimed(taken) if Some(taken) == owner.claim.as_ref()), "{outcome:?}");
        assert_eq!(read_one(&table, loser.resource.id()).await.version(), loser.read_version);
    }
    assert_eq!(stored_claim(&local, COIN).await.map(|(claim, _)| claim), owner.claim);

    // The loser can then be written as a duplicate.
    let duplicate = write(&pending.resource, confirmed(&fund("b"), HASH));
    let duplicate = Write { resource: duplicate.resource.duplicating(deposit("a"), 1), ..duplicate };
    assert!(matches!(write_one(&table, duplicate.clone()).await, WriteOutcome::Written));
    assert_eq!(read_one(&table, &fund("b")).await, duplicate.resource);
}

#[tokio::test]
async fn a_deposit_that_changed_meanwhile_claims_nothing_and_the_loser_gets_the_stored_item() {
    for (read, moved) in [
        (vec![], vec![statement(&deposit("a"), "pending", 0, "pending")]),
        (vec![statement(&deposit("a"), "pending", 0, "pending")], vec![statement(&deposit("a"), "held", 20, "held")]),
    ] {
        let (local, table) = table(WriteMethod::default()).await;
        let mut stored = Resource::unknown(deposit("a"));
        for said in read.iter().chain(&moved) {
            let next = write(&stored, said.clone());
            assert!(matches!(write_one(&table, next.clone()).await, WriteOutcome::Written));
            stored = next.resource;
        }
        let read = folded(Resource::unknown(deposit("a")), read);
        let outcome = write_one(&table, claiming(write(&read, confirmed(&deposit("a"), HASH)))).await;
        assert!(matches!(&outcome, WriteOutcome::Lost(Some(current)) if *current == stored), "{outcome:?}");
        assert_eq!(read_one(&table, &deposit("a")).await, stored);
        assert!(stored_claim(&local, COIN).await.is_none());
    }
}

#[tokio::test]
async fn a_missing_deposit_claims_nothing() {
    let (local, table) = table(WriteMethod::default()).await;
    let read = folded(Resource::unknown(deposit("gone")), [statement(&deposit("gone"), "pending", 0, "pending")]);
    let outcome = write_one(&table, claiming(write(&read, confirmed(&deposit("gone"), HASH)))).await;
    assert!(matches!(outcome, WriteOutcome::Lost(None)), "{outcome:?}");
    assert!(stored_claim(&local, COIN).await.is_none());
}

#[tokio::test]
async fn a_changed_deposit_loses_even_if_its_coin_is_claimed_as_well() {
    let (local, table) = table(WriteMethod::default()).await;
    let owner = first_claim(&deposit("a"), HASH);
    assert!(matches!(write_one(&table, owner.clone()).await, WriteOutcome::Written));
    let moved = first_write(statement(&fund("b"), "held", 0, "held"));
    assert!(matches!(write_one(&table, moved.clone()).await, WriteOutcome::Written));

    let outcome = write_one(&table, first_claim(&fund("b"), HASH)).await;
    assert!(matches!(&outcome, WriteOutcome::Lost(Some(current)) if *current == moved.resource), "{outcome:?}");
    assert_eq!(stored_claim(&local, COIN).await.map(|(claim, _)| claim), owner.claim);

    // A write that is repeated after its response was lost finds its own result in both items.
    let outcome = write_one(&table, owner.clone()).await;
    assert!(matches!(&outcome, WriteOutcome::Lost(Some(current)) if *current == owner.resource), "{outcome:?}");
}

#[tokio::test]
async fn of_many_deposits_that_claim_one_coin_concurrently_exactly_one_gets_it() {
    let (local, table) = table(WriteMethod::default()).await;
    let mut claimants = JoinSet::new();
    for number in 0..20 {
        let table = table.clone();
        claimants.spawn(async move {
            let id = fund(&number.to_string());
            (id.clone(), write_one(&table, first_claim(&id, HASH)).await)
        });
    }
    let outcomes = claimants.join_all().await;
    let winners = outcomes.iter().filter(|(_, outcome)| matches!(outcome, WriteOutcome::Written));
    let [(winner, _)] = winners.collect::<Vec<_>>()[..] else { unreachable!("one of them must win: {outcomes:?}") };
    for (id, outcome) in outcomes.iter().filter(|(id, _)| id != winner) {
        // Transactions that conflicted may not know the winner yet.
        let is_loser = matches!(outcome, WriteOutcome::Claimed(taken) if taken.owner == *winner);
        assert!(is_loser || matches!(outcome, WriteOutcome::Lost(None)), "{outcome:?}");
        assert_eq!(read_one(&table, id).await.version(), 0);
    }
    let (claim, _) = stored_claim(&local, COIN).await.expect("the claim is stored");
    assert_eq!(claim.owner, *winner);
}

async fn outcomes_are_in_the_order_of_the_writes_whichever_of_them_claim(writes: WriteMethod) {
    let (_local, table) = table(writes).await;
    // A claimed coin, and existing deposits.
    let taken = first_claim(&deposit("taken"), HASH);
    let there = |native: &str| first_write(statement(&deposit(native), "pending", 0, "pending"));
    for write in [taken, there("moved"), there("moved too")] {
        assert!(matches!(write_one(&table, write).await, WriteOutcome::Written));
    }
    let mut all = Vec::new();
    let mut expected = Vec::new();
    // More writes of each kind than one call takes.
    for round in 0..30 {
        all.push(there(&format!("plain {round}")));
        all.push(first_claim(&fund(&format!("claiming {round}")), &format!("0x{round}")));
        all.push(first_claim(&fund(&format!("claimed {round}")), HASH));
        expected.extend(["written", "written", "claimed"]);
    }
    all.extend([there("moved"), first_claim(&deposit("moved too"), "0xff"), there("plain")]);
    expected.extend(["lost", "lost", "written"]);

    let ids: Vec<ResourceId> = all.iter().map(|write| write.resource.id().clone()).collect();
    let versions: Vec<u64> = expected.iter().map(|outcome| if *outcome == "claimed" { 0 } else { 1 }).collect();
    let outcomes = table.write(all, at(0)).await;
    let told: Vec<&str> = outcomes.iter().map(name_of).collect();
    assert_eq!(told, expected);
    let stored = table.read(&ids).await.expect("the table answers");
    assert_eq!(stored.iter().map(Resource::version).collect::<Vec<_>>(), versions);
}

fn name_of(outcome: &WriteOutcome) -> &'static str {
    match outcome {
        WriteOutcome::Written => "written",
        WriteOutcome::Lost(_) => "lost",
        WriteOutcome::Claimed(_) => "claimed",
        WriteOutcome::Failed(_) => "failed",
    }
}

async fn the_ownership_of_a_coin_is_kept_by_later_writes(writes: WriteMethod) {
    let (_local, table) = table(writes).await;
    let owner = first_claim(&deposit("a"), HASH);
    let duplicate = first_write(confirmed(&fund("b"), HASH));
    let duplicate = Write { resource: duplicate.resource.duplicating(deposit("a"), 0), ..duplicate };
    let unclaimed = first_write(statement(&deposit("c"), "pending", 0, "pending"));
    let is_duplicate = Ownership::DuplicateOf { owner: deposit("a"), after: 0 };
    for (first, ownership) in [(owner, Ownership::Owner), (duplicate, is_duplicate), (unclaimed, Ownership::Unclaimed)]
    {
        let id = first.resource.id().clone();
        assert!(matches!(write_one(&table, first).await, WriteOutcome::Written));
        for late in ["submitted", "held"] {
            let stored = read_one(&table, &id).await;
            assert_eq!(*stored.ownership(), ownership, "{id}");
            let next = write(&stored, statement(&id, late, 10, late));
            assert!(matches!(write_one(&table, next.clone()).await, WriteOutcome::Written));
            assert_eq!(read_one(&table, &id).await, next.resource);
        }
    }
    // The loser of a condition gets it too.
    let stale = write(&Resource::unknown(fund("b")), statement(&fund("b"), "pending", 0, "pending"));
    let WriteOutcome::Lost(current) = write_one(&table, stale).await else { unreachable!("the key exists") };
    assert!(current.is_none_or(|current| *current.ownership() != Ownership::Unclaimed));
}

#[tokio::test]
async fn a_claim_fails_permanently_where_a_plain_write_does() {
    let unreachable = Aws::local("http://127.0.0.1:9", "test").expect("a local connection");
    let (local, here) = table(WriteMethod::default()).await;
    let away = ResourceTable::new(&unreachable, TABLE.to_owned());
    let missing = ResourceTable::new(&local.aws, "another".to_owned());
    let large = with(confirmed(&deposit("large"), HASH), |details| {
        // A DynamoDB item holds 400 KB.
        details.session.metadata = Some("x".repeat(410_000).into());
    });
    for (what, table, claiming, disposition) in [
        ("a table that does not answer", &away, first_claim(&deposit("a"), HASH), Disposition::Retry),
        ("a table that does not exist", &missing, first_claim(&deposit("a"), HASH), Disposition::DeadLetter),
        ("a deposit that is too large", &here, claiming(first_write(large)), Disposition::DeadLetter),
    ] {
        let outcome = write_one(table, claiming).await;
        assert!(
            matches!(&outcome, WriteOutcome::Failed(error) if error.disposition() == disposition),
            "{what}: {outcome:?}"
        );
    }
    assert!(stored_claim(&local, COIN).await.is_none(), "nothing of a pair is left behind");
}

crate::support::by_statements_and_by_puts! {
    outcomes_are_in_the_order_of_the_writes_whichever_of_them_claim,
    the_ownership_of_a_coin_is_kept_by_later_writes,
}
