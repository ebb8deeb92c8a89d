//! The table of resources: conditional writes, claims and the fates of writes; and receipts.

use fundhook_domain::{
    Attestation, Claim, CorrelationId, Details, Evidence, EvidenceClass, EvidencePointer, FactId, Kind, NewFact,
    Provider, Reading, Resource, ResourceId, Scheme, Statement, StatementContent, Status, Stored, Transaction,
    TransferDetails, WebhookFamily, fold,
};
use fundhook_ports::fakes::{Fail, Fake, Fate, ReceiptTable, ResourceTable};
use fundhook_ports::{Claims, Disposition, Receipts, Resources, Write, WriteOutcome};
use fundhook_reconciliation::Receipt;

use crate::at;

fn deposit(native: &str) -> ResourceId {
    ResourceId::new(Kind::Deposit, Provider::Connect, native).expect("a valid id")
}

/// The deposit `native` reached the status `name` this many seconds after the start.
fn statement(native: &str, name: &str, seconds: i64) -> Statement {
    let (resource, event_type) = (deposit(native), format!("connect.deposits.{name}"));
    let attestation = Attestation {
        scheme: Scheme::ConnectRsaSha256,
        class: EvidenceClass::Asymmetric,
        key: "key".to_owned(),
        signed_at: None,
        token_verified: false,
    };
    let archived = EvidencePointer { object: "object".to_owned(), line: 0 };
    let content = StatementContent {
        id: FactId::of(&resource, &event_type, seconds.to_string().as_bytes()),
        event_type,
        status: Some(Status::named(Kind::Deposit, name).expect("a status of deposits")),
        occurred_at: at(seconds),
        undated: false,
        details: Details::Transfer(Box::default()),
        evidence: Evidence {
            received_at: at(seconds),
            attestation,
            archived,
            correlation_id: CorrelationId::of([seconds.to_string().as_bytes()]),
            backfilled: None,
        },
        reading: Reading { at: at(seconds), revision: 1, settings: String::new() },
    };
    Statement { resource, content }
}

/// The write that adds `statement` to `resource`.
fn write(resource: Resource, statement: Statement) -> Write {
    let read_version = resource.version();
    Write::of(fold(resource, statement).into_resource(), read_version)
}

fn first_write(native: &str) -> Write {
    write(Resource::unknown(deposit(native)), statement(native, "pending", 0))
}

/// The only coin of these tests reached the status `name`, as the deposit `native` of `provider` reports.
fn reported(provider: Provider, native: &str, name: &str) -> Statement {
    let resource = ResourceId::new(Kind::Deposit, provider, native).expect("a valid id");
    let mut statement = Statement { resource, ..statement(native, name, 40) };
    let family = match provider {
        Provider::Connect => WebhookFamily::ConnectDeposits,
        Provider::Zerohash => WebhookFamily::ZerohashFund,
        Provider::Striga => WebhookFamily::StrigaTransactions,
    };
    let hash = "0xcd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569";
    let to = "0x34f53aea3ba8b60b0ed19106baf43a4f3f73f242";
    let transaction = Transaction { hash: Some(hash.to_owned()), to: Some(to.to_owned()), ..Transaction::default() };
    let (asset, family) = (Some("USDC".to_owned()), Some(family));
    let details = TransferDetails { asset, transaction, family, ..TransferDetails::default() };
    statement.content.details = Details::Transfer(Box::new(details));
    statement
}

/// The write of `fact` on top of everything in `table`.
fn due(table: &Fake<ResourceTable>, fact: impl Into<NewFact>) -> Write {
    let mut stored = Stored::default();
    let table = table.now().clone();
    table.resources.into_values().for_each(|resource| stored.know(resource));
    table.claims.into_values().for_each(|claim| stored.know_claim(claim));
    stored.record(&[fact.into()]).expect("an owner").expect("something new")
}

async fn outcome(table: &Fake<ResourceTable>, write: Write) -> WriteOutcome {
    table.write(vec![write], at(0)).await.pop().expect("an outcome")
}

#[tokio::test]
async fn a_write_is_stored_only_at_the_version_at_which_it_was_read() {
    let table = Fake::<ResourceTable>::default();
    assert!(matches!(outcome(&table, first_write("a")).await, WriteOutcome::Written));
    let WriteOutcome::Lost(Some(current)) = outcome(&table, first_write("a")).await else {
        unreachable!("the version has changed")
    };
    assert_eq!((current.version(), &current), (1, &table.resource(&deposit("a"))));
    let next = write(current, statement("a", "submitted", 10));
    assert!(matches!(outcome(&table, next).await, WriteOutcome::Written));
    let published = table.now().published.iter().map(|event| event.sequence).collect::<Vec<_>>();
    assert_eq!(published, [1, 2], "what lost is not published");
}

#[tokio::test]
async fn resources_and_claims_are_stored_together_or_not_at_all() {
    let pending = statement("a", "pending", 0);
    let (a, b) = (reported(Provider::Connect, "a", "confirmed"), reported(Provider::Zerohash, "b", "confirmed"));
    let contradiction = |provider| reported(provider, "c", "unexpected");
    let late = |report: &Statement| reported(report.resource.feed().provider(), report.resource.native(), "submitted");
    // What is known, what is recorded between reading and writing, and what is written.
    for (what, known, meanwhile, report) in [
        ("the claim", vec![], b.clone(), a.clone()),
        ("the resource", vec![], pending.clone(), a.clone()),
        ("the resource, which was known", vec![pending], a.clone(), a.clone()),
        ("another resource, the first of the write", vec![a.clone()], late(&a), contradiction(Provider::Zerohash)),
        ("another resource, the last of the write", vec![b.clone()], late(&b), contradiction(Provider::Connect)),
    ] {
        let table = Fake::<ResourceTable>::default();
        known.into_iter().for_each(|statement| table.now().record(statement.into()));
        let loser = due(&table, report);
        table.now().record(meanwhile.clone().into());
        let before = table.now().clone();
        let is_written = loser.resources.iter().any(|resource| *resource.item.id() == meanwhile.resource);
        let WriteOutcome::Lost(current) = outcome(&table, loser).await else { unreachable!("{what} has changed") };
        assert_eq!(current, is_written.then(|| table.resource(&meanwhile.resource)), "{what}");
        let ResourceTable { resources, claims, published, .. } = table.now().clone();
        assert_eq!((resources, claims, published), (before.resources, before.claims, before.published), "{what}");
    }
}

#[tokio::test]
async fn of_two_reports_of_one_coin_the_second_is_recorded_under_the_claim_that_was_read() {
    let table = Fake::<ResourceTable>::default();
    let (a, b) = (reported(Provider::Connect, "a", "confirmed"), reported(Provider::Zerohash, "b", "confirmed"));
    let key = [due(&table, a.clone()).claims[0].item.key().clone()];
    for (report, version) in [(&a, 0), (&b, 1)] {
        let versions: Vec<u64> = table.claims(&key).await.expect("it is up").iter().map(Claim::version).collect();
        assert_eq!(versions, [version], "a claim that was never written has version 0");
        assert!(matches!(outcome(&table, due(&table, report.clone())).await, WriteOutcome::Written));
    }
    let credited = |report: &Statement| table.resource(&report.resource).view().is_some_and(|view| view.is_credited());
    assert_eq!((credited(&a), credited(&b)), (true, false));
    table.now().on_read = Fail::Next(1);
    table.claims(&key).await.expect_err("claims are down when reads are");
}

#[tokio::test]
async fn each_fate_happens_once_and_writes_after_it_are_honest() {
    let rival = statement("a", "submitted", 10);
    for (fate, is_expected, version) in [
        (Fate::LosesTo(rival.clone().into()), (|it| matches!(it, WriteOutcome::Lost(Some(_)))) as fn(&_) -> bool, 1),
        (Fate::LosesBlindlyTo(rival.into()), |it| matches!(it, WriteOutcome::Lost(None)), 1),
        (Fate::Fails(Disposition::DeadLetter), |it| matches!(it, WriteOutcome::Failed(_)), 0),
        (Fate::FailsStored, |it| matches!(it, WriteOutcome::Failed(_)), 1),
        (Fate::LosesToItself, |it| matches!(it, WriteOutcome::Lost(Some(_))), 1),
    ] {
        let table = Fake::<ResourceTable>::default().with_fates(deposit("a"), [fate.clone()]);
        let met = outcome(&table, first_write("a")).await;
        assert!(is_expected(&met), "{fate:?}: {met:?}");
        assert_eq!(table.resource(&deposit("a")).version(), version, "{fate:?}");
        let next = write(table.resource(&deposit("a")), statement("a", "confirmed", 40));
        assert!(matches!(outcome(&table, next).await, WriteOutcome::Written), "{fate:?}");
    }
}

#[tokio::test]
async fn a_write_of_several_resources_has_the_fate_of_the_one_that_has_a_fate() {
    // The second report contradicts the first, so it is also a fact of the first deposit.
    let (a, b) = (reported(Provider::Connect, "a", "confirmed"), reported(Provider::Zerohash, "b", "unexpected"));
    for fated in [&a, &b] {
        let table = Fake::<ResourceTable>::default();
        table.now().record(a.clone().into());
        let table = table.with_fates(fated.resource.clone(), [Fate::Fails(Disposition::Retry)]);
        let versions = || [&a, &b].map(|report| table.resource(&report.resource).version());
        let write = due(&table, b.clone());
        assert_eq!(write.resources.len(), 2);
        assert!(matches!(outcome(&table, write.clone()).await, WriteOutcome::Failed(_)), "{}", fated.resource);
        assert_eq!(versions(), [1, 0], "{}", fated.resource);
        assert!(matches!(outcome(&table, write).await, WriteOutcome::Written), "{}", fated.resource);
        assert_eq!(versions(), [2, 2], "{}", fated.resource);
    }
}

#[tokio::test]
async fn reads_are_recorded_as_asked_and_answered_in_another_order() {
    let table = Fake::holding([fold(Resource::unknown(deposit("a")), statement("a", "pending", 0)).into_resource()]);
    table.now().on_read = Fail::After(1);
    let ids = [deposit("a"), deposit("b")];
    let read = table.read(&ids).await.expect("the first read succeeds");
    let versions: Vec<_> = read.iter().map(|resource| (resource.id().clone(), resource.version())).collect();
    assert_eq!(versions, [(deposit("b"), 0), (deposit("a"), 1)]);
    table.read(&ids[..1]).await.expect_err("the second one fails");
    assert_eq!(table.reads(), [ids.to_vec(), ids[..1].to_vec()]);
}

#[tokio::test]
async fn the_last_receipt_of_a_resource_is_kept_and_every_call_is_shown() {
    let receipt = |event: &str| Receipt {
        resource: deposit("a"),
        event: event.to_owned(),
        moved: Vec::new(),
        posted: Vec::new(),
        published_at: at(0),
    };
    let table = Fake::<ReceiptTable>::default();
    table.note(&[receipt("first")]).await.expect("it is up");
    table.now().on_note = Fail::Next(1);
    table.note(&[receipt("never")]).await.expect_err("it is down");
    table.note(&[receipt("second")]).await.expect("it is up again");
    assert_eq!(table.receipts(&[deposit("b"), deposit("a")]).await.expect("it is up"), [receipt("second")]);
    assert_eq!((table.noted(), table.calls()), (vec![receipt("first"), receipt("second")], 2));
}
