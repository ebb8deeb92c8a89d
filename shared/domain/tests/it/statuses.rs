//! The effect of a new fact: on the status, on the details, and on the events.

use fundhook_domain::{
    Change, Conflict, Kind, Outcome, Resource, Source, Statement, Status, StatusRule, Transaction, events_after, fold,
};

use crate::support::money::in_kind;
use crate::support::{
    at, deposit, events, folded, in_other_bytes, json, members, quantity, statement, status, transfer, types,
    unrecognized, view, whole_deposit, with, withdrawal,
};

/// The outcome of folding the last of `statements` into the others.
fn last_outcome(statements: &[Statement]) -> Outcome {
    let (last, before) = statements.split_last().expect("at least one statement");
    let resource = if before.is_empty() { Resource::unknown(last.resource.clone()) } else { folded(before) };
    fold(resource, last.clone())
}

#[test]
fn a_late_submitted_never_moves_a_confirmed_deposit_back() {
    // It is late although it arrives later and even has a later time.
    for submitted_at in [10, 50] {
        let statements = [deposit("pending", 0), deposit("confirmed", 40), deposit("submitted", submitted_at)];
        assert_eq!(view(&statements).status, Some(status(Kind::Deposit, "confirmed")));

        let events = events(&statements);
        let full = ["fundhook.deposit.pending", "fundhook.deposit.confirmed", "fundhook.deposit.updated"];
        assert_eq!(types(&events), full);
        assert_eq!(events.iter().map(|event| event.data.late).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(events[2].data.status, Some("confirmed"));
        assert_eq!(events[2].time, at(submitted_at), "the event's time is the late statement's");
        assert!(
            events[2].data.history.iter().any(|entry| entry.status.as_deref() == Some("submitted")),
            "the history contains it"
        );
    }
}

#[test]
fn the_status_of_the_higher_rank_supersedes_whatever_the_order_and_the_times() {
    let mut compared = 0;
    // The other kinds have other status rules, which other files test.
    for low in Status::ALL.into_iter().filter(|low| low.kind().status_rule() == StatusRule::Furthest) {
        for high in Status::ALL.into_iter().filter(|high| high.kind() == low.kind() && high.rank() > low.rank()) {
            // The provider's times are in the opposite order of the ranks.
            let (low, high) = (statement(low, 99), statement(high, 0));
            assert_eq!(view([&low, &high]).status, high.content.status);
            assert_eq!(
                view([&high, &low]).status,
                high.content.status,
                "{:?} moved {:?} back",
                low.content.status,
                high.content.status
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 25 + 18 + 1 + 2, "each pair of ranks of deposits, withdrawals, fees and exchanges");
}

#[test]
fn an_abandoned_deposit_that_arrives_later_becomes_confirmed() {
    let statements = [deposit("pending", 0), deposit("abandoned", 10), deposit("confirmed", 20)];
    assert!(view(&statements[..2]).status.is_some_and(|status| !status.is_final()));
    assert_eq!(view(&statements).status, Some(status(Kind::Deposit, "confirmed")));
    assert_eq!(view(&statements).conflicting(), [], "abandoned was not final");
    assert_eq!(events(&statements)[2].data.previous_status, Some("abandoned"));
}

#[test]
fn an_abandoned_withdrawal_is_final() {
    let abandoned = withdrawal("abandoned", 10);
    assert!(view([&abandoned]).status.is_some_and(Status::is_final));
    assert_eq!(view([&abandoned, &withdrawal("confirmed", 20)]).conflicting().len(), 2);
}

#[test]
fn two_different_final_statuses_conflict_in_both_orders() {
    let mut pairs = 0;
    for one in Status::ALL.into_iter().filter(|status| status.is_final()) {
        let excludes = |other: &Status| other.is_final() && (other.kind(), other.rank()) == (one.kind(), one.rank());
        for other in Status::ALL.into_iter().filter(excludes) {
            let statements = [statement(one, 10), statement(other, 20)];
            let both = {
                let mut both = vec![one, other];
                both.sort_unstable();
                both
            };
            if one == other {
                assert_eq!(view(&statements).conflicting(), [], "{one} twice does not conflict");
                assert!(matches!(last_outcome(&statements), Outcome::Recorded { .. }));
                continue;
            }
            pairs += 1;
            let conflict = Change::Conflicting { between: both.clone() };
            let Outcome::Conflicting { resource, conflict: found, change } = last_outcome(&statements) else {
                unreachable!("{one} and then {other} must be conflicting");
            };
            assert_eq!(
                found,
                Conflict { statuses: both.clone(), about: vec!["status".to_owned()], ..Conflict::default() }
            );
            assert_eq!(change, Some(conflict));
            assert_eq!(resource.view().expect("a view").conflict, Some(found));

            let event = events_after(&resource, 1).pop().expect("an event");
            assert_eq!(event.event_type, format!("fundhook.{}.conflicting", one.kind()));
            assert_eq!(event.data.conflicting, both.into_iter().map(Status::as_str).collect::<Vec<_>>());
            assert_eq!((event.data.status, event.data.previous_status), (Some(other.as_str()), Some(one.as_str())));
            assert_eq!(event.data.conflict_about, ["status"]);
        }
    }
    assert_eq!(pairs, 2 * (3 + 3 + 1), "each pair of deposits, withdrawals and exchanges, in both orders");
}

#[test]
fn a_conflict_is_published_once_and_again_when_it_grows() {
    let statements = [
        deposit("confirmed", 10),
        deposit("failed", 20),
        deposit("pending", 0),
        deposit("unexpected", 15),
        deposit("failed", 25),
    ];
    let events = events(&statements);
    assert_eq!(
        types(&events),
        [
            "fundhook.deposit.confirmed",
            "fundhook.deposit.conflicting",
            "fundhook.deposit.updated",
            "fundhook.deposit.conflicting",
            "fundhook.deposit.updated",
        ]
    );
    assert_eq!(events[2].data.conflicting, ["confirmed", "failed"], "an update does not hide the conflict");
    assert_eq!(events[3].data.conflicting, ["confirmed", "failed", "unexpected"]);
    assert_eq!((events[2].data.late, events[4].data.late), (true, false));
    assert!(matches!(last_outcome(&statements), Outcome::Conflicting { .. }), "every further fact needs review");
}

#[test]
fn within_a_rank_the_later_statement_supersedes() {
    for (first_at, second_at, latest) in [(10, 20, "0.2"), (20, 10, "0.1")] {
        let one = with(deposit("held", first_at), |details| details.quantity = Some(quantity("0.1")));
        let other = with(deposit("held", second_at), |details| details.quantity = Some(quantity("0.2")));
        let statements = [one, other];
        assert_eq!(transfer(&view(&statements)).quantity, Some(quantity(latest)));
        let late = second_at < first_at;
        assert_eq!(events(&statements)[1].data.late, late);
    }
}

#[test]
fn a_field_that_a_later_webhook_does_not_state_keeps_its_value() {
    let full = with(deposit("submitted", 10), |details| {
        whole_deposit(details);
        details.transaction.from = Some("0xfrom".into());
        details.reference_id = Some("order-1".into());
    });
    // Only a status, as in Striga's PENDING and in webhooks of a provider that sends only what changed.
    let silent = with(deposit("confirmed", 40), |details| details.provider_status = None);
    // The credit belongs to the status.
    let merged = with(full.clone(), |details| details.credit = Some(in_kind("0.013", "BTC")));
    assert_eq!(view([&full, &silent]).details, merged.content.details);
    assert_eq!(view([&silent, &full]).details, merged.content.details, "in the other order");

    // The fields of a transaction are kept one by one.
    let part = with(silent, |details| {
        details.transaction = Transaction { hash: Some("0xother".into()), ..Default::default() };
        details.source = Source { source_type: None, integration: Some("kraken".into()) };
        details.provider_data = members(r#"{"deposit":{"note":"x"}}"#);
    });
    let view = view([&full, &part]);
    let now = transfer(&view);
    let transaction = (now.transaction.hash.as_deref(), now.transaction.from.as_deref());
    assert_eq!(transaction, (Some("0xother"), Some("0xfrom")));
    assert_eq!(
        (now.source.source_type.as_deref(), now.source.integration.as_deref()),
        (Some("CUSTODIAL"), Some("kraken"))
    );
    assert_eq!(now.provider_data, members(r#"{"deposit":{"transaction":{"value":"1"},"note":"x"}}"#));
}

#[test]
fn a_reason_is_dropped_with_its_status() {
    let reason = |name: &str, seconds, reason: Option<&str>| {
        with(deposit(name, seconds), |details| details.status_reason = reason.map(str::to_owned))
    };
    let held = reason("held", 10, Some("travel rule"));
    for (case, other, expected) in [
        ("no longer held", reason("confirmed", 40, None), None),
        ("its own exception", reason("confirmed", 40, Some("above the threshold")), Some("above the threshold")),
        ("still held, without a reason", reason("held", 40, None), None),
        ("held before that", reason("submitted", 40, Some("sent")), Some("travel rule")),
    ] {
        for statements in [[&held, &other], [&other, &held]] {
            assert_eq!(transfer(&view(statements)).status_reason.as_deref(), expected, "{case}");
        }
    }
}

#[test]
fn the_superseding_statement_gives_details_fact_evidence_and_time() {
    let superseding = with(deposit("confirmed", 40), whole_deposit);
    let superseded = with(deposit("submitted", 50), |details| {
        whole_deposit(details);
        details.quantity = Some(quantity("13"));
        details.account = Some("another".into());
        details.session.metadata = Some(json(r#"{"order":2}"#));
        details.provider_data = members(r#"{"deposit":{"transaction":{"value":"13"}}}"#);
    });
    for statements in [[&superseding, &superseded], [&superseded, &superseding]] {
        let view = view(statements);
        assert_eq!(view.details, superseding.content.details);
        assert_eq!((view.fact, view.evidence), (superseding.content.id.clone(), superseding.content.evidence.clone()));
        assert_eq!(view.occurred_at, superseding.content.occurred_at);
    }
}

#[test]
fn neither_the_first_event_nor_an_update_has_a_previous_status() {
    let statements = [
        deposit("pending", 0),
        with(deposit("pending", 5), |details| details.account = Some("abc123".into())),
        deposit("held", 10),
        deposit("submitted", 8),
        deposit("failed", 20),
        deposit("confirmed", 30),
        deposit("confirmed", 35),
    ];
    let events = events(&statements);
    let moved: Vec<_> = events.iter().map(|event| (event.data.status, event.data.previous_status)).collect();
    assert_eq!(
        moved,
        [
            (Some("pending"), None),
            (Some("pending"), None),
            (Some("held"), Some("pending")),
            (Some("held"), None),
            (Some("failed"), Some("held")),
            (Some("confirmed"), Some("failed")),
            (Some("confirmed"), None),
        ]
    );
    assert!(events[4].data.is_final && !events[2].data.is_final);
}

#[test]
fn fold_returns_what_a_fact_changed() {
    let (pending, confirmed) = (deposit("pending", 0), deposit("confirmed", 40));
    let late = deposit("submitted", 10);
    let moved = |from: Option<&str>, to| {
        let from = from.map(|name| status(Kind::Deposit, name));
        Change::Status { from, to: status(Kind::Deposit, to) }
    };
    for (statements, expected) in [
        (vec![&pending], Some(moved(None, "pending"))),
        (vec![&pending, &confirmed], Some(moved(Some("pending"), "confirmed"))),
        (vec![&confirmed, &late], Some(Change::Updated { late: true })),
        (vec![&confirmed, &deposit("confirmed", 41)], Some(Change::Updated { late: false })),
        (vec![&confirmed, &in_other_bytes("again", &confirmed)], None),
    ] {
        let statements: Vec<Statement> = statements.into_iter().cloned().collect();
        let Outcome::Recorded { resource, change } = last_outcome(&statements) else {
            unreachable!("each is a new fact without a conflict");
        };
        assert_eq!(change, expected);
        assert_eq!(
            resource.version(),
            statements.len() as u64,
            "each fact is recorded, whether it changes anything or not"
        );
    }
}

#[test]
fn the_same_fact_with_other_evidence_is_already_known() {
    let confirmed = deposit("confirmed", 40);
    let mut again = confirmed.clone();
    again.content.evidence.archived.line = 7;
    again.content.evidence.received_at = at(3600);
    let before = folded([&confirmed]);
    assert_eq!(fold(before.clone(), again), Outcome::AlreadyKnown { resource: before });
}

#[test]
fn sequences_have_no_gaps_and_repetitions_use_no_number() {
    let (pending, confirmed) = (deposit("pending", 0), deposit("confirmed", 40));
    let statements = [
        pending.clone(),
        in_other_bytes("pending again", &pending),
        deposit("held", 10),
        confirmed.clone(),
        in_other_bytes("pending a third time", &pending),
        in_other_bytes("confirmed again", &confirmed),
        deposit("submitted", 5),
    ];
    let resource = folded(&statements);
    assert_eq!((resource.version(), resource.sequence()), (7, 4));
    let events = events_after(&resource, 0);
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
    for event in &events {
        assert_eq!(event.id, format!("{}#{}", crate::support::resource(Kind::Deposit), event.sequence));
    }
    // Published again from any version, they are the same events.
    for (version, left) in [(0, 4), (1, 3), (2, 3), (3, 2), (4, 1), (6, 1), (7, 0), (8, 0), (u64::MAX, 0)] {
        assert_eq!(events_after(&resource, version), events[4 - left..], "after version {version}");
    }
}

#[test]
fn a_statement_repeated_in_other_bytes_publishes_nothing_and_changes_nothing_that_was_published() {
    // Only the content decides which of the two supersedes the other, so a repetition must not change that, whatever
    // its digest.
    let confirmed = with(deposit("confirmed", 40), whole_deposit);
    let corrected = with(deposit("confirmed", 40), |details| {
        whole_deposit(details);
        details.quantity = Some(quantity("0.014"));
    });
    let corrected = in_other_bytes("corrected", &corrected);
    for repeated in [&confirmed, &corrected] {
        let before = folded([&confirmed, &corrected]);
        let published = events_after(&before, 0);
        for number in 0..32 {
            let repetition = in_other_bytes(&format!("repetition {number}"), repeated);
            let after = fold(before.clone(), repetition).into_resource();
            assert_eq!(events_after(&after, 0), published);
            let (before, after) = (before.view().expect("a view"), after.view().expect("a view"));
            assert_eq!(
                (before.status, &before.details, &before.history, before.occurred_at),
                (after.status, &after.details, &after.history, after.occurred_at)
            );
        }
    }
}

#[test]
fn the_history_has_each_statement_once_and_each_supersedes_those_before_it() {
    let confirmed = deposit("confirmed", 40);
    let again = in_other_bytes("again", &confirmed);
    let statements = [again, deposit("submitted", 50), confirmed, deposit("pending", 0)];
    let history = view(&statements).history;
    let entries: Vec<_> = history.iter().map(|entry| (entry.status.as_deref(), entry.occurred_at)).collect();
    assert_eq!(entries, [(Some("pending"), at(0)), (Some("submitted"), at(50)), (Some("confirmed"), at(40))]);
    assert_eq!(history[0].event_type, "connect.deposit.pending");
}

#[test]
fn an_unrecognized_webhook_is_seen_once_and_final() {
    let statements = [unrecognized(), unrecognized()];
    assert_eq!(types(&events(&statements)), ["fundhook.unrecognized.seen"]);
    assert!(view(&statements).status.is_some_and(Status::is_final));
}
