//! What Fundhook gave up on is listed with its cause and tried again by one command. What was archived can be read again, and
//! what was published can be published again, with the same ids and without another effect.

use std::time::Duration;

use fundhook::dead_letters::{Content, DeadLetterQueue, Desk, LetterSummary, Limits, Selection};
use fundhook::replay::{Mode, Order, Replay, Replayed, Selection as Archived, StackMode};
use fundhook::republish::{Destination, Republisher, StackPublishers};
use fundhook::target::Target;
use fundhook_domain::{Kind, NewFact, Provider, Resource, ResourceId, Status, Timestamp};
use fundhook_local_stack::sending::Webhook;
use fundhook_tests::{Platform, Queue, about, event_ids, eventually, run, unique};
use serde_json::json;
use tokio::sync::OnceCell;

const LIMITS: Limits = Limits { messages: 100, time: Duration::from_secs(20) };

/// A stack whose dead letters only these tests see.
async fn stack() -> &'static Platform {
    static STACK: OnceCell<Platform> = OnceCell::const_new();
    let deploy = async || {
        let platform = Platform::deploy(&[]).await;
        platform.redeliver_after(1).await;
        platform
    };
    STACK.get_or_init(deploy).await
}

fn target(platform: &Platform) -> Target {
    Target::of(platform.deployment()).expect("the emulator has no TLS to set up")
}

/// The messages of one queue.
async fn listed(desk: &Desk<'_>, queue: DeadLetterQueue) -> Vec<LetterSummary> {
    let mut listings = desk.list(&[queue], fundhook_runtime::now()).await.expect("the queue answers");
    listings.remove(0).messages
}

fn only(id: &str) -> Selection {
    Selection::Ids([id.to_owned()].into())
}

#[test]
fn a_message_that_cannot_be_read_is_listed_with_the_error_of_todays_code() {
    run(async {
        let platform = stack().await;
        let deposit = unique(Kind::Deposit);
        let envelope = platform.envelope(&about("deposits.pending.json", deposit.native())).await;
        let newer = serde_json::to_string(&envelope).expect("JSON").replacen(r#"{"v":1,"#, r#"{"v":2,"#, 1);
        platform.put(Queue::Ingress, std::slice::from_ref(&newer)).await;
        let look = async || platform.dead_letters(Queue::Ingress).await;
        eventually("it moves to the dead-letter queue", look, |dead| *dead > 0).await;

        let (target, now) = (target(platform), fundhook_runtime::now());
        let desk = Desk::of(&target, LIMITS).await;
        assert_eq!(desk.note(), None, "the settings of the stack are known");
        let letters = listed(&desk, DeadLetterQueue::Ingress).await;
        let [letter] = letters.as_slice() else { unreachable!("one dead letter: {letters:#?}") };
        let error = "the envelope has version 2; this code reads version 1";
        let Content::Unreadable { members, .. } = &letter.content else { unreachable!("unreadable: {letter:#?}") };
        assert_eq!(members.get("feed").map(String::as_str), Some("connect"), "what can be read of it is shown");
        assert_eq!((letter.cause.why.as_str(), letter.cause.fails_again), (error, true));

        // A message that was looked at is visible again.
        assert_eq!(listed(&desk, DeadLetterQueue::Ingress).await.len(), 1);
        let shown = desk.show(DeadLetterQueue::Ingress, &letter.id, now).await.expect("the queue answers");
        assert_eq!(shown.expect("it is there").body, newer);
        let rehearsed = desk.redrive(DeadLetterQueue::Ingress, &only(&letter.id), true).await.expect("it answers");
        assert!(rehearsed.is_complete(), "{rehearsed:?}");
        assert_eq!(platform.dead_letters(Queue::Ingress).await, 1, "a dry run moves nothing");
        assert_eq!(platform.depth(Queue::Ingress).await, 0);

        let absent = desk.redrive(DeadLetterQueue::Ingress, &only("no-such-id"), false).await.expect("it answers");
        assert_eq!((absent.not_found.as_slice(), absent.is_complete()), (&["no-such-id".to_owned()][..], false));
        assert_eq!(platform.dead_letters(Queue::Ingress).await, 1);
    });
}

#[test]
fn a_statement_that_is_redriven_twice_has_one_effect() {
    run(async {
        let platform = stack().await;
        let deposit = unique(Kind::Deposit);
        let webhook = Webhook::new(Provider::Connect, about("deposits.submitted.json", deposit.native()));
        let statement = NewFact::from(platform.statements(&webhook).await.remove(0)).to_message().expect("JSON");
        // As after a crash between sending it back and deleting it: it is there twice.
        platform.bury(Queue::Transfers, &statement).await;
        platform.bury(Queue::Transfers, &statement).await;

        let target = target(platform);
        let desk = Desk::of(&target, LIMITS).await;
        let letters = listed(&desk, DeadLetterQueue::Transfers).await;
        let [first, second] = letters.as_slice() else { unreachable!("two dead letters: {letters:#?}") };
        let Content::Statement(said) = &first.content else { unreachable!("a statement: {first:#?}") };
        assert_eq!((&said.resource, said.event_type.as_str()), (&deposit, "connect.deposits.submitted"));
        assert!(first.cause.why.starts_with("it can be recorded now"), "{}", first.cause.why);

        let redriven = desk.redrive(DeadLetterQueue::Transfers, &only(&first.id), false).await.expect("it answers");
        assert!(redriven.is_complete(), "{redriven:?}");
        let recorded = platform.recorded(&deposit, 1).await;
        let letters = listed(&desk, DeadLetterQueue::Transfers).await;
        let [left] = letters.as_slice() else { unreachable!("one dead letter: {letters:#?}") };
        assert_eq!(left.id, second.id);
        assert_eq!(left.cause.why, "it is recorded: sending it back changes nothing");

        let before = Selection::All { before: fundhook_runtime::now().plus(Duration::from_secs(5)) };
        let redriven = desk.redrive(DeadLetterQueue::Transfers, &before, false).await.expect("it answers");
        assert_eq!((redriven.letters.len(), redriven.is_complete()), (1, true), "{redriven:?}");
        platform.settled().await;
        assert_eq!(platform.resource(&deposit).await, recorded);
        assert_eq!(platform.dead_letters(Queue::Transfers).await, 0);
    });
}

/// A pointer to a change at `at` that `function` could not publish, as Lambda writes it.
fn pointer(function: &str, at: Timestamp) -> String {
    json!({
        "requestContext": {
            "requestId": "2d9c4d4e-6b2c-4d0c-9bd4-2d6b0a8f7a55",
            "functionArn": format!("arn:aws:lambda:us-east-1:123456789012:function:{function}"),
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 7,
        },
        "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": null },
        "version": "1.0",
        "timestamp": at,
        "DDBStreamBatchInfo": {
            "shardId": "shardId-00000001573689847184-864758bb",
            "startSequenceNumber": "800000000003126276362",
            "endSequenceNumber": "800000000003126276362",
            "approximateArrivalOfFirstRecord": at.whole_second(),
            "approximateArrivalOfLastRecord": at.whole_second(),
            "batchSize": 1,
            "streamArn": "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-11-29T00:00:00.000",
        },
    })
    .to_string()
}

#[test]
fn a_pointer_to_a_change_that_was_not_published_is_redriven_by_publishing_the_same_event_again() {
    run(async {
        let platform = stack().await;
        let deposit = unique(Kind::Deposit);
        let mut first = platform.listen().await;
        platform.send(&about("deposits.pending.json", deposit.native())).await;
        let id = format!("{deposit}#1");
        let published = first.event(&id).await;

        let mut again = platform.listen().await;
        let (target, now) = (target(platform), fundhook_runtime::now());
        let failures = platform.output("PublisherFailureQueueUrl");
        platform.send_to(failures, &pointer(platform.output("PublisherFunctionName"), now)).await;
        platform.send_to(failures, &pointer("another-function", now)).await;
        let desk = Desk::of(&target, LIMITS).await;
        let letters = listed(&desk, DeadLetterQueue::Publisher).await;
        assert_eq!(letters.len(), 2, "{letters:#?}");
        for letter in &letters {
            let Content::Pointer(pointer) = &letter.content else { unreachable!("a pointer: {letter:#?}") };
            assert_eq!((pointer.condition.as_str(), pointer.invocations), ("RetryAttemptsExhausted", 7));
        }

        let all = Selection::All { before: now.plus(Duration::from_secs(60)) };
        let redriven = desk.redrive(DeadLetterQueue::Publisher, &all, false).await.expect("it answers");
        let kept: Vec<&str> = redriven.letters.iter().filter_map(|letter| letter.kept.as_deref()).collect();
        assert_eq!(kept, ["another-function is not a publisher of this stack"]);
        assert_eq!(again.event(&id).await.event, published.event, "the same id and the same content");
        let left = listed(&desk, DeadLetterQueue::Publisher).await;
        let [left] = left.as_slice() else { unreachable!("one pointer is kept: {left:#?}") };
        let Content::Pointer(left) = &left.content else { unreachable!("a pointer") };
        assert_eq!(left.function, "another-function");
    });
}

#[test]
fn what_is_published_again_has_the_same_ids_and_contents() {
    run(async {
        let platform = stack().await;
        let deposit = unique(Kind::Deposit);
        let mut first = platform.listen().await;
        for sample in ["deposits.pending.json", "deposits.submitted.json"] {
            platform.send(&about(sample, deposit.native())).await;
        }
        first.receive(event_ids(&deposit, 2)).await;
        platform.recorded(&deposit, 2).await;

        let mut again = platform.listen().await;
        let target = target(platform);
        assert_eq!(StackPublishers::of(&target).destinations(), [Destination::Topic]);
        let republish = async |dry_run, ids: &[ResourceId]| {
            let republisher = Republisher::of(&target, vec![Destination::Topic], dry_run).expect("the outputs");
            republisher.resources(ids).await.expect("the table answers")
        };
        let unknown = unique(Kind::Deposit);
        let rehearsed = republish(true, std::slice::from_ref(&deposit)).await;
        let done = republish(false, &[deposit.clone(), unknown.clone()]).await;
        let of = |resource: &ResourceId| done.resources.iter().find(|done| done.resource == resource.to_string());
        let published = of(&deposit).expect("it is recorded");
        assert_eq!((&rehearsed.resources[0], published.events.len()), (published, 2));
        assert_eq!(of(&unknown).expect("it is named").failures, ["nothing is recorded about it"]);

        again.receive(event_ids(&deposit, 2)).await;
        for id in event_ids(&deposit, 2) {
            let (one, other) = (first.event(&id).await, again.event(&id).await);
            assert_eq!((one.event, one.attributes), (other.event, other.attributes), "{id}");
        }
    });
}

/// Everything that is archived.
fn everything() -> Archived {
    Archived { from: "2000-01-01T00:00:00Z".parse().ok(), ..Archived::default() }
}

async fn replay(target: &Target, selection: &Archived, dry_run: bool) -> Replayed {
    let replay = Replay::of(target, fundhook_runtime::now()).await.expect("the settings of the stack");
    let mode: StackMode<'_> =
        if dry_run { Mode::DryRun(Order::Archived) } else { Mode::send(target, 1_000).expect("the outputs") };
    replay.run(selection, mode, |_| {}).await.expect("the archive is read and the queue answers")
}

#[test]
fn a_replay_changes_nothing_that_is_recorded_and_records_again_what_was_lost() {
    run(async {
        let platform = Platform::deploy(&[]).await;
        let (target, mut first) = (target(&platform), platform.listen().await);
        let [deposit, other] = [unique(Kind::Deposit), unique(Kind::Deposit)];
        let odd = format!("hello {}", fastrand::u64(..)).into_bytes();
        let unrecognized = ResourceId::unrecognized(Provider::Connect, &odd);
        let ids = [deposit.clone(), other.clone(), unrecognized.clone()];
        platform.send(&about("deposits.pending.json", deposit.native())).await;
        platform.send(&about("deposits.submitted.json", deposit.native())).await;
        platform.send(&about("deposits.pending.json", other.native())).await;
        platform.send(&odd).await;
        first.receive(event_ids(&deposit, 2)).await;
        first.receive(event_ids(&other, 1)).await;
        first.receive(event_ids(&unrecognized, 1)).await;
        let recorded = platform.resources(&ids).await;

        let mut again = platform.listen().await;
        nothing_changes(&platform, &target, &recorded, &ids).await;
        what_was_lost_is_recorded_again(&platform, &target, &recorded[0]).await;
        again.receive(event_ids(&deposit, 2)).await;
        for unchanged in [&other, &unrecognized] {
            assert!(again.ids_about(unchanged).is_empty(), "nothing is published again about {unchanged}");
        }
    });
}

/// Replaying everything, once in a dry run and once for real, leaves every fact as it is.
async fn nothing_changes(platform: &Platform, target: &Target, recorded: &[Resource], ids: &[ResourceId]) {
    let rehearsed = replay(target, &everything(), true).await;
    assert_eq!((rehearsed.envelopes, rehearsed.sent), (4, 0), "{rehearsed:#?}");
    assert_eq!(rehearsed.changes.as_deref(), Some(&[][..]), "{rehearsed:#?}");
    assert_eq!(rehearsed.statements.map(|counts| (counts.known, counts.new, counts.restated)), Some((4, 0, 0)));

    let unrecognized = replay(target, &Archived { unrecognized: true, ..Archived::default() }, true).await;
    assert_eq!((unrecognized.envelopes, unrecognized.changes.as_deref()), (1, Some(&[][..])), "{unrecognized:#?}");
    let named = Archived { event_type: Some("connect.deposits.submitted".to_owned()), ..Archived::default() };
    assert_eq!(replay(target, &named, true).await.envelopes, 1);

    let sent = replay(target, &everything(), false).await;
    assert_eq!((sent.envelopes, sent.sent), (4, 4), "{sent:#?}");
    platform.settled().await;
    assert_eq!(platform.resources(ids).await, recorded);
    // It is archived once more, and the same webhooks are selected only once.
    assert_eq!(platform.archive().await.len(), 8);
    assert_eq!(replay(target, &everything(), true).await.envelopes, 4);
}

/// The item of `lost` is deleted. A dry run says that it is missing, and a replay records the same facts again.
async fn what_was_lost_is_recorded_again(platform: &Platform, target: &Target, lost: &Resource) {
    let key = aws_sdk_dynamodb::types::AttributeValue::S(lost.id().to_string());
    let delete = platform.clients().dynamodb.delete_item().table_name(platform.output("TableName")).key("pk", key);
    delete.send().await.expect("the item is deleted");
    let rehearsed = replay(target, &everything(), true).await;
    let changes = rehearsed.changes.unwrap_or_default();
    let [change] = changes.as_slice() else { unreachable!("one resource would change: {changes:#?}") };
    let status = lost.view().and_then(|view| view.status).map(Status::as_str);
    assert_eq!((&change.resource, change.from.status, change.to.status), (lost.id(), None, status));
    assert_eq!((change.facts, platform.resource(lost.id()).await.version()), (2, 0), "a dry run records nothing");

    replay(target, &everything(), false).await;
    let again = platform.recorded(lost.id(), 2).await;
    let facts = |resource: &Resource| {
        let mut ids: Vec<String> = resource.facts().iter().map(|fact| fact.content.id().to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(facts(&again), facts(lost));
    let correlated = |resource: &Resource| {
        let mut ids: Vec<String> =
            resource.facts().iter().map(|fact| fact.content.evidence().correlation_id.to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(correlated(&again), correlated(lost));
    assert_eq!(again.view().and_then(|view| view.status), lost.view().and_then(|view| view.status));
}
