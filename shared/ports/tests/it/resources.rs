//! The table of resources: conditional writes, claims and the fates of writes; and receipts.

use fundhook_domain::{
    Attestation, Claim, Details, Evidence, EvidenceClass, EvidencePointer, FactId, Kind, Provider, Reading, Resource,
    ResourceId, Scheme, Statement, StatementContent, Status, Transaction, TransferDetails, fold,
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
        details: Details::Transfer(Box::default()),
        evidence: Evidence { received_at: at(seconds), attestation, archived },
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

/// The claim of the deposit `native` on the one coin of these tests.
fn claim(native: &str) -> Claim {
    let transaction =
        Transaction { hash: Some("0xcd9e98ae".to_owned()), to: Some("0x34f53aea".to_owned()), ..Default::default() };
    let details = TransferDetails { asset: Some("USDC".to_owned()), transaction, ..TransferDetails::default() };
    details.claim_by(&deposit(native)).expect("a coin")
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
async fn a_resource_and_its_claim_are_stored_together_or_not_at_all() {
    let table = Fake::<ResourceTable>::default();
    let claiming = |native| Write { claim: Some(claim(native)), ..first_write(native) };
    assert!(matches!(outcome(&table, claiming("a")).await, WriteOutcome::Written));
    let WriteOutcome::Claimed(taken) = outcome(&table, claiming("b")).await else {
        unreachable!("the coin is claimed")
    };
    assert_eq!((taken.owner, table.resource(&deposit("b")).version()), (deposit("a"), 0));
    // A write that lost its version claims nothing either.
    let table = Fake::holding([first_write("b").resource]);
    assert!(matches!(outcome(&table, claiming("b")).await, WriteOutcome::Lost(_)));
    let coins = [claim("a").coin];
    assert!(table.claims(&coins).await.expect("it is up").is_empty());
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
async fn reads_are_recorded_as_asked_and_answered_in_another_order() {
    let table = Fake::holding([first_write("a").resource]);
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
        asset: "USDC".to_owned(),
        value: "1".parse().expect("a decimal"),
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
