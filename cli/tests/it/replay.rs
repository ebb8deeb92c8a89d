//! Replay: what is selected, what a dry run says, and that a changed reading mends what stands.

use std::future::Ready;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use fundhook::invocation::{Invocation, InvocationError};
use fundhook::replay::{Mode, Order, Pace, Replay, ReplayError, Replayed, Selection, Sender, replayed_lines};
use fundhook_domain::{FeeBearer, HoldReason, SeveralFamiliesCredit};
use fundhook_ports::UnreadableItem;
use fundhook_ports::fakes::{EvidenceBucket, Fail, Fake, Queue, ResourceTable};
use fundhook_providers::ReadingSettings;
use serde_json::{Value, json};

use crate::stuck::{at, connect, envelope, envelope_json, facts_with, recorded};

/// Remembers how long was waited.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waited(Arc<Mutex<Vec<Duration>>>);

impl Pace for Waited {
    async fn wait(&self, duration: Duration) {
        self.0.lock().expect("no test panicked").push(duration);
    }
}

/// A mode without a state updater.
type TestMode = Mode<Fake<Queue>, Waited, fn(Value) -> Ready<Result<Invocation, InvocationError>>>;

/// An archive with these objects: their keys after the prefix, and their lines.
pub(crate) fn archive(objects: &[(&str, &[String])]) -> Fake<EvidenceBucket> {
    let bucket = Fake::new(EvidenceBucket::default());
    for (key, lines) in objects {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all((lines.join("\n") + "\n").as_bytes()).expect("memory takes it");
        let content = encoder.finish().expect("compressed");
        bucket.now().objects.push((format!("evidence/v1/{key}.ndjson.gz"), content));
    }
    bucket
}

pub(crate) fn replay(
    archive: &Fake<EvidenceBucket>,
    table: &Fake<ResourceTable>,
    reading: ReadingSettings,
) -> Replay<Fake<EvidenceBucket>, Fake<ResourceTable>> {
    let now = at("2026-11-29T12:00:00Z");
    let (archive, table) = (archive.clone(), table.clone());
    Replay { archive, table, reading, several: SeveralFamiliesCredit::default(), now }
}

async fn dry_run(
    archive: &Fake<EvidenceBucket>,
    table: &Fake<ResourceTable>,
    reading: ReadingSettings,
    selection: &Selection,
) -> Replayed {
    let mode: TestMode = Mode::DryRun(Order::Archived);
    replay(archive, table, reading).run(selection, mode, |_| {}).await.expect("the archive and the table answer")
}

pub(crate) fn from(text: &str) -> Selection {
    Selection { from: Some(at(text)), ..Selection::default() }
}

#[tokio::test]
async fn only_what_is_selected_is_replayed_and_once_however_often_it_is_archived() {
    let pending = connect("pending", "a", "2026-11-20T23:59:59Z");
    let submitted = connect("submitted", "a", "2026-11-21T00:00:00Z");
    let of_zerohash = envelope_json("zerohash", Some("deposit.status_changed"), "{}", "2026-11-22T08:00:00Z");
    // A replay was archived too, with its mark.
    let replayed = envelope(&pending).replayed(at("2026-11-28T00:00:00Z"));
    let replayed = serde_json::to_string(&replayed).expect("JSON");
    let archive = archive(&[
        ("2026/11/20/b", &[pending.clone(), replayed]),
        ("2026/11/20/c", std::slice::from_ref(&pending)),
        ("2026/11/21/a", &[submitted]),
        ("2026/11/22/a", &[of_zerohash, "no JSON".to_owned()]),
    ]);
    let table = recorded(&[pending]);
    let selections = [
        (from("2000-01-01T00:00:00Z"), 3, 1),
        (from("2026-11-21T00:00:00Z"), 2, 1),
        (from("2026-11-21T00:00:01Z"), 1, 1),
        (Selection { to: Some(at("2026-11-21T00:00:00Z")), ..Selection::default() }, 1, 0),
        (Selection { to: Some(at("2026-11-21T00:00:01Z")), ..from("2026-11-20T00:00:00Z") }, 2, 0),
        (Selection { feed: "zerohash".parse().ok(), ..Selection::default() }, 1, 1),
        (Selection { event_type: Some("connect.deposits.pending".to_owned()), ..Selection::default() }, 1, 1),
        (Selection { event_type: Some("deposit.status_changed".to_owned()), ..Selection::default() }, 1, 1),
        (Selection { event_type: Some("another".to_owned()), ..Selection::default() }, 0, 1),
    ];
    for (selection, envelopes, unreadable) in selections {
        let replayed = dry_run(&archive, &table, ReadingSettings::default(), &selection).await;
        assert_eq!((replayed.envelopes, replayed.unreadable.len()), (envelopes, unreadable), "{selection:?}");
    }
    assert!(Selection::default().is_empty());
}

/// A deposit of zerohash, confirmed if it is known who bears its fee.
fn fund() -> String {
    let body = json!({
        "fund_id": "f-1", "participant_code": "C", "fund_asset": "USDC", "quoted_currency": "USD", "quantity": "500",
        "rate": "1", "notional": "500", "deposit_fee_notional": "5", "success": true,
    });
    envelope_json("zerohash", Some("deposit_fund_complete"), &body.to_string(), "2026-11-20T10:00:00Z")
}

#[tokio::test]
async fn a_setting_that_is_changed_and_changed_back_stands_each_time_after_a_replay() {
    let archive = archive(&[("2026/11/20/a", &[fund()])]);
    let settings = |bearer| ReadingSettings { deposit_fees_borne_by: bearer, ..ReadingSettings::default() };
    let bearers = [None, Some(FeeBearer::Customer), Some(FeeBearer::Platform), None, Some(FeeBearer::Customer)];
    let table = recorded(&[]);
    let mut now = at("2026-11-29T12:00:00Z");
    for bearer in bearers {
        let mut replay = replay(&archive, &table, settings(bearer));
        (replay.now, now) = (now, now.plus(Duration::from_secs(60)));
        let queue = Fake::new(Queue::default());
        let mode: TestMode = Mode::Send(Sender::new(queue.clone(), Waited::default(), 50));
        replay.run(&from("2026-11-20T00:00:00Z"), mode, |_| {}).await.expect("sent");
        // Fan-out and the state updater, with these settings.
        for sent in queue.sent() {
            assert_eq!(envelope(&sent).correlation_id(), envelope(&fund()).correlation_id());
            facts_with(&sent, &settings(bearer)).into_iter().for_each(|fact| table.now().record(fact));
        }
        let view = table.resources()[0].view().expect("it has facts");
        let net = view.details.credit().map(|credit| credit.net.value.to_string());
        let expected = match bearer {
            Some(FeeBearer::Customer) => Some("495"),
            Some(FeeBearer::Platform) => Some("500"),
            None => None,
        };
        assert_eq!(net.as_deref(), expected, "{bearer:?}");
        let hold = view.details.hold().map(|hold| hold.reason);
        assert_eq!(hold, bearer.is_none().then_some(HoldReason::FeeBearerUnknown), "{bearer:?}");

        // Once it stands, a replay changes nothing.
        let again = dry_run(&archive, &table, settings(bearer), &from("2026-11-20T00:00:00Z")).await;
        assert_eq!(again.changes.as_deref(), Some(&[][..]), "{again:?}");
    }
}

#[tokio::test]
async fn a_dry_run_says_what_would_change_and_sends_and_writes_nothing() {
    let lost = connect("submitted", "lost", "2026-11-20T11:00:00Z");
    let pending = connect("pending", "lost", "2026-11-20T10:00:00Z");
    let archive = archive(&[("2026/11/20/a", &[fund(), lost, pending.clone()])]);
    let table = recorded(&[fund(), pending]);
    let settings = ReadingSettings { deposit_fees_borne_by: Some(FeeBearer::Customer), ..ReadingSettings::default() };
    let replayed = dry_run(&archive, &table, settings, &from("2026-11-20T00:00:00Z")).await;
    assert_eq!(
        replayed_lines(&replayed),
        [
            "       1  connect             connect.deposits.pending",
            "       1  connect             connect.deposits.submitted",
            "       1  zerohash            deposit_fund_complete",
            "deposit#connect#lost  pending → submitted  1 new fact; publishes fundhook.deposit.submitted",
            "deposit#zerohash#f-1  held (fee_bearer_unknown) → confirmed (net 495 USD)  1 new fact; publishes fundhook.deposit.confirmed",
            "3 envelopes selected; statements: 1 new, 1 restated, 1 known; 2 resources would change. Nothing was sent",
        ]
    );
    assert!(table.writes().is_empty());
}

#[tokio::test]
async fn what_is_recorded_as_unrecognized_is_found_by_the_table() {
    let (odd, known) = (
        envelope_json("connect", None, "hello", "2026-11-20T10:00:00Z"),
        connect("pending", "a", "2026-11-20T10:00:00Z"),
    );
    let object = "evidence/v1/none".to_owned();
    let table = recorded(&[known.clone(), odd.clone()]);
    // The facts name line 0 of an object as their evidence.
    let archive = archive(&[("2026/11/20/a", std::slice::from_ref(&known))]);
    let named = self::archive(&[("x", &[odd, known])]);
    let content = named.now().objects[0].1.clone();
    archive.now().objects.push((object, content));
    let selection = Selection { unrecognized: true, ..Selection::default() };
    let replayed = dry_run(&archive, &table, ReadingSettings::default(), &selection).await;
    assert_eq!((replayed.envelopes, replayed.changes.map(|changes| changes.len())), (1, Some(0)));
    let before = Selection { to: Some(at("2026-11-20T10:00:00Z")), ..selection };
    assert_eq!(dry_run(&archive, &table, ReadingSettings::default(), &before).await.envelopes, 0);
}

#[tokio::test]
async fn items_that_cannot_be_read_are_reported() {
    let odd = envelope_json("connect", None, "hello", "2026-11-20T10:00:00Z");
    let table = recorded(std::slice::from_ref(&odd));
    let (key, why) = ("unrecognized#connect#x".to_owned(), "it has no facts".to_owned());
    table.now().unreadable.push(UnreadableItem { key, why });
    let archive = self::archive(&[("x", &[odd])]);
    archive.now().objects[0].0 = "evidence/v1/none".to_owned();
    let selection = Selection { unrecognized: true, ..Selection::default() };
    let replayed = dry_run(&archive, &table, ReadingSettings::default(), &selection).await;
    assert_eq!((replayed.envelopes, replayed.refused), (1, vec!["unrecognized#connect#x: it has no facts".to_owned()]));
}

#[tokio::test]
async fn a_damaged_object_is_reported_and_the_others_are_replayed() {
    let pending = connect("pending", "a", "2026-11-20T10:00:00Z");
    let archive = archive(&[("2026/11/20/a", std::slice::from_ref(&pending))]);
    let damaged = ("evidence/v1/2026/11/19/x.ndjson.gz".to_owned(), b"not gzip".to_vec());
    archive.now().objects.push(damaged);
    let selection = from("2026-11-01T00:00:00Z");
    let replayed = dry_run(&archive, &recorded(&[pending]), ReadingSettings::default(), &selection).await;
    assert_eq!((replayed.envelopes, replayed.unreadable.len()), (1, 1), "{replayed:?}");
    assert!(replayed.unreadable[0].error.contains("decompress"), "{replayed:?}");
}

#[tokio::test]
async fn envelopes_are_sent_at_the_rate_and_a_replay_that_stops_says_where_to_go_on() {
    let lines = |day: &str| -> Vec<String> {
        (0..12).map(|number| connect("pending", &number.to_string(), &format!("{day}T10:00:00Z"))).collect()
    };
    let archive = archive(&[("2026/11/20/a", &lines("2026-11-20")), ("2026/11/21/a", &lines("2026-11-21"))]);
    let (table, queue, waited) = (recorded(&[]), Fake::new(Queue::default()), Waited::default());
    let sender = |queue: &Fake<Queue>| -> TestMode { Mode::Send(Sender::new(queue.clone(), waited.clone(), 20)) };
    let replay = replay(&archive, &table, ReadingSettings::default());
    let done = replay.run(&from("2026-11-20T00:00:00Z"), sender(&queue), |_| {}).await.expect("sent");
    assert_eq!((done.envelopes, done.sent, queue.sent().len()), (24, 24, 24));
    let sizes: Vec<usize> = queue.now().calls.iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 2, 10, 2], "a day is sent before the next one begins");
    let total: Duration = waited.0.lock().expect("no test panicked").iter().sum();
    assert_eq!(total, Duration::from_millis(24 * 50));

    let queue = Fake::new(Queue { on_send: Fail::After(2), ..Queue::default() });
    let stopped = replay.run(&from("2026-11-20T00:00:00Z"), sender(&queue), |_| {}).await.expect_err("it stops");
    let ReplayError::Send { again, .. } = &stopped else { unreachable!("{stopped}") };
    assert_eq!(again, "run it again with --from 2026-11-21T00:00:00Z");
}
