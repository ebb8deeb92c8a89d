//! A payment with several names is returned once.

use std::collections::BTreeSet;

use WithdrawalStatus::{Broadcast, Confirmed, Failed, Submitted};
use fundhook_domain::{
    DecimalValue, Details, EventBody, Kind, Outflow, PaymentStep, Provider, Quantity, RecoveryDetails, RecoveryKey,
    RecoveryStatus, Resource, ResourceId, ReturnPayment, Statement, Status, UnexpectedDeposit, WebhookFamily,
    WithdrawalStatus, events_after, fold,
};

use super::support::{Shape, at, payment, request, statement, withdrawal};
use crate::support::orders::permutations;

fn recovery() -> ResourceId {
    ResourceId::new(Kind::Recovery, Provider::Zerohash, "CUST01:USDC").expect("a valid id")
}

fn key() -> RecoveryKey {
    RecoveryKey::new("CUST01", "USDC", None).expect("an asset")
}

fn value(text: &str) -> DecimalValue {
    text.parse().expect("a decimal")
}

fn stated(status: RecoveryStatus, details: RecoveryDetails, seconds: u64) -> Statement {
    statement(recovery(), Status::Recovery(status), Details::Recovery(Box::new(details)), seconds)
}

/// 100 USDC arrived.
fn arrived() -> Statement {
    let id = ResourceId::new(Kind::Deposit, Provider::Zerohash, "deposit").expect("a valid id");
    let (family, transaction) = (WebhookFamily::ZerohashDepositFailed, "0xcc03".to_owned());
    let deposit =
        UnexpectedDeposit { value: value("100"), transaction, network: None, family, occurred_at: Some(at(0)) };
    stated(RecoveryStatus::Required, RecoveryDetails::of_deposit(key(), id, deposit), 0)
}

fn paid_as(id: ResourceId, also_named: BTreeSet<ResourceId>, status: WithdrawalStatus, seconds: u64) -> Statement {
    let outflow = Outflow { total: Some(Quantity::major(value("100"))), ..Outflow::default() };
    let step = PaymentStep { status, occurred_at: Some(at(seconds)), created_at: None, outflow };
    let payment = ReturnPayment { also_named, steps: BTreeSet::from([step]), ..ReturnPayment::default() };
    stated(RecoveryStatus::InProgress, RecoveryDetails::of_payment(key(), id, payment), seconds)
}

fn paid(shape: Shape, status: WithdrawalStatus, seconds: u64) -> Statement {
    let (id, mut names) = shape.names();
    names.remove(&id);
    paid_as(id, names, status, seconds)
}

fn sum_of(statements: Vec<Statement>) -> RecoveryDetails {
    let resource = statements
        .into_iter()
        .fold(Resource::unknown(recovery()), |resource, statement| fold(resource, statement).into_resource());
    match &resource.view().expect("a view").details {
        Details::Recovery(recovery) => RecoveryDetails::clone(recovery),
        other @ (Details::Transfer(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_)) => {
            unreachable!("a recovery: {other:?}")
        }
    }
}

#[test]
fn a_payment_counts_once_whichever_names_its_webhooks_state_and_in_whichever_order() {
    for shapes in permutations(&Shape::ALL) {
        let life = [Submitted, Broadcast, Confirmed];
        let payments = (10..).step_by(10).zip(shapes.iter().zip(life));
        let payments = payments.map(|(seconds, (shape, status))| paid(*shape, status, seconds));
        let mut all: Vec<Statement> = payments.collect();
        all.push(arrived());
        let orders: Vec<RecoveryDetails> = permutations(&all).into_iter().map(sum_of).collect();
        assert!(orders.iter().all(|sum| *sum == orders[0]), "{shapes:?}");
        let sum = &orders[0];
        assert_eq!(sum.payments.keys().collect::<Vec<_>>(), [&payment()], "under the payment's own id");
        let sums = sum.sums();
        assert_eq!((sums.returned, sums.moving, sums.outstanding), (value("100"), value("0"), value("0")));
        assert_eq!(sum.status(), Status::Recovery(RecoveryStatus::Resolved));
        assert!(sum.related().is_superset(&BTreeSet::from([payment(), request()])));
    }
}

#[test]
fn of_two_final_statuses_under_two_names_the_worse_one_counts() {
    let all = [
        paid(Shape::OnlyRequest, Confirmed, 10),
        paid(Shape::OnlyPayment, Failed, 20),
        paid(Shape::Both, Submitted, 0),
    ];
    for order in permutations(&all) {
        let sum = sum_of(order);
        assert_eq!((sum.payments.len(), sum.payments[&payment()].status()), (1, Failed));
    }
}

#[test]
fn payments_without_a_common_name_stay_apart() {
    let other = |native| withdrawal(Provider::Zerohash, native);
    let both = |payment, request| paid_as(other(payment), BTreeSet::from([other(request)]), Confirmed, 10);
    let all = [both("p1", "r1"), both("p2", "r2"), paid(Shape::OnlyPayment, Confirmed, 10)];
    for order in permutations(&all) {
        assert_eq!(sum_of(order).sums().returned, value("300"));
    }
}

#[test]
fn the_event_names_a_payment_by_all_its_names() {
    let resource = fold(Resource::unknown(recovery()), paid(Shape::Both, Submitted, 10)).into_resource();
    let event = events_after(&resource, 0).remove(0);
    let EventBody::Recovery(body) = event.data.body else { unreachable!("a recovery") };
    let [only] = &body.payments[..] else { unreachable!("one payment: {body:?}") };
    assert_eq!((&only.resource, &only.also_named), (&payment(), &BTreeSet::from([request()])));
}
