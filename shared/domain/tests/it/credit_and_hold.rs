//! Credits and holds in events: a credit says what may be booked, a hold why nothing may be.

use fundhook_domain::{
    Change, Credit, DecidedBy, Event, EventBody, FeeBearer, Hold, HoldForce, HoldReason, Kind, Location, Needs,
    Outcome, Provider, ResourceId, Statement, Status, events_after, fold,
};
use serde_json::json;

use crate::support::money::{credited, held, with_fee};
use crate::support::whole::{every_sort, whole};
use crate::support::{deposit, duplicate_of, events, folded, latest, status, types, view, with, withdrawal};

fn money_of(event: &Event) -> (Option<&Credit>, Option<&Hold>) {
    let body = if let EventBody::Transfer(body) = &event.data.body { Some(body) } else { None };
    (body.and_then(|body| body.credit.as_ref()), body.and_then(|body| body.hold.as_ref()))
}

#[test]
fn an_event_has_a_credit_exactly_when_the_deposit_is_confirmed_and_neither_conflicting_nor_a_duplicate() {
    let (mut with_credit, mut without) = (0, 0);
    for event in every_sort() {
        let is_deposit = event.data.resource.kind() == Kind::Deposit;
        let is_confirmed = is_deposit && event.data.status == Some("confirmed");
        let may_be_booked = is_confirmed && event.data.conflicting.is_empty() && event.data.duplicate_of.is_none();
        let (credit, hold) = money_of(&event);
        assert_eq!(credit.is_some(), may_be_booked, "{} of {:?}", event.event_type, event.data.status);
        assert_eq!(hold.is_some(), is_deposit && event.data.status == Some("held"), "{}", event.event_type);
        // What a filter policy for `confirmed` selects.
        let selected = is_deposit && event.status_attribute() == Some("confirmed");
        assert_eq!(selected, may_be_booked, "{}", event.event_type);
        with_credit += usize::from(may_be_booked);
        without += usize::from(is_confirmed && !may_be_booked);
    }
    assert!(with_credit > 3 && without > 3, "{with_credit} and {without}");
}

#[test]
fn a_credit_of_another_status_and_a_hold_of_another_kind_are_not_published() {
    // No provider's normaliser makes these.
    let credit = with_fee(FeeBearer::Customer, DecidedBy::Numbers);
    for (of, name) in [(Kind::Deposit, "submitted"), (Kind::Deposit, "failed"), (Kind::Withdrawal, "confirmed")] {
        let statement = with(crate::support::statement(status(of, name), 0), |details| {
            details.credit = Some(credit.clone());
            details.hold = Some(HoldReason::Quarantined.into());
        });
        assert_eq!(money_of(&latest([&statement])), (None, None), "{of} {name}");
    }
}

#[test]
fn no_event_of_a_duplicate_has_a_credit_and_another_credit_of_it_is_an_update() {
    let by_setting = credited(with_fee(FeeBearer::Platform, DecidedBy::Setting), 40);
    let by_numbers = credited(with_fee(FeeBearer::Customer, DecidedBy::Numbers), 40);
    let owner = ResourceId::new(Kind::Deposit, Provider::Zerohash, "fund-1").expect("an id");
    let duplicate = duplicate_of(&owner, [&deposit("pending", 0), &by_setting, &by_numbers]);
    let published = events_after(&duplicate, 0);
    let expected = ["pending", "duplicate", "updated"];
    assert_eq!(types(&published), expected.map(|outcome| format!("fundhook.deposit.{outcome}")));
    assert!(published.iter().all(|event| money_of(event).0.is_none()));
}

#[test]
fn a_confirmed_deposit_is_published_again_when_numbers_say_another_credit_than_a_setting() {
    let by_setting = credited(with_fee(FeeBearer::Platform, DecidedBy::Setting), 40);
    let by_numbers = credited(with_fee(FeeBearer::Customer, DecidedBy::Numbers), 30);
    let published = events([&by_setting, &by_numbers]);
    assert_eq!(types(&published), ["fundhook.deposit.confirmed"; 2]);
    assert_eq!(money_of(&published[0]).0, by_setting.content.details.credit());
    assert_eq!(money_of(&published[1]).0, by_numbers.content.details.credit());
    assert_eq!((published[1].data.late, published[1].data.previous_status), (false, None));

    // In the other order, the numbers stand already.
    let published = events([&by_numbers, &by_setting]);
    assert_eq!(types(&published), ["fundhook.deposit.confirmed", "fundhook.deposit.updated"]);
    assert_eq!(money_of(&published[1]).0, by_numbers.content.details.credit());
    assert_eq!(view([&by_setting, &by_numbers]), view([&by_numbers, &by_setting]));
}

#[test]
fn a_hold_whose_reason_becomes_graver_is_published_as_held_again() {
    // The provider's dates are in the opposite order, and the force decides.
    let reasons = [HoldReason::AccountMatchPending, HoldReason::FeeBearerUnknown, HoldReason::AccountMatchFailed];
    let statements: Vec<Statement> =
        reasons.into_iter().zip([30, 20, 10]).map(|(reason, at)| held(reason, at)).collect();
    let published = events(&statements);
    assert_eq!(types(&published), ["fundhook.deposit.held"; 3]);
    for (event, reason) in published.iter().zip(reasons) {
        assert_eq!(money_of(event).1.map(|hold| hold.reason), Some(reason));
        assert_eq!((event.data.late, event.data.is_final), (false, false));
    }
    let outcome = fold(folded(&statements[..1]), statements[1].clone());
    let held = status(Kind::Deposit, "held");
    let again = Change::Status { from: Some(held), to: held };
    assert!(matches!(&outcome, Outcome::Recorded { change: Some(change), .. } if *change == again), "{outcome:?}");

    // A hold that is less grave and arrives later is late.
    let backwards: Vec<Statement> = statements.iter().rev().cloned().collect();
    let published = events(&backwards);
    let expected = ["fundhook.deposit.held", "fundhook.deposit.updated", "fundhook.deposit.updated"];
    assert_eq!(types(&published), expected);
    assert!(published[1].data.late && published[2].data.late);
    let entries: Vec<_> = published[2].data.history.iter().map(|entry| entry.hold).collect();
    assert_eq!(entries, reasons.map(Some), "the history has each reason");
}

#[test]
fn of_holds_of_one_force_the_later_supersedes_and_at_equal_dates_the_graver() {
    let (grave, light) = (HoldReason::ComplianceReview, HoldReason::TravelRule);
    for (case, one, other, expected) in [
        ("a later date", held(grave, 10), held(light, 20), light),
        ("equal dates", held(grave, 10), held(light, 10), grave),
    ] {
        for statements in [[&one, &other], [&other, &one]] {
            assert_eq!(view(statements).details.hold().map(|hold| hold.reason), Some(expected), "{case}");
        }
    }
}

#[test]
fn money_that_is_in_outranks_a_session_that_the_user_left() {
    let statements = [deposit("pending", 0), deposit("abandoned", 30), deposit("held", 20)];
    let published = events(&statements);
    let expected = ["pending", "abandoned", "held"];
    assert_eq!(types(&published), expected.map(|outcome| format!("fundhook.deposit.{outcome}")));
    assert_eq!(published[2].data.previous_status, Some("abandoned"));
    let backwards = events(statements.iter().rev());
    let expected = ["held", "updated", "updated"];
    assert_eq!(types(&backwards), expected.map(|outcome| format!("fundhook.deposit.{outcome}")));
    assert_eq!(view(&statements), view(statements.iter().rev()));
}

#[test]
fn a_hold_says_who_must_act_and_where_the_money_is() {
    for reason in HoldReason::ALL {
        let event = latest([&held(reason, 0)]);
        let (credit, hold) = money_of(&event);
        assert_eq!((credit, hold), (None, Some(&Hold::from(reason))));
        let json = serde_json::to_value(&event).expect("JSON");
        assert_eq!(json["data"]["hold"]["reason"], reason.as_str());
        assert_eq!(json["data"]["hold"]["needs"], serde_json::to_value(reason.needs()).expect("a name"));
        assert!(json["data"]["hold"]["explanation"].as_str().is_some_and(|text| text.ends_with('.')), "{json:#}");
        assert_eq!(json["data"]["history"][0]["hold"], reason.as_str());
        // The provider is done with what a person or the user must end, and with nothing that it must end itself.
        let is_done = [HoldReason::Quarantined, HoldReason::Corroborates].contains(&reason);
        let is_providers = reason.needs() == Needs::Provider && !is_done;
        assert!(!is_providers || reason.force() == HoldForce::Waiting, "{reason}");
    }
    let converted = HoldReason::NotConverted;
    assert_eq!(Hold::from(converted).location, Some(Location::CustomerAccount));
    assert_eq!(Hold::from(HoldReason::ComplianceReview).location, None);
}

#[test]
fn an_event_states_gross_fees_net_and_conversion() {
    let event = latest([&whole(status(Kind::Deposit, "confirmed"), 0)]);
    let credit = &serde_json::to_value(&event).expect("JSON")["data"]["credit"];
    let fee = |kind: &str, borne_by: &str| json!({ "kind": kind, "value": "5", "asset": "USD", "borne_by": borne_by });
    let usd = |value: &str| json!({ "value": value, "asset": "USD" });
    let expected = json!({
        "form": "converted",
        "gross": usd("287396.9"),
        "fees": [fee("deposit_fee", "customer"), fee("issuer_fee", "platform")],
        "net": usd("287391.9"),
        "conversion": {
            "from": { "value": "119.078888888888888887", "asset": "ETH" },
            "to": usd("287396.9"),
            "rate": "2413.5",
        },
        "decided_by": "setting",
    });
    assert_eq!(*credit, expected);
}

#[test]
fn a_status_without_a_reason_is_not_a_hold() {
    for event in events([&withdrawal("initiated", 0), &withdrawal("confirmed", 10)]) {
        assert_eq!(money_of(&event), (None, None));
        assert!(event.data.history.iter().all(|entry| entry.hold.is_none()));
    }
    let named = Status::ALL.into_iter().filter(|status| status.as_str() == "held").collect::<Vec<_>>();
    assert_eq!(named, [status(Kind::Deposit, "held")], "only a deposit is held");
}
