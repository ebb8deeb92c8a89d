//! What an operator decides: the verdicts that follow, and what is refused.

use std::collections::BTreeMap;

use fundhook_domain::{ResourceId, Verdict};
use fundhook_reconciliation::DecidedCase;
use reconciler::{Choice, DecideCase, ReconcileError, ReconcileRequest, ReconcileResponse};

use crate::support::deposit::{TestDeposit, deposit};
use crate::support::{World, at, minutes};

const NOON: &str = "2026-11-21T12:00:00Z";

/// Connect's deposit of a coin, in kind, and zerohash's fund transaction of the same coin, converted.
fn two_credits() -> [TestDeposit; 2] {
    let connect = deposit("one", at(NOON));
    [connect.clone(), connect.with_id("fund").of("zerohash")]
}

fn world_after(deposits: &[TestDeposit]) -> World {
    let world = World::new();
    deposits.iter().for_each(|deposit| world.receive(deposit.webhook("confirmed", deposit.at)));
    world
}

async fn decide(world: &World, resource: &ResourceId, choice: Choice) -> Result<DecidedCase, ReconcileError> {
    let (by, reason) = ("alice".to_owned(), "checked with zerohash".to_owned());
    let case = DecideCase { resource: resource.clone(), choice, by, reason };
    let deadline = world.clock.now().plus(minutes(5));
    match world.reconciler().answer(ReconcileRequest::Decide(case), deadline).await? {
        ReconcileResponse::Decided(decided) => {
            world.process_queues();
            Ok(decided)
        }
        other @ (ReconcileResponse::Run(_)
        | ReconcileResponse::Reports(_)
        | ReconcileResponse::Accepted(_)
        | ReconcileResponse::Backfilled(_)) => {
            unreachable!("{other:?}")
        }
    }
}

fn credit(world: &World, deposit: &TestDeposit) -> String {
    world.ledger().entries[&deposit.resource()].credit.clone()
}

#[tokio::test]
async fn an_accepted_deposit_is_credited_and_the_one_that_it_conflicts_with_is_its_duplicate() {
    let [connect, fund] = &two_credits();
    for (accepted, other) in [(connect, fund), (fund, connect)] {
        let world = world_after(&two_credits());
        assert_eq!((credit(&world, connect).as_str(), credit(&world, fund).as_str()), ("none", "none"));
        let decided = decide(&world, &accepted.resource(), Choice::Accept).await.expect("it is decided");
        let expected = BTreeMap::from([
            (accepted.resource(), Verdict::Accepted),
            (other.resource(), Verdict::RejectedInFavourOf(accepted.resource())),
        ]);
        assert_eq!(decided.decided, expected);
        assert_eq!(credit(&world, accepted), "credited");
        assert_eq!(credit(&world, other), format!("duplicate of {}", accepted.resource()));
        let view = world.resource(&accepted.resource()).view().expect("a view");
        let decision = view.decision.as_ref().expect("a decision");
        assert_eq!((decision.by.as_str(), decision.reason.as_str()), ("alice", "checked with zerohash"));
    }
}

#[tokio::test]
async fn a_rejected_deposit_leaves_its_coin_to_the_only_other_one_and_otherwise_is_reversed() {
    let [connect, fund] = &two_credits();
    let world = world_after(&two_credits());
    decide(&world, &connect.resource(), Choice::Reject).await.expect("it is decided");
    assert_eq!(
        (credit(&world, connect), credit(&world, fund)),
        (format!("duplicate of {}", fund.resource()), "credited".to_owned())
    );
    let world = world_after(std::slice::from_ref(connect));
    decide(&world, &connect.resource(), Choice::Reject).await.expect("it is decided");
    assert_eq!((world.status(connect), credit(&world, connect).as_str()), ("reversed", "none"));
    assert_eq!(world.published(&connect.resource()), ["deposit.confirmed", "deposit.reversed"]);
}

#[tokio::test]
async fn a_conflict_of_a_deposits_own_statements_is_resolved_or_accepted() {
    let connect = deposit("one", at(NOON));
    for (choice, status, credit_after) in
        [(Choice::Resolve, "failed", "none"), (Choice::Accept, "confirmed", "credited")]
    {
        let world = world_after(std::slice::from_ref(&connect));
        world.receive(connect.webhook("failed", connect.at.plus(minutes(1))));
        assert!(world.resource(&connect.resource()).view().expect("a view").conflict.is_some());
        decide(&world, &connect.resource(), choice).await.expect("it is decided");
        let view = world.resource(&connect.resource()).view().expect("a view");
        assert_eq!((world.status(&connect), &view.conflict), (status, &None), "{choice:?}");
        assert_eq!(credit(&world, &connect), credit_after, "{choice:?}");
    }
}

#[tokio::test]
async fn a_decision_that_would_credit_twice_or_decide_nothing_is_refused_and_nothing_is_queued() {
    let pending = deposit("pending", at(NOON));
    let twin = deposit("twin", at(NOON));
    let listed = twin.clone().with_id("twin-2");
    let world = world_after(&two_credits());
    world.receive(pending.webhook("pending", pending.at));
    world.receive(twin.webhook("confirmed", twin.at));
    // The list reports the same coin under another id.
    world.list(&listed, true);
    for (resource, choice, why) in [
        ("deposit#connect#nowhere", Choice::Accept, "nothing is recorded under deposit#connect#nowhere"),
        ("deposit#connect#pending", Choice::Accept, "no credit can be stated"),
        ("deposit#connect#pending", Choice::Reject, "there is nothing to reject"),
        ("deposit#connect#twin", Choice::Resolve, "has no conflict"),
        ("deposit#connect#one", Choice::Resolve, "accept the deposit that is right"),
    ] {
        let refused = decide(&world, &resource.parse().expect("an id"), choice).await.expect_err(resource);
        assert!(refused.to_string().contains(why), "{refused}");
        assert!(world.ingress.now().sent.is_empty(), "{resource}: nothing is queued");
    }
}

#[tokio::test]
async fn a_decision_is_corrected_by_another_one_and_the_coin_is_credited_once() {
    let [connect, fund] = &two_credits();
    let world = world_after(&two_credits());
    for (accepted, other) in [(fund, connect), (connect, fund), (fund, connect)] {
        world.clock.pass(minutes(1));
        decide(&world, &accepted.resource(), Choice::Accept).await.expect("it is decided");
        assert_eq!(credit(&world, accepted), "credited");
        assert_eq!(credit(&world, other), format!("duplicate of {}", accepted.resource()));
    }
    // A deposit that counts under another one is not credited, so there is nothing to reject.
    let refused = decide(&world, &connect.resource(), Choice::Reject).await.expect_err("a duplicate");
    assert!(refused.to_string().contains("nothing to reject"), "{refused}");
    // When the other one is rejected too, it may be accepted after all.
    world.clock.pass(minutes(1));
    decide(&world, &fund.resource(), Choice::Reject).await.expect("it is decided");
    assert_eq!(
        (world.status(fund), credit(&world, connect)),
        ("reversed", format!("duplicate of {}", fund.resource()))
    );
    world.clock.pass(minutes(1));
    decide(&world, &connect.resource(), Choice::Accept).await.expect("it is decided");
    assert_eq!(credit(&world, connect), "credited");
}

#[tokio::test]
async fn a_duplicate_is_neither_accepted_nor_rejected_while_its_coin_is_credited() {
    let connect = deposit("one", at(NOON));
    let (world, completed) = (world_after(std::slice::from_ref(&connect)), connect.completed("two"));
    world.receive(completed);
    let duplicate: ResourceId = "deposit#zerohash#two".parse().expect("an id");
    let of_duplicate = || world.ledger().entries[&duplicate].credit.clone();
    assert_eq!(of_duplicate(), format!("duplicate of {}", connect.resource()));
    for (choice, why) in
        [(Choice::Accept, "would credit the coin twice"), (Choice::Reject, "there is nothing to reject")]
    {
        let refused = decide(&world, &duplicate, choice).await.expect_err("a duplicate");
        assert!(refused.to_string().contains(why), "{refused}");
    }
    // When a person rejected the owner, the duplicate may be accepted in its place.
    decide(&world, &connect.resource(), Choice::Reject).await.expect("it is decided");
    world.clock.pass(minutes(1));
    decide(&world, &duplicate, Choice::Accept).await.expect("it is decided");
    assert_eq!(of_duplicate(), "credited");
    assert_eq!(credit(&world, &connect), format!("duplicate of {duplicate}"));
}
