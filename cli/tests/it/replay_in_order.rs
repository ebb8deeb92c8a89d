//! A replay onto a restored table: facts are recorded in the order of receipt, so that their events have the ids and the
//! contents that they had.

use std::cell::RefCell;

use fundhook::invocation::{Invocation, InvocationError};
use fundhook::replay::{InvokeStateUpdater, Mode, Order, Recorder, ReplayError, Replayed, replayed_lines};
use fundhook_domain::{Event, NewFact, events_after};
use fundhook_ports::fakes::{EvidenceBucket, Fake, Queue, ResourceTable};
use fundhook_providers::ReadingSettings;
use serde_json::{Value, json};

use crate::replay::{Waited, archive, from, replay};
use crate::stuck::{answer, connect, deposit, envelope, envelope_json, recorded};

const HASH: &str = "cd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569";

/// A state updater that records on `table`. As the deployed one, it keeps the order of a batch for each resource only.
struct StateUpdater<'a> {
    table: &'a Fake<ResourceTable>,
    /// The resources of each batch, in the order of its messages.
    batches: RefCell<Vec<Vec<String>>>,
    /// It does not record facts about this resource.
    refused: Option<&'a str>,
}

impl<'a> StateUpdater<'a> {
    fn of(table: &'a Fake<ResourceTable>) -> Self {
        Self { table, batches: RefCell::default(), refused: None }
    }
}

impl InvokeStateUpdater for &StateUpdater<'_> {
    async fn invoke(&self, event: Value) -> Result<Invocation, InvocationError> {
        let records = event["Records"].as_array().expect("records");
        let fact = |record: &Value| NewFact::from_message(record["body"].as_str().expect("a text")).expect("a fact");
        let facts: Vec<NewFact> = records.iter().map(fact).collect();
        self.batches.borrow_mut().push(facts.iter().map(|fact| fact.resource.native().to_owned()).collect());
        let refused = facts.iter().position(|fact| Some(fact.resource.native()) == self.refused);
        if let Some(position) = refused {
            return Ok(answer(records[position]["messageId"].as_str()));
        }
        let mut sorted = facts;
        sorted.sort_by(|one, other| one.resource.cmp(&other.resource));
        sorted.into_iter().for_each(|fact| self.table.now().record(fact));
        Ok(answer(None))
    }
}

async fn in_order(archive: &Fake<EvidenceBucket>, updater: &StateUpdater<'_>) -> Result<Replayed, ReplayError> {
    let mode: Mode<Fake<Queue>, Waited, _> = Mode::Record(Recorder::new(updater));
    let replay = replay(archive, updater.table, ReadingSettings::default());
    replay.run(&from("2026-11-20T00:00:00Z"), mode, |_| {}).await
}

fn all_events(table: &Fake<ResourceTable>) -> Vec<Event> {
    table.resources().iter().flat_map(|resource| events_after(resource, 0)).collect()
}

/// One family reports that the coin of the deposit `id` was credited.
fn completed(feed: &str, id: &str, received_at: &str) -> String {
    let address = "0x34f53Aea3ba8b60B0ed19106baF43A4f3F73f242";
    match feed {
        "zerohash" => {
            let body = json!({
                "deposit_id": id, "participant_code": "CUST01", "transaction_hash": HASH, "state": "completed",
                "asset": "USDC.ETH", "amount": "100", "received_address": address, "timestamp": 1_795_168_800,
            });
            envelope_json(feed, Some("deposit.status_changed"), &body.to_string(), received_at)
        }
        _ => {
            let body = json!({
                "event": "connect.deposits.confirmed",
                "deposit": {
                    "id": id, "amount": "100", "network": "ethereum", "asset": "USDC", "status": "CONFIRMED",
                    "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:05:00Z",
                    "transaction": { "hash": HASH, "to": address },
                },
                "account": { "reference_id": "CUST01" },
            });
            envelope_json(feed, None, &body.to_string(), received_at)
        }
    }
}

/// The webhooks of two deposits and of a coin that two families report, in the order in which they were received and
/// recorded. The deposit of zerohash owns the coin, although its name sorts last.
fn received() -> Vec<String> {
    vec![
        connect("pending", "b", "2026-11-20T10:00:00Z"),
        connect("pending", "a", "2026-11-20T10:00:01Z"),
        // Late: it was recorded after the confirmation of the same deposit.
        connect("confirmed", "a", "2026-11-20T10:00:03Z"),
        connect("submitted", "a", "2026-11-20T10:00:04Z"),
        completed("zerohash", "z", "2026-11-20T10:00:05Z"),
        completed("connect", "y", "2026-11-20T10:00:06Z"),
        connect("confirmed", "b", "2026-11-21T00:00:01Z"),
    ]
}

/// The archive of those webhooks, in which they have another order, and some of which were replayed once before.
fn shuffled(received: &[String]) -> Fake<EvidenceBucket> {
    let replayed = |json: &String| {
        let replayed = envelope(json).replayed("2026-11-28T00:00:00Z".parse().expect("a time"));
        serde_json::to_string(&replayed).expect("JSON")
    };
    let again: Vec<String> = received[..3].iter().map(replayed).collect();
    let reversed: Vec<String> = received[..6].iter().rev().cloned().collect();
    archive(&[
        ("2026/11/20/0", &again),
        ("2026/11/20/1", &reversed[..2]),
        ("2026/11/20/2", &reversed[2..]),
        ("2026/11/21/0", &received[6..]),
    ])
}

/// Without the place in the archive, which differs here only because the first recording had none.
fn told(events: Vec<Event>) -> Vec<Value> {
    let told = events.into_iter().map(|event| {
        let mut data = serde_json::to_value(&event.data).expect("JSON");
        data["evidence"].as_object_mut().expect("evidence").remove("archived");
        json!({ "id": event.id, "type": event.event_type, "data": data })
    });
    told.collect()
}

#[tokio::test]
async fn each_event_has_the_id_and_the_content_that_it_had_before_the_table_was_lost() {
    let received = received();
    let (archive, complete) = (shuffled(&received), recorded(&received));
    // The backup has any part of them.
    for backup in 0..=received.len() {
        let table = recorded(&received[..backup]);
        let updater = StateUpdater::of(&table);
        let replayed = in_order(&archive, &updater).await.expect("everything is recorded");
        assert_eq!(told(all_events(&table)), told(all_events(&complete)), "a backup of {backup}");
        assert_eq!((replayed.envelopes, replayed.sent), (received.len(), 0));
        let counts = replayed.statements.expect("they are counted");
        assert_eq!((counts.known, counts.new, replayed.recorded), (backup, received.len() - backup, Some(counts.new)));

        let again = in_order(&archive, &updater).await.expect("nothing is to be recorded");
        assert_eq!(again.recorded, Some(0), "{again:?}");
    }
}

#[tokio::test]
async fn deposits_that_share_a_coin_are_not_in_one_batch() {
    let received = received();
    let table = recorded(&[]);
    let updater = StateUpdater::of(&table);
    let replayed = in_order(&shuffled(&received), &updater).await.expect("everything is recorded");
    let batches = updater.batches.borrow().clone();
    assert_eq!(batches, [vec!["b", "a", "a", "a", "z"], vec!["y"], vec!["b"]], "and each day is a batch of its own");
    let lines = replayed_lines(&replayed);
    let last = lines.last().map(String::as_str);
    let expected = "7 envelopes selected; statements: 7 new, 0 restated, 0 known; 7 recorded in the order of receipt";
    assert_eq!(last, Some(expected), "{lines:#?}");
}

#[tokio::test]
async fn a_batch_has_at_most_fifty_statements() {
    let received: Vec<String> =
        (0..120).map(|number| connect("pending", &format!("{number:03}"), "2026-11-20T10:00:00Z")).collect();
    let table = recorded(&[]);
    let updater = StateUpdater::of(&table);
    in_order(&archive(&[("2026/11/20/0", &received)]), &updater).await.expect("everything is recorded");
    let sizes: Vec<usize> = updater.batches.borrow().iter().map(Vec::len).collect();
    assert_eq!(sizes, [50, 50, 20]);
}

#[tokio::test]
async fn a_replay_in_order_stops_at_what_is_not_recorded_and_goes_on_there() {
    let received = received();
    let (archive, table) = (shuffled(&received), recorded(&[]));
    let refusing = StateUpdater { refused: Some("y"), ..StateUpdater::of(&table) };
    let stopped = in_order(&archive, &refusing).await.expect_err("it stops");
    let expected = "not everything was recorded; run it again with --from 2026-11-20T00:00:00Z: the state updater did not \
                    record a statement about deposit#connect#y; its log says why";
    assert_eq!(fundhook_ports::chain(&stopped), expected);
    assert_eq!(table.now().resource(&deposit("b")).version(), 1, "nothing of the next day is recorded");
    in_order(&archive, &StateUpdater::of(&table)).await.expect("everything is recorded");
    assert_eq!(told(all_events(&table)), told(all_events(&recorded(&received))));
}

#[tokio::test]
async fn a_dry_run_says_the_events_in_the_order_of_receipt_and_records_nothing() {
    let received = received();
    let table = recorded(&received[..2]);
    let mode: Mode<Fake<Queue>, Waited, &StateUpdater<'_>> = Mode::DryRun(Order::Received);
    let replay = replay(&shuffled(&received), &table, ReadingSettings::default());
    let found = replay.run(&from("2026-11-20T00:00:00Z"), mode, |_| {}).await.expect("it is read");
    let changes = found.changes.expect("what would change");
    let of_a = changes.iter().find(|change| change.resource == deposit("a")).expect("it would change");
    assert_eq!(of_a.events, ["fundhook.deposit.confirmed", "fundhook.deposit.updated"]);
    assert_eq!((found.recorded, table.resources().len()), (None, 2));
}

#[tokio::test]
async fn a_backup_with_a_part_of_a_transaction_is_noticed() {
    let received = received();
    let (archive, whole) = (shuffled(&received), recorded(&received[..6]));
    let torn = async |lose: fn(&mut ResourceTable)| {
        let table = recorded(&received[..6]);
        lose(&mut table.now());
        let mode: Mode<Fake<Queue>, Waited, &StateUpdater<'_>> = Mode::DryRun(Order::Received);
        let replay = replay(&archive, &table, ReadingSettings::default());
        replay.run(&from("2026-11-20T00:00:00Z"), mode, |_| {}).await.expect("it is read").torn
    };
    let said = |id: &str| format!("deposit#{id} and the claim on {HASH}");
    assert_eq!(whole.now().claims.len(), 1);
    assert_eq!(torn(|_| {}).await, Vec::<String>::new());
    // The deposits are there, and their claim is not. It is reported once.
    assert_eq!(torn(|table| table.claims.clear()).await, [said("zerohash#z")]);
    // The claim is there, and the deposit that was written with it is not.
    let without = |table: &mut ResourceTable| table.resources.retain(|id, _| id.native() != "y");
    assert_eq!(torn(without).await, [said("connect#y")]);
}
