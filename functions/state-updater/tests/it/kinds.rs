//! Kinds that are not transfers: a recovery is one sum, and a kind without a final status evicts old facts.

use aws_lambda_events::sqs::SqsBatchResponse;
use fundhook_domain::{
    AccountDetails, Details, Kind, LATEST_FACTS_MAX, Outflow, PaymentStep, Provider, Quantity, RecoveryDetails,
    RecoveryKey, Resource, ResourceId, ReturnPayment, Statement, UnexpectedDeposit, WebhookFamily, WithdrawalStatus,
};
use fundhook_ports::fakes::Fate;
use state_updater::StateUpdater;

use crate::support::disturbed::no_pause;
use crate::support::{Table, at, batch_of, failed, folded, statement_of};

async fn handled(table: &Table, statements: &[Statement]) -> SqsBatchResponse {
    StateUpdater::new(table.clone(), no_pause).handle(batch_of(statements), at(100)).await
}

fn id(kind: Kind, provider: Provider, native: &str) -> ResourceId {
    ResourceId::new(kind, provider, native).expect("a valid id")
}

/// An unexpected deposit of 100, announced by one webhook family, as a statement about the recovery.
fn came(provider: Provider, native: &str, family: WebhookFamily, seconds: i64) -> Statement {
    let deposit = UnexpectedDeposit {
        value: "100".parse().expect("a decimal"),
        transaction: "a07407e8".to_owned(),
        network: None,
        family,
        occurred_at: Some(at(seconds)),
    };
    let deposit_id = id(Kind::Deposit, provider, native);
    let details = RecoveryDetails::of_deposit(recovery_key(), deposit_id, deposit);
    recovery(provider, "required", seconds, details)
}

/// A payment of 100 in this status, as a statement about the recovery.
fn went(status: WithdrawalStatus, name: &str, seconds: i64) -> Statement {
    let total = "100".parse().ok().map(Quantity::major);
    let outflow = Outflow { total, ..Outflow::default() };
    let step = PaymentStep { status, occurred_at: Some(at(seconds)), created_at: None, outflow };
    let payment = ReturnPayment { steps: [step].into(), ..ReturnPayment::default() };
    let payment_id = id(Kind::Withdrawal, Provider::Zerohash, "b752503c");
    let details = RecoveryDetails::of_payment(recovery_key(), payment_id, payment);
    recovery(Provider::Zerohash, name, seconds, details)
}

fn recovery_key() -> RecoveryKey {
    RecoveryKey::new("CUST01", "USDC", None).expect("an asset")
}

fn recovery(provider: Provider, name: &str, seconds: i64, details: RecoveryDetails) -> Statement {
    let resource = RecoveryKey::resource(&provider.into(), "CUST01:USDC").expect("a valid id");
    statement_of(resource, name, seconds, Details::Recovery(Box::new(details)))
}

/// One coin that three families announce, and the payment that returns it.
fn whole_recovery() -> Vec<Statement> {
    vec![
        came(Provider::Zerohash, "failed", WebhookFamily::ZerohashDepositFailed, 3),
        went(WithdrawalStatus::Confirmed, "resolved", 30),
        came(Provider::Connect, "unexpected", WebhookFamily::ConnectDeposits, 1),
        went(WithdrawalStatus::Submitted, "in_progress", 10),
        came(Provider::Zerohash, "quarantine", WebhookFamily::ZerohashDepositStatus, 2),
    ]
}

#[tokio::test]
async fn all_statements_of_a_batch_about_one_recovery_are_one_write() {
    let statements = whole_recovery();
    let table = Table::default();
    assert!(failed(&handled(&table, &statements).await).is_empty());
    let of_all = [statements[0].resource.clone()];
    assert_eq!((table.reads(), table.writes()), (vec![of_all.to_vec()], vec![of_all.to_vec()]));

    let resources = table.resources();
    let [resource] = &resources[..] else { unreachable!("one recovery: {resources:?}") };
    assert_eq!(resource.version(), 5);
    let view = resource.view().expect("a view");
    let Details::Recovery(details) = &view.details else { unreachable!("a recovery: {view:?}") };
    let sums = details.sums();
    let sums = [sums.expected, sums.returned, sums.outstanding].map(|value| value.to_string());
    assert_eq!((sums.join(" "), view.status.expect("a status").as_str()), ("100 100 0".to_owned(), "resolved"));
}

#[tokio::test]
async fn a_recovery_that_two_updaters_write_at_once_has_the_facts_of_both() {
    let statements = whole_recovery();
    let (rivals, own) = statements.split_at(2);
    let table = Table::default();
    let fates = [Fate::LosesTo(rivals[0].clone().into()), Fate::LosesBlindlyTo(rivals[1].clone().into())];
    table.now().fates.insert(statements[0].resource.clone(), fates.into());
    assert!(failed(&handled(&table, own).await).is_empty());
    assert_eq!(table.resources(), [folded(&statements)]);
    assert_eq!(table.writes().len(), 3);
}

/// The user's status changed this many seconds after the start.
fn changed(seconds: i64) -> Statement {
    let name = if seconds % 2 == 0 { "approved" } else { "locked" };
    let details = AccountDetails { updated_at: Some(at(seconds)), ..AccountDetails::default() };
    let participant = id(Kind::Participant, Provider::Zerohash, "CUST01");
    statement_of(participant, name, seconds, Details::Account(Box::new(details)))
}

#[tokio::test]
async fn statements_older_than_all_kept_facts_are_finished_without_a_write() {
    let kept = i64::try_from(LATEST_FACTS_MAX).expect("few");
    let newest: Vec<Statement> = (100..100 + kept).map(changed).collect();
    let table = Table::holding([folded(&newest)]);
    let old: Vec<Statement> = (0..10).map(changed).collect();
    assert!(failed(&handled(&table, &old).await).is_empty());
    assert_eq!((table.reads().len(), table.writes().len()), (1, 0));
    assert_eq!(table.resources(), [folded(&newest)]);

    // A newer statement in the same batch is written, and evicts the oldest fact.
    let statements = [changed(0), changed(1000), changed(1)];
    assert!(failed(&handled(&table, &statements).await).is_empty());
    assert_eq!(table.writes().len(), 1);
    let resources = table.resources();
    let [resource] = &resources[..] else { unreachable!("one participant: {resources:?}") };
    assert_eq!((resource.facts().len(), resource.version()), (LATEST_FACTS_MAX, kept.cast_unsigned() + 1));
    assert!(!resource.facts().iter().any(|fact| fact.content.occurred_at() == at(100)));
}

#[tokio::test]
async fn a_resource_that_has_evicted_facts_is_still_written_conditionally() {
    let kept = i64::try_from(LATEST_FACTS_MAX).expect("few");
    let many: Vec<Statement> = (0..kept + 20).map(changed).collect();
    let table = Table::default();
    for batch in many.chunks(10) {
        assert!(failed(&handled(&table, batch).await).is_empty());
    }
    let rival = changed(5000);
    table.now().fates.insert(rival.resource.clone(), [Fate::LosesTo(rival.clone().into())].into());
    assert!(failed(&handled(&table, &[changed(4000)]).await).is_empty());
    let expected: Resource = folded(&[many, vec![rival, changed(4000)]].concat());
    assert_eq!(table.resources(), std::slice::from_ref(&expected));
    assert_eq!((expected.facts().len(), expected.version()), (LATEST_FACTS_MAX, kept.cast_unsigned() + 22));
}
