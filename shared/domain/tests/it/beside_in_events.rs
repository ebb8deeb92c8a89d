//! Each meaning of a statement beside a final one, as `fold` and the events show it.

use fundhook_domain::{
    Change, Conflict, Credit, DecidedBy, Event, EventBody, FeeBearer, HoldReason, Kind, Outcome, Statement,
    TransferDetails, WebhookFamily, events_after, fold,
};

use crate::support::money::{credited, held, in_kind, with_fee};
use crate::support::{
    at, deposit, events, folded, in_other_bytes, listed, quantity, signed, statement, status, types, view,
    whole_deposit, with, withdrawal,
};

/// What folding `second` after `first` results in, and the event that it publishes.
fn second(first: &Statement, second: &Statement) -> (Outcome, Event) {
    let outcome = fold(folded([first]), second.clone());
    let event = events_after(&outcome.clone().into_resource(), 1).pop().expect("an event");
    (outcome, event)
}

fn credit(event: &Event) -> Option<&Credit> {
    let body = if let EventBody::Transfer(body) = &event.data.body { Some(body) } else { None };
    body.and_then(|body| body.credit.as_ref())
}

/// Asserts that `one` and `other` conflict about `about` in both orders, and that no event says what may be booked.
fn assert_conflict(one: &Statement, other: &Statement, about: &[&str], case: &str) {
    for [first, last] in [[one, other], [other, one]] {
        let (outcome, event) = second(first, last);
        let mut statuses = [one, other].map(|statement| statement.content.status.expect("a status")).to_vec();
        statuses.sort_unstable();
        statuses.dedup();
        let expected = Conflict {
            statuses: statuses.clone(),
            about: about.iter().map(ToString::to_string).collect(),
            ..Conflict::default()
        };
        let Outcome::Conflicting { conflict, change, .. } = outcome else {
            unreachable!("{case} must conflict");
        };
        assert_eq!((&conflict, change), (&expected, Some(Change::Conflicting { between: statuses.clone() })), "{case}");
        assert_eq!(event.event_type, format!("fundhook.{}.conflicting", one.resource.kind()), "{case}");
        assert_eq!(event.data.conflicting, statuses.iter().map(|status| status.as_str()).collect::<Vec<_>>(), "{case}");
        assert_eq!(
            (event.data.conflict_about.as_slice(), event.data.late),
            (expected.about.as_slice(), false),
            "{case}"
        );
        assert_eq!(event.status_attribute(), Some("conflicting"), "{case}");
        assert_eq!(credit(&event), None, "{case}: nothing may be booked");
    }
}

/// Asserts that `late` belongs before `last`: whichever arrives first, the view shows the status of `last`.
fn assert_late(late: &Statement, last: &Statement, case: &str) {
    let shown = view([last, late]);
    assert_eq!(shown, view([late, last]), "{case}");
    assert_eq!((shown.status, shown.conflict), (last.content.status, None), "{case}");
    let (outcome, event) = second(last, late);
    assert!(matches!(outcome, Outcome::Recorded { change: Some(Change::Updated { late: true }), .. }), "{case}");
    assert_eq!(event.event_type, format!("fundhook.{}.updated", last.resource.kind()), "{case}");
    assert_eq!((event.data.late, event.data.previous_status), (true, None), "{case}");
    assert_eq!(event.data.status, last.content.status.map(|status| status.as_str()), "{case}: the status is the same");
    assert_eq!(event.data.history.len(), 2, "{case}: the history grows");
    let before = &events([last])[0];
    assert_eq!(credit(&event), credit(before), "{case}: what may be booked is the same");
}

#[test]
fn a_late_statement_is_an_update_with_the_same_status_and_credit() {
    let (confirmed, settled) = (deposit("confirmed", 40), withdrawal("confirmed", 40));
    for (case, late, last) in [
        ("submitted, and then confirmed", deposit("submitted", 10), &confirmed),
        ("a session that the user left, and a payment", deposit("abandoned", 50), &confirmed),
        ("a match that was pending", held(HoldReason::AccountMatchPending, 50), &confirmed),
        ("missing information that was given", held(HoldReason::TravelRule, 50), &confirmed),
        ("a review that ended in a rejection", held(HoldReason::ComplianceReview, 50), &deposit("failed", 40)),
        ("sent, and then settled", withdrawal("broadcast", 50), &settled),
        ("sent, and then failed", withdrawal("broadcast", 50), &withdrawal("failed", 40)),
    ] {
        assert_late(&late, last, case);
    }
}

#[test]
fn a_conflicting_statement_is_never_an_update_and_no_event_after_it_has_a_credit() {
    let confirmed = deposit("confirmed", 40);
    for (case, one, other) in [
        ("confirmed and failed", confirmed.clone(), deposit("failed", 50)),
        ("confirmed and unexpected", confirmed.clone(), deposit("unexpected", 30)),
        ("confirmed and quarantined before", confirmed.clone(), held(HoldReason::Quarantined, 30)),
        ("confirmed and quarantined after", confirmed.clone(), held(HoldReason::Quarantined, 50)),
        ("confirmed and not converted", confirmed.clone(), held(HoldReason::NotConverted, 30)),
        ("failed and the match failed", deposit("failed", 40), held(HoldReason::AccountMatchFailed, 30)),
        ("abandoned and sent", withdrawal("abandoned", 40), withdrawal("broadcast", 30)),
        ("settled and failed", withdrawal("confirmed", 40), withdrawal("failed", 50)),
        ("failed and returned", withdrawal("failed", 40), withdrawal("returned", 50)),
        (
            "exchanged and refunded",
            statement(status(Kind::Exchange, "confirmed"), 40),
            statement(status(Kind::Exchange, "refunded"), 50),
        ),
    ] {
        assert_conflict(&one, &other, &["status"], case);
    }
    // An update does not hide the conflict.
    let events = events(&[confirmed, deposit("failed", 50), deposit("submitted", 10)]);
    assert_eq!(events[2].event_type, "fundhook.deposit.updated");
    assert_eq!((events[2].data.conflicting.len(), credit(&events[2])), (2, None));
}

#[test]
fn while_statements_conflict_no_event_has_the_type_of_a_status() {
    let confirmed = |seconds| deposit("confirmed", seconds);
    let events = events(&[confirmed(10), deposit("failed", 20), confirmed(30), deposit("failed", 40)]);
    let expected = ["confirmed", "conflicting", "conflicting", "conflicting"];
    assert_eq!(types(&events), expected.map(|outcome| format!("fundhook.deposit.{outcome}")));
    let statuses: Vec<_> = events.iter().filter_map(|event| event.data.status).collect();
    assert_eq!(statuses, ["confirmed", "failed", "confirmed", "failed"], "the status follows the dates");
    assert!(events[1..].iter().all(|event| credit(event).is_none()));
}

#[test]
fn a_reversal_is_published_as_returned_or_refunded_and_conflicts_with_nothing() {
    let (settled, returned) = (withdrawal("confirmed", 40), withdrawal("returned", 50));
    let [charged, refunded] = ["charged", "refunded"].map(|name| statement(status(Kind::Fee, name), 40));
    for (done, undone, kind, outcomes) in [
        (&settled, &returned, Kind::Withdrawal, ["confirmed", "returned"]),
        (&charged, &refunded, Kind::Fee, ["charged", "refunded"]),
    ] {
        let published = events([done, undone]);
        assert_eq!(types(&published), outcomes.map(|outcome| format!("fundhook.{kind}.{outcome}")));
        assert_eq!(published[1].data.previous_status, Some(outcomes[0]));
        assert!(published[1].data.is_final && published[1].data.conflicting.is_empty());

        let published = events([undone, done]);
        assert_eq!(types(&published), [outcomes[1], "updated"].map(|outcome| format!("fundhook.{kind}.{outcome}")));
        assert!(published[1].data.late);
        assert_eq!(view([done, undone]), view([undone, done]));
        assert_eq!(view([done, undone]).status, undone.content.status);
    }
}

/// A confirmed deposit with every detail, changed by `change`, at `seconds`.
fn confirmed_with(seconds: u64, change: impl FnOnce(&mut TransferDetails)) -> Statement {
    let confirmed = with(deposit("confirmed", seconds), |details| {
        whole_deposit(details);
        change(details);
    });
    in_other_bytes(&format!("at {seconds}: {:?}", confirmed.content.details), &confirmed)
}

#[test]
fn the_same_status_again_is_one_occurrence_if_both_state_the_same_money_and_a_conflict_otherwise() {
    let confirmed = confirmed_with(40, |_| {});
    let earlier = |change: fn(&mut TransferDetails)| confirmed_with(30, change);
    for (case, other) in [
        ("equal in everything", earlier(|_| {})),
        ("the amount in another spelling", earlier(|details| details.quantity = Some(quantity("0.0130")))),
        ("the asset in small letters", earlier(|details| details.asset = Some("btc".to_owned()))),
        (
            "no amount, asset or account",
            earlier(|details| {
                (details.quantity, details.asset, details.account) = (None, None, None);
            }),
        ),
        ("a corrected transaction", earlier(|details| details.transaction.hash = Some("0xdd".to_owned()))),
    ] {
        assert_late(&other, &confirmed, case);
    }
    for (case, about, other) in [
        ("another amount", "amount", earlier(|details| details.quantity = Some(quantity("0.014")))),
        ("another asset", "asset", earlier(|details| details.asset = Some("ETH".to_owned()))),
        ("another account", "account", earlier(|details| details.account = Some("another".to_owned()))),
        ("another credit", "credit", earlier(|details| details.credit = Some(in_kind("0.0129", "BTC")))),
        ("the credit of another asset", "credit", earlier(|details| details.credit = Some(in_kind("0.013", "ETH")))),
    ] {
        assert_conflict(&confirmed, &other, &[about], case);
    }
    let all = earlier(|details| {
        (details.quantity, details.asset) = (Some(quantity("1")), Some("ETH".to_owned()));
        (details.account, details.credit) = (Some("another".to_owned()), Some(in_kind("1", "ETH")));
    });
    assert_conflict(&confirmed, &all, &["account", "amount", "asset", "credit"], "all of them");

    let sent =
        |seconds, value| with(withdrawal("confirmed", seconds), |details| details.quantity = Some(quantity(value)));
    assert_late(&sent(30, "100.0"), &sent(40, "100"), "a withdrawal of the same amount");
    assert_conflict(&sent(30, "100"), &sent(40, "99"), &["amount"], "a withdrawal of another amount");
}

#[test]
fn a_later_statement_that_does_not_state_the_amount_does_not_end_a_conflict_about_it() {
    let settled = |seconds, value: Option<&str>| {
        with(withdrawal("confirmed", seconds), |details| details.quantity = value.map(quantity))
    };
    let (one, other, silent) = (settled(10, Some("100")), settled(20, Some("99")), settled(30, None));
    for statements in [[&one, &other, &silent], [&silent, &other, &one], [&one, &silent, &other]] {
        let conflict = view(statements).conflict.expect("a conflict");
        assert_eq!(conflict.about, ["amount"]);
        assert!(types(&events(statements)).iter().filter(|name| name.ends_with(".conflicting")).count() == 1);
    }
    assert_eq!(view([&one, &silent]).conflict, None);
}

#[test]
fn a_credit_that_fundhook_could_not_tell_is_late_beside_one_of_the_same_amount() {
    let confirmed = confirmed_with(40, |_| {});
    for reason in [
        HoldReason::AccountUnknown,
        HoldReason::AmountMissing,
        HoldReason::UnitUnknown,
        HoldReason::FeesUnreadable,
        HoldReason::FeeBearerUnknown,
    ] {
        for seconds in [30, 50] {
            let unclear = |value| with(held(reason, seconds), |details| details.quantity = Some(quantity(value)));
            assert_late(&unclear("0.013"), &confirmed, &format!("{reason} at {seconds}"));
            assert_conflict(&unclear("0.5"), &confirmed, &["amount"], &format!("{reason} of another amount"));
        }
    }
}

#[test]
fn a_credit_that_a_setting_decided_does_not_conflict_with_one_that_follows_from_numbers() {
    let by_numbers = credited(with_fee(FeeBearer::Customer, DecidedBy::Numbers), 30);
    let by_setting = credited(with_fee(FeeBearer::Platform, DecidedBy::Setting), 50);
    assert_late(&by_setting, &by_numbers, "although the setting's has the later date");
    let of_another_gross = credited(in_kind("495", "USD"), 50);
    assert_conflict(&by_setting, &of_another_gross, &["credit"], "another gross");
}

#[test]
fn an_unclear_hold_is_late_if_it_was_signed_before_the_final_status_and_conflicts_otherwise() {
    let by = |family, statement| with(statement, |details| details.family = Some(family));
    let fund = |statement| by(WebhookFamily::ZerohashFund, statement);
    for (reason, last) in [
        (HoldReason::UnknownReason, "confirmed"),
        (HoldReason::StatusUnknown, "failed"),
        (HoldReason::StatusUnknown, "unexpected"),
        (HoldReason::ComplianceReview, "confirmed"),
    ] {
        // The provider's own dates say the opposite, and do not decide.
        let last = signed(60, fund(deposit(last, 10)));
        for (signed_at, is_late) in [(59, true), (60, true), (61, false)] {
            let other = signed(signed_at, fund(held(reason, 20)));
            let case = format!("{reason} signed at {signed_at}");
            if is_late {
                assert_late(&other, &last, &case);
            } else {
                assert_conflict(&other, &last, &["status"], &case);
            }
        }
    }
    // One that ends in a confirmation in this family.
    let review = by(WebhookFamily::ZerohashDepositStatus, held(HoldReason::ComplianceReview, 20));
    assert_late(&signed(61, review), &signed(60, deposit("confirmed", 10)), "pending compliance review");
}

#[test]
fn a_hold_without_a_signed_time_was_sent_when_it_was_received() {
    let last = signed(60, deposit("confirmed", 10));
    let unsigned = |received_at| {
        let mut hold = held(HoldReason::UnknownReason, 20);
        hold.content.evidence.attestation.signed_at = None;
        hold.content.evidence.received_at = at(received_at);
        hold
    };
    assert_late(&unsigned(60), &last, "received when the other was signed");
    assert_conflict(&unsigned(61), &last, &["status"], "received after the other was signed");
}

#[test]
fn a_row_that_agrees_with_a_webhook_is_published_when_it_makes_the_statements_conflict() {
    // The list still says two hours later that the deposit is held, although its webhook was sent before.
    let (hold, confirmed) = (held(HoldReason::UnknownReason, 20), deposit("confirmed", 40));
    let published = events(&[hold.clone(), confirmed.clone(), listed(&hold)]);
    let expected = ["held", "confirmed", "conflicting"];
    assert_eq!(types(&published), expected.map(|outcome| format!("fundhook.deposit.{outcome}")));
    assert_eq!(credit(&published[2]), None);
    // A row that only agrees publishes nothing.
    for sent in [hold, confirmed] {
        assert_eq!(events(&[sent.clone(), listed(&sent)]).len(), 1);
    }
}

#[test]
fn a_copy_that_is_sent_again_later_does_not_turn_a_late_hold_into_a_conflict() {
    let confirmed = signed(60, deposit("confirmed", 40));
    let hold = signed(59, held(HoldReason::UnknownReason, 20));
    let copy = signed(99, in_other_bytes("sent again", &hold));
    let confirmed_again = signed(99, in_other_bytes("confirmed again", &confirmed));
    for statements in [[&hold, &confirmed, &copy], [&confirmed, &hold, &copy], [&copy, &confirmed, &hold]] {
        assert_eq!(view(statements).conflict, None, "the first copy was sent before");
    }
    assert_eq!(types(&events([&hold, &confirmed, &copy])), ["fundhook.deposit.held", "fundhook.deposit.confirmed"]);
    // Nor does a copy of the final statement settle a conflict.
    let too_late = signed(61, in_other_bytes("too late", &hold));
    for statements in [[&confirmed, &too_late, &confirmed_again], [&confirmed_again, &too_late, &confirmed]] {
        assert!(view(statements).conflict.is_some());
    }
}
