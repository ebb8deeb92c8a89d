//! One coin, one credit: a deposit, the claim on its coin and what other deposits must know of it are written together or
//! not at all.

use std::sync::Arc;

use fundhook_adapters::{ResourceTable, WriteMethod};
use fundhook_domain::WebhookFamily::{ConnectDeposits, ZerohashDepositStatus, ZerohashFund};
use fundhook_domain::{Claim, Resource, ResourceId, Statement, WebhookFamily};
use fundhook_ports::{Claims, Resources, Write, WriteOutcome};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::coins::{HASH, OTHER_HASH, claim_on, confirmed, first_claim, of_coin, recorded, unexpected};
use crate::support::{Local, at, deposit, first_write, read_one, statement, table, text, with, write_one};

/// A DynamoDB for one test, with the resources and the claims in it.
struct World {
    local: Local,
    table: ResourceTable,
}

impl World {
    async fn new(writes: WriteMethod) -> Self {
        let (local, table) = table(writes).await;
        Self { local, table }
    }

    /// The write of a statement on what is stored now.
    async fn due(&self, said: Statement) -> Write {
        recorded(&self.table, said).await
    }

    async fn write(&self, write: Write) -> WriteOutcome {
        write_one(&self.table, write).await
    }

    /// Records a statement. Returns what was written.
    async fn record(&self, said: Statement) -> Write {
        let write = self.due(said).await;
        let outcome = self.write(write.clone()).await;
        assert!(matches!(outcome, WriteOutcome::Written), "{outcome:?}");
        write
    }

    async fn read(&self, id: &ResourceId) -> Resource {
        read_one(&self.table, id).await
    }

    /// The claim on the coins of [`HASH`].
    async fn claim(&self) -> Claim {
        let mut claims = self.table.claims(&[claim_on(HASH)]).await.expect("the table answers");
        assert_eq!(claims.len(), 1);
        claims.remove(0)
    }

    /// What is stored of everything that `write` changes.
    async fn stored(&self, write: &Write) -> (Vec<Resource>, Vec<Claim>) {
        let ids: Vec<ResourceId> = write.resources.iter().map(|resource| resource.item.id().clone()).collect();
        let keys: Vec<_> = write.claims.iter().map(|claim| claim.item.key().clone()).collect();
        let resources = self.table.read(&ids).await.expect("the table answers");
        (resources, self.table.claims(&keys).await.expect("the table answers"))
    }

    async fn assert_stored(&self, write: &Write) {
        let resources = write.resources.iter().map(|resource| resource.item.clone()).collect();
        let claims = write.claims.iter().map(|claim| claim.item.clone()).collect();
        assert_eq!(self.stored(write).await, (resources, claims));
    }

    /// Which of these deposits may be booked.
    async fn credited(&self, ids: &[ResourceId]) -> Vec<ResourceId> {
        let resources = self.table.read(ids).await.expect("the table answers");
        let credited = resources.iter().filter(|resource| resource.view().is_some_and(|view| view.is_credited()));
        credited.map(|resource| resource.id().clone()).collect()
    }
}

/// Three reports of one coin: the second is a duplicate of the first, and the third contradicts both.
fn three_reports() -> [Statement; 3] {
    [
        confirmed(ConnectDeposits, "a", HASH),
        confirmed(ZerohashFund, "b", HASH),
        unexpected(ZerohashDepositStatus, "c", HASH),
    ]
}

/// A webhook of a deposit before its coin has a fate.
fn early(id: &ResourceId, status: &str) -> Statement {
    statement(id, status, 0, status)
}

async fn a_first_claim_is_stored_with_its_deposit(writes: WriteMethod) {
    for known in [None, Some(early(&deposit("a"), "pending"))] {
        let world = World::new(writes).await;
        if let Some(known) = known {
            world.record(known).await;
        }
        let write = world.record(confirmed(ConnectDeposits, "a", HASH)).await;
        assert_eq!(write.claims[0].read_version, 0);
        world.assert_stored(&write).await;
        assert_eq!(world.credited(&[deposit("a")]).await, [deposit("a")]);
    }
}

async fn an_entry_is_stored_under_the_version_that_was_read_with_what_other_deposits_must_know(writes: WriteMethod) {
    let world = World::new(writes).await;
    let reports = three_reports();
    let ids = reports.clone().map(|report| report.resource);
    let credited = [vec![ids[0].clone()], vec![ids[0].clone()], vec![]];
    // The third report is also a fact of the deposits that it contradicts.
    let changed = [&ids[..1], &ids[1..2], &ids[..]];
    for (at, (report, credited)) in reports.into_iter().zip(credited).enumerate() {
        let write = world.record(report).await;
        let mut written: Vec<&ResourceId> = write.resources.iter().map(|resource| resource.item.id()).collect();
        written.sort_unstable();
        assert_eq!(written, changed[at].iter().collect::<Vec<_>>());
        let [claim] = &write.claims[..] else { unreachable!("one transaction: {:?}", write.claims) };
        assert_eq!(claim.read_version, u64::try_from(at).expect("few"));
        world.assert_stored(&write).await;
        assert_eq!(world.credited(&ids).await, credited);
    }
    assert_eq!(world.claim().await.entries().map(|entry| entry.resource.clone()).collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn the_item_of_a_claim_has_no_version_so_the_publisher_ignores_it() {
    let world = World::new(WriteMethod::default()).await;
    for (report, version) in three_reports().into_iter().zip(["1", "2", "3"]) {
        world.record(report).await;
        let item = world.local.item(&format!("claim#{}", claim_on(HASH))).await.expect("the item");
        let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["claim", "claim_version", "claimed_at", "pk"]);
        assert_eq!(item["claim_version"].as_n().expect("a number"), version);
        assert_eq!(text(&item, "claimed_at"), Some(at(0).sortable().as_str()));
    }
}

async fn a_write_loses_when_anything_in_it_changed_since_it_was_read_and_nothing_of_it_is_stored(writes: WriteMethod) {
    let [a, b, c] = three_reports();
    let [pending, held] = ["pending", "held"].map(|status| early(&a.resource, status));
    let late = statement(&a.resource, "submitted", 10, "late");
    let named = of_coin(statement(&a.resource, "confirmed", 45, "named"), ConnectDeposits, HASH);
    let named = with(named, |details| details.account = Some("CUST01".to_owned()));
    for (what, known, meanwhile, write) in [
        ("a claim without entries", vec![], &b, &a),
        ("a claim without entries, of a known deposit", vec![&pending], &b, &a),
        ("a claim that another deposit had", vec![&a], &b, &c),
        ("a deposit that was not known", vec![], &pending, &a),
        ("a deposit", vec![&pending], &held, &a),
        ("another deposit, which must know of this one", vec![&a, &b], &late, &c),
        ("another deposit, and the claim", vec![&a], &named, &c),
    ] {
        let world = World::new(writes).await;
        for report in known {
            world.record(report.clone()).await;
        }
        let loser = world.due(write.clone()).await;
        world.record(meanwhile.clone()).await;
        let before = world.stored(&loser).await;

        let outcome = world.write(loser.clone()).await;
        let is_in_write = loser.resources.iter().any(|resource| *resource.item.id() == meanwhile.resource);
        match &outcome {
            WriteOutcome::Lost(Some(current)) => {
                assert!(is_in_write, "{what}");
                assert_eq!(*current, world.read(&meanwhile.resource).await, "{what}");
            }
            WriteOutcome::Lost(None) => assert!(!is_in_write, "{what}"),
            WriteOutcome::Written | WriteOutcome::Failed(_) => unreachable!("{what}: {outcome:?}"),
        }
        assert_eq!(world.stored(&loser).await, before, "{what}");

        // Recorded on what is stored by now, it is written.
        let again = world.record(write.clone()).await;
        world.assert_stored(&again).await;
    }
}

async fn a_write_that_is_repeated_after_its_response_was_lost_loses_to_itself(writes: WriteMethod) {
    let world = World::new(writes).await;
    for report in three_reports() {
        let id = report.resource.clone();
        let write = world.record(report).await;
        let outcome = world.write(write.clone()).await;
        let is_own = |current: &Resource| write.resources.iter().any(|resource| resource.item == *current);
        assert!(matches!(&outcome, WriteOutcome::Lost(Some(current)) if is_own(current)), "{id}: {outcome:?}");
        world.assert_stored(&write).await;
    }
}

async fn a_write_on_items_that_are_gone_loses(writes: WriteMethod) {
    let (there, gone) = (World::new(writes).await, World::new(writes).await);
    there.record(early(&deposit("a"), "pending")).await;
    let [a, b, _] = three_reports();
    let without_deposit = there.record(a).await;
    let without_claim = there.due(b).await;
    for write in [without_deposit, without_claim] {
        let outcome = gone.write(write.clone()).await;
        assert!(matches!(outcome, WriteOutcome::Lost(None)), "{outcome:?}");
        let (resources, claims) = gone.stored(&write).await;
        assert!(resources.iter().all(|resource| resource.version() == 0), "{resources:?}");
        assert!(claims.iter().all(|claim| claim.version() == 0), "{claims:?}");
    }
}

async fn of_writers_that_report_one_coin_at_once_one_wins_and_one_deposit_is_credited(writes: WriteMethod) {
    for count in [2, WebhookFamily::ALL.len()] {
        let world = World::new(writes).await;
        let have_read = Arc::new(Barrier::new(count));
        let mut writers = JoinSet::new();
        for family in WebhookFamily::ALL.into_iter().take(count) {
            let (table, have_read) = (world.table.clone(), have_read.clone());
            writers.spawn(async move {
                let report = confirmed(family, family.as_str(), HASH);
                let mut write = recorded(&table, report.clone()).await;
                have_read.wait().await;
                let mut losses = 0;
                loop {
                    match write_one(&table, write).await {
                        WriteOutcome::Written => return (report.resource, losses),
                        WriteOutcome::Lost(_) => losses += 1,
                        WriteOutcome::Failed(error) => unreachable!("{error:?}"),
                    }
                    assert!(losses < 100, "each loss is another writer's success, and there are {count}");
                    write = recorded(&table, report.clone()).await;
                }
            });
        }
        let written = writers.join_all().await;
        let winners: Vec<&ResourceId> = written.iter().filter(|(_, losses)| *losses == 0).map(|(id, _)| id).collect();
        let [winner] = winners[..] else { unreachable!("one of them must win: {written:?}") };

        let ids: Vec<ResourceId> = written.iter().map(|(id, _)| id.clone()).collect();
        assert_eq!(world.credited(&ids).await, std::slice::from_ref(winner));
        for id in ids.iter().filter(|id| *id != winner) {
            assert_eq!(world.read(id).await.view().expect("a view").duplicate_of.as_ref(), Some(winner));
        }
        let claim = world.claim().await;
        assert_eq!((claim.entries().count(), claim.version()), (count, u64::try_from(count).expect("few")));
    }
}

async fn outcomes_are_in_the_order_of_the_writes_whichever_of_them_claim(writes: WriteMethod) {
    let world = World::new(writes).await;
    // A coin with a claim, and existing deposits.
    world.record(confirmed(ConnectDeposits, "taken", HASH)).await;
    for native in ["moved", "moved too"] {
        world.record(early(&deposit(native), "pending")).await;
    }
    let plain = |native: &str| first_write(early(&deposit(native), "pending"));
    let mut all = Vec::new();
    let mut expected = Vec::new();
    // More writes of each kind than one call takes.
    for round in 0..30 {
        all.push(plain(&format!("plain {round}")));
        all.push(first_claim(confirmed(ZerohashFund, &format!("claiming {round}"), &format!("0x{:064}", round + 1))));
        all.push(first_claim(confirmed(ZerohashFund, &format!("losing {round}"), HASH)));
        expected.extend([("written", 1), ("written", 1), ("lost", 0)]);
    }
    all.extend([plain("moved"), first_claim(confirmed(ConnectDeposits, "moved too", OTHER_HASH)), plain("plain")]);
    expected.extend([("lost", 1), ("lost", 1), ("written", 1)]);

    let ids: Vec<ResourceId> = all.iter().map(|write| write.resources[0].item.id().clone()).collect();
    let outcomes = world.table.write(all, at(0)).await;
    let stored = world.table.read(&ids).await.expect("the table answers");
    let versions = stored.iter().map(Resource::version);
    assert_eq!(outcomes.iter().map(name_of).zip(versions).collect::<Vec<_>>(), expected);
}

fn name_of(outcome: &WriteOutcome) -> &'static str {
    match outcome {
        WriteOutcome::Written => "written",
        WriteOutcome::Lost(_) => "lost",
        WriteOutcome::Failed(_) => "failed",
    }
}

async fn what_a_deposit_knows_of_others_is_kept_by_later_writes(writes: WriteMethod) {
    let world = World::new(writes).await;
    let reports = three_reports();
    let ids = reports.clone().map(|report| report.resource);
    for report in reports {
        world.record(report).await;
    }
    let known = |resource: &Resource| {
        let view = resource.view().expect("a view");
        (view.duplicate_of.clone(), view.conflict.clone())
    };
    for id in &ids {
        for late in ["submitted", "pending"] {
            let before = world.read(id).await;
            assert!(known(&before).1.is_some(), "{id} conflicts with the others");
            let write = world.record(statement(id, late, 10, late)).await;
            assert!(write.only_resource().is_some(), "it says nothing new about the coin");
            world.assert_stored(&write).await;
            assert_eq!(known(&world.read(id).await), known(&before), "{id}");
        }
    }
    assert_eq!(known(&world.read(&ids[1]).await).0.as_ref(), Some(&ids[0]));
}

crate::support::by_statements_and_by_puts! {
    a_first_claim_is_stored_with_its_deposit,
    an_entry_is_stored_under_the_version_that_was_read_with_what_other_deposits_must_know,
    a_write_loses_when_anything_in_it_changed_since_it_was_read_and_nothing_of_it_is_stored,
    a_write_that_is_repeated_after_its_response_was_lost_loses_to_itself,
    a_write_on_items_that_are_gone_loses,
    of_writers_that_report_one_coin_at_once_one_wins_and_one_deposit_is_credited,
    outcomes_are_in_the_order_of_the_writes_whichever_of_them_claim,
    what_a_deposit_knows_of_others_is_kept_by_later_writes,
}
