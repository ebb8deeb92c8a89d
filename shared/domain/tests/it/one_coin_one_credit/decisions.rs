//! What a person decides about a deposit that needs review.

use fundhook_domain::{
    Details, FactContent, HoldReason, NewFact, RecoveryStatus, SeveralFamiliesCredit, Status, Stored, Verdict,
};

use crate::support::coins::{CONNECT, DEPOSIT, FUND, Report, UNEXPECTED, World, recovery, to_return};
use crate::support::decision;

/// The decision of a person who knows everything that is recorded about the deposit.
fn decided(world: &World, report: Report, verdict: Verdict, seconds: u64) -> NewFact {
    let resource = world.resource(&report.id());
    NewFact { resource: resource.id().clone(), content: decision(&resource, verdict, seconds) }
}

fn decide(world: &mut World, report: Report, verdict: Verdict) {
    let fact = decided(world, report, verdict, 1000);
    decide_by(world, fact);
}

fn decide_by(world: &mut World, fact: NewFact) {
    world.record(std::slice::from_ref(&fact));
    world.assert_consistent();
    let published = world.published.len();
    world.record(&[fact]);
    assert_eq!(world.published.len(), published, "a decision is recorded once");
}

fn credited(world: &World) -> Vec<String> {
    world.credited().into_iter().map(|(id, credit)| format!("{id} {credit}")).collect()
}

#[test]
fn of_two_credits_of_one_coin_a_person_chooses_one() {
    let less = Report { amount: "99", ..FUND };
    for order in [[CONNECT, less], [less, CONNECT]] {
        let mut world = World::after(&order);
        decide(&mut world, CONNECT, Verdict::Accepted);
        assert_eq!(credited(&world), ["deposit#connect#1 100 USDC"]);
        decide(&mut world, less, Verdict::RejectedInFavourOf(CONNECT.id()));
        assert_eq!(credited(&world), ["deposit#connect#1 100 USDC"]);
        assert_eq!(world.types(&CONNECT.id()).last().map(String::as_str), Some("confirmed"));
        assert_eq!(world.types(&less.id()).last().map(String::as_str), Some("duplicate"));
        let event = world.published.iter().rfind(|event| event.data.resource == CONNECT.id()).expect("an event");
        let decision = event.data.decision.clone().expect("the decision");
        assert_eq!((decision.by.as_str(), decision.verdict), ("alice", Verdict::Accepted));
    }
    // To reject one is enough: nothing contradicts the other one any more.
    let mut world = World::after(&[CONNECT, less]);
    decide(&mut world, less, Verdict::RejectedInFavourOf(CONNECT.id()));
    assert_eq!(credited(&world), ["deposit#connect#1 100 USDC"]);
}

#[test]
fn what_is_decided_about_several_deposits_is_recorded_together() {
    let less = Report { amount: "99", ..FUND };
    let mut world = World::after(&[CONNECT, less]);
    let mut fact = decided(&world, CONNECT, Verdict::Accepted, 1000);
    let other = decided(&world, less, Verdict::RejectedInFavourOf(CONNECT.id()), 1000);
    let (FactContent::Decision(accepted), FactContent::Decision(rejected)) = (&mut fact.content, other.content) else {
        unreachable!("decisions")
    };
    accepted.also.insert(less.id(), *rejected);
    let write = world.stored.clone().record(&[fact.clone()]).expect("an owner").expect("a write");
    assert_eq!(write.resources.len(), 2, "both in one write");
    let before = world.event_ids().len();
    decide_by(&mut world, fact);
    assert_eq!(credited(&world), ["deposit#connect#1 100 USDC"]);
    assert_eq!(world.event_ids().len(), before + 2, "one event on each");
    let stored = world.resource(&CONNECT.id());
    let is_whole =
        |fact: &fundhook_domain::Fact| matches!(&fact.content, FactContent::Decision(one) if one.also.is_empty());
    assert!(stored.facts().iter().any(is_whole), "what is stored on a deposit is about this deposit");
}

#[test]
fn a_deposit_that_is_held_because_it_may_be_another_one_is_accepted_or_is_the_other_one() {
    let unnamed = Report { hash: None, ..FUND };
    let world = || {
        let stored = Stored::remembering(SeveralFamiliesCredit::of([None]));
        let mut world = World { stored, ..World::default() };
        [DEPOSIT, unnamed].iter().for_each(|report| world.record(&[report.fact()]));
        world
    };
    let mut accepted = world();
    decide(&mut accepted, unnamed, Verdict::Accepted);
    assert_eq!(accepted.types(&unnamed.id()), ["held", "confirmed"]);
    assert_eq!(accepted.credited().len(), 2);
    // It is a deposit of its own now, so another family's report of it may be held for it.
    let third = Report { hash: None, ..CONNECT };
    accepted.record(&[third.fact()]);
    assert_eq!(accepted.view(third).details.hold().map(|hold| hold.reason), Some(HoldReason::MayBeCredited));

    let mut rejected = world();
    decide(&mut rejected, unnamed, Verdict::RejectedInFavourOf(DEPOSIT.id()));
    assert_eq!(rejected.types(&unnamed.id()), ["held", "duplicate"]);
    assert_eq!(credited(&rejected), ["deposit#zerohash#deposit-1 100 USDC"]);
}

#[test]
fn a_confirmed_deposit_that_a_person_rejects_is_reversed_and_no_other_report_of_its_coin_is_credited() {
    let mut world = World::after(&[CONNECT, FUND]);
    decide(&mut world, CONNECT, Verdict::Rejected);
    assert_eq!(world.types(&CONNECT.id()), ["confirmed", "reversed"]);
    let event = world.published.last().expect("an event");
    assert_eq!((event.data.status, event.data.previous_status), (Some("reversed"), Some("confirmed")));
    assert!(event.data.is_final && credited(&world).is_empty());
    // Neither the duplicate that is known, nor one that comes later, nor the same webhook again.
    world.record(&[DEPOSIT.fact()]);
    world.record(&[CONNECT.fact()]);
    assert_eq!(world.view(DEPOSIT).duplicate_of, Some(CONNECT.id()));
    assert!(credited(&world).is_empty());
    world.assert_consistent();
}

#[test]
fn what_arrives_after_a_decision_and_contradicts_it_is_a_conflict_again() {
    let failed = Report { status: "failed", seconds: 50, ..CONNECT };
    let mut world = World::after(&[CONNECT, failed]);
    assert!(world.view(CONNECT).conflict.is_some());
    decide(&mut world, CONNECT, Verdict::Accepted);
    assert_eq!(credited(&world), ["deposit#connect#1 100 USDC"]);
    let again = Report { status: "failed", seconds: 70, ..CONNECT };
    world.record(&[again.fact()]);
    world.assert_consistent();
    assert!(world.view(CONNECT).conflict.is_some() && credited(&world).is_empty());

    let mut world = World::after(&[CONNECT]);
    decide(&mut world, CONNECT, Verdict::Rejected);
    world.record(&[Report { amount: "101", seconds: 60, ..CONNECT }.fact()]);
    assert!(world.view(CONNECT).conflict.is_some());
    // A late webhook about an earlier status is none.
    let mut world = World::after(&[CONNECT]);
    decide(&mut world, CONNECT, Verdict::Rejected);
    world.record(&[Report { status: "submitted", seconds: 10, ..CONNECT }.fact()]);
    assert!(world.view(CONNECT).conflict.is_none());
    assert_eq!(world.types(&CONNECT.id()), ["confirmed", "reversed", "updated"]);
}

#[test]
fn a_resolved_conflict_leaves_the_status_that_the_resource_shows() {
    let failed = Report { status: "failed", seconds: 50, ..CONNECT };
    let mut world = World::after(&[CONNECT, failed]);
    let status = world.view(CONNECT).status;
    decide(&mut world, CONNECT, Verdict::Resolved);
    let view = world.view(CONNECT);
    assert_eq!((view.status, view.conflict), (status, None));
}

#[test]
fn the_latest_decision_stands_in_any_order() {
    let facts = |world: &World| {
        [(Verdict::Rejected, 1000), (Verdict::Accepted, 2000)]
            .map(|(verdict, seconds)| decided(world, CONNECT, verdict, seconds))
    };
    for is_reversed in [false, true] {
        let mut world = World::after(&[CONNECT]);
        let mut facts = facts(&world);
        if is_reversed {
            facts.reverse();
        }
        facts.iter().for_each(|fact| world.record(std::slice::from_ref(fact)));
        world.assert_consistent();
        assert_eq!(credited(&world), ["deposit#connect#1 100 USDC"]);
        assert_eq!(world.event_ids().len(), 3);
    }
}

#[test]
fn a_decision_about_a_returned_coin_ends_or_continues_its_recovery() {
    let world = || {
        let mut world = World::after(&[UNEXPECTED, DEPOSIT]);
        world.record(&[to_return()]);
        world
    };
    let status = |world: &World| {
        let view = world.resource(&recovery()).view().expect("a recovery");
        let Details::Recovery(details) = &view.details else { unreachable!("a recovery") };
        (view.status, details.sums().expected.to_string())
    };
    let of = |status| Some(Status::Recovery(status));
    assert_eq!(status(&world()), (of(RecoveryStatus::Suspended), "0".to_owned()));

    let mut credited_instead = world();
    decide(&mut credited_instead, DEPOSIT, Verdict::Accepted);
    decide(&mut credited_instead, UNEXPECTED, Verdict::RejectedInFavourOf(DEPOSIT.id()));
    assert_eq!(credited(&credited_instead).len(), 1);
    assert_eq!(status(&credited_instead), (of(RecoveryStatus::Resolved), "0".to_owned()));

    let mut returned = world();
    decide(&mut returned, DEPOSIT, Verdict::Rejected);
    assert!(credited(&returned).is_empty());
    assert_eq!(status(&returned), (of(RecoveryStatus::Required), "100".to_owned()));
}

#[test]
fn a_recovery_is_suspended_when_its_own_deposit_is_confirmed_and_a_person_decides() {
    let confirmed = Report { status: "confirmed", address: None, seconds: 50, ..UNEXPECTED };
    let facts = [UNEXPECTED.fact(), to_return(), confirmed.fact()];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut world = World::default();
        order.iter().for_each(|at| world.record(std::slice::from_ref(&facts[*at])));
        world.assert_consistent();
        let status = |world: &World| world.resource(&recovery()).view().and_then(|view| view.status);
        assert_eq!(status(&world), Some(Status::Recovery(RecoveryStatus::Suspended)), "{order:?}");

        for (verdict, credits, then) in
            [(Verdict::Accepted, 1, RecoveryStatus::Resolved), (Verdict::Rejected, 0, RecoveryStatus::Required)]
        {
            let mut world = World { stored: world.stored.clone(), published: world.published.clone() };
            decide(&mut world, UNEXPECTED, verdict);
            assert_eq!(credited(&world).len(), credits, "{order:?}");
            assert_eq!(status(&world), Some(Status::Recovery(then)), "{order:?}");
        }
    }
}
