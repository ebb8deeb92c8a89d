//! Statements about a recovery: 100 USDC on Base of `CUST01`, as in the samples.

use std::collections::BTreeSet;

use fundhook_domain::{
    Details, FactId, Feed, Kind, Network, Outflow, PaymentStep, Provider, Quantity, RecoveryBody, RecoveryDetails,
    RecoveryKey, RecoveryStatus, ResourceId, ReturnPayment, Statement, StatementContent, Status, UnexpectedDeposit,
    View, WebhookFamily, WithdrawalStatus,
};

use super::{at, statement_in};

/// The user who owns the money.
pub(crate) const ACCOUNT: &str = "CUST01";
/// The transaction in which the money arrived.
pub(crate) const HASH: &str = "a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff";

fn key() -> RecoveryKey {
    RecoveryKey::new(ACCOUNT, "USDC", network().as_ref()).expect("an asset")
}

fn network() -> Option<Network> {
    Some(Network::named("BASE"))
}

fn recovery(status: RecoveryStatus, bytes: &str, details: RecoveryDetails, seconds: u64) -> Statement {
    let resource = RecoveryKey::resource(&Feed::from(Provider::Zerohash), "CUST01:USDC").expect("an id");
    let id = FactId::of(&resource, "", bytes.as_bytes());
    let details = Details::Recovery(Box::new(details));
    let content = StatementContent { id, details, ..statement_in(bytes, Status::Recovery(status), seconds).content };
    Statement { resource, content }
}

/// The deposit that the provider of `family` calls `native`.
pub(crate) fn deposit_id(family: WebhookFamily, native: &str) -> ResourceId {
    let provider = if family == WebhookFamily::ConnectDeposits { Provider::Connect } else { Provider::Zerohash };
    ResourceId::new(Kind::Deposit, provider, native).expect("an id")
}

/// The payment that zerohash calls `native`.
pub(crate) fn payment_id(native: &str) -> ResourceId {
    ResourceId::new(Kind::Withdrawal, Provider::Zerohash, native).expect("an id")
}

fn of_deposit(family: WebhookFamily, native: &str, hash: &str, value: &str, seconds: u64) -> RecoveryDetails {
    let deposit = UnexpectedDeposit {
        value: value.parse().expect("a decimal"),
        transaction: hash.to_owned(),
        network: network(),
        family,
        occurred_at: Some(at(seconds)),
    };
    RecoveryDetails::of_deposit(key(), deposit_id(family, native), deposit)
}

fn of_payment(native: &str, status: WithdrawalStatus, value: Option<&str>, seconds: u64) -> RecoveryDetails {
    let total = value.map(|value| Quantity::major(value.parse().expect("a decimal")));
    let step = PaymentStep {
        status,
        occurred_at: Some(at(seconds)),
        created_at: None,
        outflow: Outflow { total, ..Outflow::default() },
    };
    let payment = ReturnPayment { network: network(), steps: BTreeSet::from([step]), ..ReturnPayment::default() };
    RecoveryDetails::of_payment(key(), payment_id(native), payment)
}

/// The statement of `family` that the deposit `native` arrived in the transaction `hash` at `seconds`.
pub(crate) fn announced(family: WebhookFamily, native: &str, hash: &str, value: &str, seconds: u64) -> Statement {
    let details = of_deposit(family, native, hash, value, seconds);
    recovery(RecoveryStatus::Required, &format!("{family} {native} {hash} {value} {seconds}"), details, seconds)
}

/// The statement that the payment `native` reached `status` at `seconds`.
pub(crate) fn paid(native: &str, status: WithdrawalStatus, value: Option<&str>, seconds: u64) -> Statement {
    let recovery_status = match status {
        WithdrawalStatus::Initiated | WithdrawalStatus::Submitted | WithdrawalStatus::Broadcast => {
            RecoveryStatus::InProgress
        }
        WithdrawalStatus::Confirmed => RecoveryStatus::Resolved,
        WithdrawalStatus::Failed | WithdrawalStatus::Abandoned | WithdrawalStatus::Returned => RecoveryStatus::Required,
    };
    let bytes = format!("{native} {status:?} {value:?} {seconds}");
    recovery(recovery_status, &bytes, of_payment(native, status, value, seconds), seconds)
}

/// Each step of the payment with this outflow.
pub(super) fn with_outflow(payment: &mut ReturnPayment, outflow: &Outflow) {
    let with = |mut step: PaymentStep| {
        step.outflow.clone_from(outflow);
        step
    };
    payment.steps = std::mem::take(&mut payment.steps).into_iter().map(with).collect();
}

/// One coin as three webhook families report it, each with its own id and time.
pub(crate) fn announcements() -> Vec<Statement> {
    vec![
        announced(WebhookFamily::ConnectDeposits, "1c4c31e6", &format!("{HASH}-0"), "100", 0),
        announced(WebhookFamily::ZerohashDepositFailed, "a07407e8", HASH, "100", 30),
        announced(WebhookFamily::ZerohashDepositStatus, "eecb7555", HASH, "100.00", 3),
    ]
}

/// The three statements about the returning payment, with one date, as in the samples.
pub(crate) fn payments() -> Vec<Statement> {
    let (submitted, posted) = (WithdrawalStatus::Submitted, WithdrawalStatus::Broadcast);
    let statuses = [submitted, posted, WithdrawalStatus::Confirmed];
    statuses.into_iter().map(|status| paid("b752503c", status, Some("100.00"), 60)).collect()
}

/// So many deposits, and as many payments that return them.
pub(crate) fn many(count: u64) -> Vec<Statement> {
    let deposit = |number: u64| {
        let hash = format!("0x{:064x}", number + 1);
        announced(WebhookFamily::ZerohashDepositStatus, &format!("deposit-{number}"), &hash, "1", number)
    };
    let payment =
        |number: u64| paid(&format!("payment-{number}"), WithdrawalStatus::Confirmed, Some("1"), count + number);
    (0..count).map(deposit).chain((0..count).map(payment)).collect()
}

/// The details of a view of a recovery.
pub(crate) fn sum(view: &View) -> &RecoveryDetails {
    let sum = if let Details::Recovery(details) = &view.details { Some(&**details) } else { None };
    sum.expect("the view is of a recovery")
}

/// What an event about that view contains.
pub(crate) fn body(view: &View) -> RecoveryBody {
    sum(view).clone().into()
}

/// The least that a webhook states about a recovery that reaches `status`.
pub(super) fn details_of(status: RecoveryStatus) -> Details {
    Details::Recovery(Box::new(match status {
        // No webhook states that a recovery is suspended: it follows from what other deposits say.
        RecoveryStatus::Required | RecoveryStatus::Suspended => {
            of_deposit(WebhookFamily::ZerohashDepositStatus, "eecb7555", HASH, "100", 0)
        }
        RecoveryStatus::InProgress => of_payment("b752503c", WithdrawalStatus::Submitted, Some("100"), 0),
        // Nothing is known to have arrived, and nothing was returned.
        RecoveryStatus::Resolved => of_payment("b752503c", WithdrawalStatus::Failed, Some("100"), 0),
    }))
}

/// A recovery with every detail, in `status`.
pub(super) fn whole(status: RecoveryStatus) -> Details {
    let payment = match status {
        RecoveryStatus::Required | RecoveryStatus::Suspended => WithdrawalStatus::Failed,
        RecoveryStatus::InProgress => WithdrawalStatus::Broadcast,
        RecoveryStatus::Resolved => WithdrawalStatus::Confirmed,
    };
    let deposits = of_deposit(WebhookFamily::ZerohashDepositStatus, "eecb7555", HASH, "100", 0).deposits;
    let mut payments = of_payment("b752503c", payment, Some("100"), 0).payments;
    payments.values_mut().for_each(|payment| payment.also_named = BTreeSet::from([payment_id("0d0bd4c9")]));
    let [account, asset] = key().parts().map(str::to_owned);
    Details::Recovery(Box::new(RecoveryDetails {
        account,
        asset,
        deposits,
        payments,
        suspended: BTreeSet::new(),
        decided: BTreeSet::new(),
    }))
}
