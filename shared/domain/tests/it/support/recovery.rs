//! What webhooks say about the return of unexpected money: 100 USDC on Base of `CUST01`, as in the samples.

use fundhook_domain::{
    Details, FactId, Feed, Kind, Network, Provider, RecoveryBody, RecoveryDetails, RecoveryStatus, ResourceId,
    ReturnPayment, Statement, Status, UnexpectedDeposit, View, WithdrawalStatus,
};

use super::{at, statement_in};

/// The user whose money it is.
pub(crate) const ACCOUNT: &str = "CUST01";
/// The transaction that the money came in.
pub(crate) const HASH: &str = "a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff";

fn network() -> Option<Network> {
    Some(Network::named("BASE"))
}

fn recovery(status: RecoveryStatus, bytes: &str, details: RecoveryDetails, seconds: u64) -> Statement {
    let resource = RecoveryDetails::resource(&Feed::from(Provider::Zerohash), ACCOUNT, "USDC", network().as_ref());
    let resource = resource.expect("an id");
    let fact = FactId::of(&resource, "", bytes.as_bytes());
    let details = Details::Recovery(Box::new(details));
    Statement { resource, fact, details, ..statement_in(bytes, Status::Recovery(status), seconds) }
}

/// The deposit that the stream's provider calls `native`.
pub(crate) fn deposit_id(stream: &str, native: &str) -> ResourceId {
    let provider = if stream.starts_with("connect.") { Provider::Connect } else { Provider::Zerohash };
    ResourceId::new(Kind::Deposit, provider, native).expect("an id")
}

/// The payment that zerohash calls `native`.
pub(crate) fn payment_id(native: &str) -> ResourceId {
    ResourceId::new(Kind::Withdrawal, Provider::Zerohash, native).expect("an id")
}

fn of_deposit(stream: &str, native: &str, hash: &str, value: &str, seconds: u64) -> RecoveryDetails {
    let deposit = UnexpectedDeposit {
        value: value.parse().expect("a decimal"),
        transaction: hash.to_owned(),
        stream: stream.to_owned(),
        occurred_at: at(seconds),
    };
    RecoveryDetails::of_deposit(ACCOUNT.into(), "USDC".into(), network(), deposit_id(stream, native), deposit)
}

fn of_payment(native: &str, status: WithdrawalStatus, value: Option<&str>) -> RecoveryDetails {
    let value = value.map(|value| value.parse().expect("a decimal"));
    let payment = ReturnPayment { status, value };
    RecoveryDetails::of_payment(ACCOUNT.into(), "USDC".into(), network(), payment_id(native), payment)
}

/// `stream` says after so many `seconds` that the deposit `native` came in the transaction `hash`.
pub(crate) fn announced(stream: &str, native: &str, hash: &str, value: &str, seconds: u64) -> Statement {
    let details = of_deposit(stream, native, hash, value, seconds);
    recovery(RecoveryStatus::Required, &format!("{stream} {native} {hash} {value} {seconds}"), details, seconds)
}

/// The payment `native` came to `status` after so many `seconds`.
pub(crate) fn paid(native: &str, status: WithdrawalStatus, value: Option<&str>, seconds: u64) -> Statement {
    let recovery_status = match status {
        WithdrawalStatus::Initiated | WithdrawalStatus::Submitted | WithdrawalStatus::Broadcast => {
            RecoveryStatus::InProgress
        }
        WithdrawalStatus::Confirmed => RecoveryStatus::Resolved,
        WithdrawalStatus::Failed | WithdrawalStatus::Abandoned => RecoveryStatus::Required,
    };
    let bytes = format!("{native} {status:?} {value:?} {seconds}");
    recovery(recovery_status, &bytes, of_payment(native, status, value), seconds)
}

/// The one coin as three streams announce it, each with an id and a time of its own.
pub(crate) fn announcements() -> Vec<Statement> {
    vec![
        announced("connect.deposits", "1c4c31e6", &format!("{HASH}-0"), "100", 0),
        announced("zerohash.deposit_failed", "a07407e8", HASH, "100", 30),
        announced("zerohash.deposit", "eecb7555", HASH, "100.00", 3),
    ]
}

/// The three statements about the payment back: of one date, as in the samples.
pub(crate) fn payments() -> Vec<Statement> {
    let (submitted, posted) = (WithdrawalStatus::Submitted, WithdrawalStatus::Broadcast);
    let statuses = [submitted, posted, WithdrawalStatus::Confirmed];
    statuses.into_iter().map(|status| paid("b752503c", status, Some("100.00"), 60)).collect()
}

/// What a view says about a recovery.
pub(crate) fn sum(view: &View) -> &RecoveryDetails {
    let sum = if let Details::Recovery(details) = &view.details { Some(&**details) } else { None };
    sum.expect("the view is of a recovery")
}

/// What subscribers read of a recovery in that state.
pub(crate) fn body(view: &View) -> RecoveryBody {
    sum(view).clone().into()
}

/// The least that a webhook says about a recovery that so comes to `status`.
pub(super) fn details_of(status: RecoveryStatus) -> Details {
    Details::Recovery(Box::new(match status {
        RecoveryStatus::Required => of_deposit("zerohash.deposit", "eecb7555", HASH, "100", 0),
        RecoveryStatus::InProgress => of_payment("b752503c", WithdrawalStatus::Submitted, Some("100")),
        RecoveryStatus::Resolved => of_payment("b752503c", WithdrawalStatus::Confirmed, Some("100")),
    }))
}

/// A recovery of which everything is said, and which so stands at `status`.
pub(super) fn whole(status: RecoveryStatus) -> Details {
    let payment = match status {
        RecoveryStatus::Required => WithdrawalStatus::Failed,
        RecoveryStatus::InProgress => WithdrawalStatus::Broadcast,
        RecoveryStatus::Resolved => WithdrawalStatus::Confirmed,
    };
    let deposits = of_deposit("zerohash.deposit", "eecb7555", HASH, "100", 0).deposits;
    let payments = of_payment("b752503c", payment, Some("100")).payments;
    let (account, asset) = (ACCOUNT.to_owned(), "USDC".to_owned());
    Details::Recovery(Box::new(RecoveryDetails { account, asset, network: network(), deposits, payments }))
}
