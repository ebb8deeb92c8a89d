//! Dead letters: what each is and why it is there, and redriving that never loses one.

use std::collections::BTreeSet;
use std::time::Duration;

use fundhook::dead_letters::{
    CauseFinder, Content, DeadLetterQueue, Limits, Pointer, Redriven, Selection, SentTo, collect, content, redrive,
    redrive_pointers, redriven_lines,
};
use fundhook::invocation::{Invocation, InvocationError};
use fundhook::republish::{Destination, Republisher};
use fundhook_domain::SeveralFamiliesCredit;
use fundhook_ports::fakes::{DeadLetters, Fail, Fake, Queue, ResourceTable};
use fundhook_ports::{WaitingMessage, WaitingMessages as _};
use fundhook_providers::ReadingSettings;
use serde_json::{Value, json};

use crate::stuck::{answer, at, connect, deposit, envelope_json, facts_with, recorded};

const SENT: &str = "2026-11-29T10:00:00Z";
const LIMITS: Limits = Limits { messages: 100, time: Duration::from_secs(10) };

fn statement(event: &str, id: &str) -> String {
    facts_with(&connect(event, id, SENT), &ReadingSettings::default()).remove(0).to_message().expect("JSON")
}

fn pointer(function_arn: &str, first: &str, last: &str) -> String {
    json!({
        "requestContext": {
            "requestId": "r", "functionArn": function_arn, "condition": "RecordAgeExceeded", "approximateInvokeCount": 361,
        },
        "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
        "version": "1.0",
        "timestamp": last,
        "DDBStreamBatchInfo": {
            "shardId": "shardId-1", "startSequenceNumber": "800", "endSequenceNumber": "900",
            "approximateArrivalOfFirstRecord": first, "approximateArrivalOfLastRecord": last, "batchSize": 3,
            "streamArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026",
        },
    })
    .to_string()
}

const TOPIC_PUBLISHER: &str = "arn:aws:lambda:eu-west-1:123456789012:function:publisher:live";
const BUS_PUBLISHER: &str = "arn:aws:lambda:eu-west-1:123456789012:function:bus-publisher";

fn destination_of(function: &str) -> Option<Destination> {
    match function {
        "publisher" => Some(Destination::Topic),
        "bus-publisher" => Some(Destination::Bus),
        _ => None,
    }
}

#[test]
fn a_message_says_what_it_is_or_which_error_todays_code_gives() {
    let read = |queue, body: &str| content(queue, body, &ReadingSettings::default());
    let webhook = connect("pending", "a", SENT);
    let Content::Webhook(summary) = read(DeadLetterQueue::Ingress, &webhook) else { unreachable!("a webhook") };
    assert_eq!(summary.feed.to_string(), "connect");
    assert_eq!(summary.event_types, BTreeSet::from(["connect.deposits.pending".to_owned()]));
    assert_eq!(summary.resources, BTreeSet::from([deposit("a")]));

    let body = statement("pending", "a");
    let Content::Statement(said) = read(DeadLetterQueue::Transfers, &body) else { unreachable!("a statement") };
    assert_eq!((said.resource, said.correlation_id), (deposit("a"), summary.correlation_id));

    let body = pointer(TOPIC_PUBLISHER, "2026-11-29T09:00:00Z", SENT);
    let Content::Pointer(read_pointer) = read(DeadLetterQueue::Publisher, &body) else { unreachable!("a pointer") };
    assert_eq!((read_pointer.function.as_str(), read_pointer.invocations), ("publisher", 361), "without its alias");
    assert_eq!((read_pointer.first_sequence_number.as_str(), read_pointer.records), ("800", 3));

    for (queue, body, expected) in [
        (DeadLetterQueue::Ingress, "no JSON".to_owned(), "the message is not an envelope"),
        (DeadLetterQueue::Ingress, webhook.replacen(r#""v":1"#, r#""v":2"#, 1), "the envelope has version 2"),
        (DeadLetterQueue::Transfers, "{}".to_owned(), "the message is not a fact to record"),
        (DeadLetterQueue::Accounts, webhook, "the message is not a fact to record"),
        (DeadLetterQueue::Publisher, "{}".to_owned(), "the message is not a pointer to records of the stream"),
    ] {
        let Content::Unreadable { error, members } = read(queue, &body) else { unreachable!("{queue}: {body}") };
        assert!(error.starts_with(expected), "{error}");
        let says = members.get("feed").map(String::as_str);
        assert_eq!(says, body.contains("connect").then_some("connect"), "what can be read of it is shown");
    }
    assert!(Pointer::from_message(&pointer("not an arn", SENT, SENT)).is_err());
}

/// A decision about this many deposits, as a message on the transfers queue.
fn decision(deposits: usize) -> String {
    let verdicts: Vec<Value> = (0..deposits)
        .map(|number| json!({ "resource": deposit(&number.to_string()), "verdict": "accepted", "settles": [] }))
        .collect();
    let body = json!({ "by": "alice", "reason": "checked", "decided_at": SENT, "verdicts": verdicts }).to_string();
    let mut envelope: Value = serde_json::from_str(&envelope_json("connect", None, &body, SENT)).expect("JSON");
    envelope["attestation"] = json!({ "scheme": "fundhook-decision", "class": "decision", "key": "alice" });
    facts_with(&envelope.to_string(), &ReadingSettings::default()).remove(0).to_message().expect("JSON")
}

/// Why `body` is in the transfers queue, by this table.
async fn cause(table: Fake<ResourceTable>, body: &str) -> (String, bool) {
    let dead = Fake::with_bodies([body], at(SENT));
    let message = dead.receive(Duration::ZERO).await.expect("a message").remove(0);
    let content = content(DeadLetterQueue::Transfers, body, &ReadingSettings::default());
    let finder = CauseFinder::on(table, SeveralFamiliesCredit::default());
    let cause = finder.cause(DeadLetterQueue::Transfers, &message, &content).await;
    (cause.why, cause.fails_again)
}

#[tokio::test]
async fn the_cause_is_what_fails_now_or_else_the_log_has_it() {
    let none: [String; 0] = [];
    let (why, fails_again) = cause(recorded(&none), &statement("pending", "a")).await;
    assert!(why.contains("it can be recorded now") && why.contains("the log of state-updater") && why.contains("m0"));
    assert!(!fails_again);

    let known = recorded(&[connect("pending", "a", SENT)]);
    let (why, _) = cause(known.clone(), &statement("pending", "a")).await;
    assert_eq!(why, "it is recorded: sending it back changes nothing");

    known.now().on_read = Fail::Always;
    let (why, fails_again) = cause(known, &statement("submitted", "a")).await;
    assert_eq!((why.as_str(), fails_again), ("cannot be told: could not read resources: it is down", false));

    let (why, fails_again) = cause(recorded(&none), &decision(100)).await;
    assert!(why.starts_with("it can be recorded now") && !fails_again, "{why}");
    let (why, fails_again) = cause(recorded(&none), &decision(101)).await;
    assert_eq!(why, "recording it changes 101 items, and DynamoDB writes at most 100 together");
    assert!(fails_again);

    let (why, fails_again) = cause(recorded(&none), "[]").await;
    assert!(why.starts_with("the message is not a fact to record") && fails_again, "{why}");
}

#[tokio::test]
async fn receiving_stops_at_its_limits_and_says_so() {
    let dead = || Fake::with_bodies((0..25).map(|number| number.to_string()), at(SENT));
    for (messages, received, cut) in [(100, 25, false), (20, 20, true), (5, 10, true)] {
        let queue = dead();
        let limits = Limits { messages, ..LIMITS };
        let collected = collect(&queue, limits, None).await.expect("the queue answers");
        assert_eq!((collected.messages.len(), collected.cut), (received, cut));
        queue.give_back(&collected.messages).await.expect("given back");
        assert_eq!(queue.visible().len(), 25);
    }
    let wanted = ["m3".to_owned()].into();
    let collected = collect(&dead(), LIMITS, Some(&wanted)).await.expect("the queue answers");
    assert_eq!((collected.messages.len(), collected.cut), (10, false), "one call is enough");

    // What was received before an error does not stay hidden.
    let queue = dead();
    queue.now().on_receive = Fail::After(1);
    assert!(collect(&queue, LIMITS, None).await.is_err());
    assert_eq!(queue.visible().len(), 25);
}

async fn redriven(dead: &Fake<DeadLetters>, source: &Fake<Queue>, selection: &Selection, dry_run: bool) -> Redriven {
    redrive(dead, source, DeadLetterQueue::Transfers, selection, LIMITS, dry_run).await
}

fn ids(ids: &[&str]) -> Selection {
    Selection::Ids(ids.iter().map(|id| (*id).to_owned()).collect())
}

#[tokio::test]
async fn only_what_is_selected_is_sent_back_and_deleted_and_the_rest_is_visible_again() {
    let dead = Fake::with_bodies(["zero", "one", "two"], at(SENT));
    dead.now().messages[1].trace = Some("Root=1-5759e988-bd862e3fe1be46a994272793".to_owned());
    let source = Fake::new(Queue::default());
    let done = redriven(&dead, &source, &ids(&["m1", "gone"]), true).await;
    assert_eq!((done.not_found.as_slice(), source.calls()), (&["gone".to_owned()][..], 0), "a dry run sends nothing");
    assert_eq!(dead.visible(), ["m0", "m1", "m2"]);

    let done = redriven(&dead, &source, &ids(&["m1"]), false).await;
    assert!(done.is_complete(), "{done:?}");
    assert_eq!(done.letters[0].to, SentTo::Queue("transfers"));
    assert_eq!((source.sent(), dead.visible()), (vec!["one".to_owned()], vec!["m0".to_owned(), "m2".to_owned()]));
    assert_eq!(source.now().traces, ["Root=1-5759e988-bd862e3fe1be46a994272793"]);

    // What came back after the command began is not sent a second time.
    dead.now().messages[0].sent_at = at("2026-11-29T10:00:05Z");
    let done = redriven(&dead, &source, &Selection::All { before: at("2026-11-29T10:00:01Z") }, false).await;
    assert_eq!((source.sent().len(), done.letters.len(), done.newer), (2, 1, 1));
    assert_eq!(dead.visible(), ["m0"]);
}

#[tokio::test]
async fn a_message_is_deleted_only_after_its_queue_has_it() {
    let all = Selection::All { before: at(SENT) };
    // The queue refuses one of them.
    let (dead, source) = (Fake::with_bodies(["zero", "one"], at(SENT)), Fake::<Queue>::refusing("one"));
    let done = redriven(&dead, &source, &all, false).await;
    let kept: Vec<&str> =
        done.letters.iter().filter(|letter| letter.kept.is_some()).map(|one| one.id.as_str()).collect();
    assert_eq!((kept, done.is_complete()), (vec!["m1"], false));
    assert_eq!((source.sent(), dead.visible()), (vec!["zero".to_owned()], vec!["m1".to_owned()]));

    // It was sent, and cannot be deleted: it is in both queues, and in none of them lost.
    let (dead, source) = (Fake::with_bodies(["zero"], at(SENT)), Fake::new(Queue::default()));
    dead.now().on_delete = Fail::Next(1);
    let done = redriven(&dead, &source, &all, false).await;
    assert!(done.letters[0].kept.as_deref().is_some_and(|why| why.starts_with("it was sent")), "{done:?}");
    assert_eq!((source.sent().len(), dead.visible().len()), (1, 1));
    assert!(redriven(&dead, &source, &all, false).await.is_complete());
    assert_eq!((source.sent(), dead.visible().len()), (vec!["zero".to_owned(); 2], 0));
}

#[tokio::test]
async fn what_was_done_is_told_although_the_queue_fails_afterwards() {
    let all = Selection::All { before: at(SENT) };
    let (dead, source) = (Fake::with_bodies(vec!["one"; 25], at(SENT)), Fake::<Queue>::default());
    dead.now().on_receive = Fail::After(1);
    let done = redriven(&dead, &source, &all, false).await;
    assert_eq!((done.letters.len(), source.sent().len(), done.failures.len()), (10, 10, 1), "{done:?}");
    assert!(!done.is_complete());

    let (dead, source) = (Fake::with_bodies(["zero", "one"], at(SENT)), Fake::<Queue>::refusing("one"));
    dead.now().on_give_back = Fail::Next(1);
    let done = redriven(&dead, &source, &all, false).await;
    assert_eq!((done.letters.len(), source.sent().len(), done.failures.len()), (2, 1, 1), "{done:?}");
    let lines = redriven_lines(DeadLetterQueue::Transfers, &done, false);
    assert!(lines.iter().any(|line| line.starts_with("FAILED: what was not redriven is not shown")), "{lines:?}");
}

/// Redrives pointers with publishers that answer with `answer_of`. Returns what was published, by destination.
async fn redriven_pointers(
    dead: &Fake<DeadLetters>,
    table: &Fake<ResourceTable>,
    dry_run: bool,
    answer_of: impl Fn(Destination, &Value) -> Invocation,
) -> (Redriven, Vec<(Destination, Vec<String>)>) {
    let published = std::cell::RefCell::new(Vec::new());
    let republisher = |destination| {
        let invoke = async |destination, event: Value| {
            let records = event["Records"].as_array().expect("records").iter();
            let keys = records.map(|record| record["dynamodb"]["NewImage"]["pk"]["S"].as_str().expect("a key"));
            published.borrow_mut().push((destination, keys.map(str::to_owned).collect()));
            Ok::<_, InvocationError>(answer_of(destination, &event))
        };
        Republisher::new(table.clone(), invoke, vec![destination], dry_run)
    };
    let all = Selection::All { before: at("2026-11-30T00:00:00Z") };
    let done = redrive_pointers(dead, &all, LIMITS, dry_run, destination_of, republisher).await;
    (done.expect("the queue answers"), published.into_inner())
}

#[tokio::test]
async fn a_pointer_is_redriven_by_publishing_what_was_written_then_or_since_to_where_it_failed() {
    // The first was written long before, the second within the margin, and the third is new since.
    let table = recorded(&[
        connect("pending", "before", "2026-11-29T06:00:00Z"),
        connect("pending", "then", "2026-11-29T09:03:00Z"),
        connect("pending", "since", "2026-11-29T12:00:00Z"),
    ]);
    let body = || pointer(BUS_PUBLISHER, "2026-11-29T09:00:00Z", "2026-11-29T09:00:01Z");
    let dead = Fake::with_bodies([body(), body()], at(SENT));
    let (done, published) = redriven_pointers(&dead, &table, true, |_, _| unreachable!("a dry run")).await;
    assert_eq!((done.letters.len(), published.len(), dead.visible().len()), (2, 0, 2));
    assert_eq!(done.letters[0].to, SentTo::Publisher { resources: 1, events: 1 });

    let (done, published) = redriven_pointers(&dead, &table, false, |_, _| answer(None)).await;
    assert!(done.is_complete(), "{done:?}");
    let expected = vec![(Destination::Bus, vec!["deposit#connect#then".to_owned()])];
    assert_eq!((published, dead.visible().len()), (expected, 0), "once for both pointers");
}

#[tokio::test]
async fn a_pointer_is_kept_if_anything_of_it_cannot_be_published() {
    let table = recorded(&[connect("pending", "a", SENT)]);
    let bodies = [pointer(TOPIC_PUBLISHER, SENT, SENT), pointer(BUS_PUBLISHER, SENT, SENT), "{}".to_owned()];
    let dead = Fake::with_bodies(bodies, at(SENT));
    let (done, _) = redriven_pointers(&dead, &table, false, |destination, _| match destination {
        Destination::Topic => answer(Some("0")),
        Destination::Bus => answer(None),
    })
    .await;
    let kept = |id: &str| done.letters.iter().find(|letter| letter.id == id).and_then(|letter| letter.kept.as_deref());
    assert!(kept("m0").is_some_and(|why| why.starts_with("could not publish deposit#connect#a: topic: ")), "{done:?}");
    assert_eq!(kept("m1"), None);
    assert!(kept("m2").is_some_and(|why| why.starts_with("the message is not a pointer")));
    assert_eq!(dead.visible(), ["m0", "m2"]);
}

#[tokio::test]
async fn a_pointer_to_nothing_in_the_table_is_kept() {
    let table = recorded(&[connect("pending", "a", "2026-11-28T10:00:00Z")]);
    let dead = Fake::with_bodies([pointer(TOPIC_PUBLISHER, SENT, SENT)], at(SENT));
    let (done, published) = redriven_pointers(&dead, &table, false, |_, _| answer(None)).await;
    let kept = done.letters[0].kept.as_deref();
    assert!(kept.is_some_and(|why| why.starts_with("no resource with events was written")), "{done:?}");
    assert_eq!((published.len(), dead.visible()), (0, vec!["m0".to_owned()]));
}

#[tokio::test]
async fn a_message_that_is_delivered_twice_is_listed_once() {
    let dead = Fake::with_bodies(["zero"], at(SENT));
    let copy: WaitingMessage = dead.now().messages[0].clone();
    dead.now().messages.push(copy);
    let collected = collect(&dead, LIMITS, None).await.expect("the queue answers");
    assert_eq!(collected.messages.len(), 1);
}
