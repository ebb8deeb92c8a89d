//! A table that is restored from a backup catches up from the archive: the same facts, the same events with the same ids, and
//! nothing booked twice. A subscriber's ledger that is restored catches up from the table.
//!
//! The backup is one on demand: what the emulator restores to a point in time is the table as it is then.

use std::collections::{BTreeMap, BTreeSet};

use fundhook::ledger::Ledger;
use fundhook::replay::{Mode, Order, Replay, Replayed, Selection, StackMode};
use fundhook::republish::{Destination, Republisher, Window};
use fundhook::target::Target;
use fundhook_domain::{Kind, Provider, ResourceId, Timestamp, events_after};
use fundhook_local_stack::Deployment;
use fundhook_local_stack::sending::Webhook;
use fundhook_ports::ItemsOf;
use fundhook_sandbox::DropShare;
use fundhook_tests::{
    Coin, Item, Listener, Platform, Queue, Subscriber, changed, event_ids, eventually, hash, run, samples_with, unique,
    uuid,
};
use serde_json::{Value, json};

/// The table that the backup is restored to.
const RESTORED: &str = "fundhook-restored";

/// With what the keys of receipts begin.
const RECEIPTS: &str = "published#";

/// What happens to one customer, in steps. No two webhooks of a step are about one resource or one coin, and all of a step is
/// recorded before the next one. So it is certain in which order everything was recorded.
struct Story {
    withdrawal: ResourceId,
    contradicted: ResourceId,
    pending: ResourceId,
    /// Before the time from which the archive is replayed.
    first: Vec<Webhook>,
    /// From that time until the backup.
    before_the_backup: Vec<Webhook>,
    /// After the backup.
    lost: [Vec<Webhook>; 3],
    /// Reported by the provider after the backup, and dropped on the way: its list has it.
    dropped: Webhook,
    /// While nothing is recorded, before the replay.
    during: Vec<Webhook>,
    /// While nothing is recorded, after the replay.
    after: Vec<Webhook>,
}

fn connect(file: &str, deposit: &ResourceId, account: &str, changes: &[(&str, Value)]) -> Webhook {
    let account = [("/account/reference_id", json!(account))];
    let changes: Vec<(&str, Value)> = account.into_iter().chain(changes.iter().cloned()).collect();
    Webhook::new(Provider::Connect, changed(file, deposit.native(), &changes))
}

/// A confirmed deposit of a minute ago, as its webhook says it.
fn recently_confirmed(account: &str) -> Webhook {
    let at = fundhook_runtime::now().minus(std::time::Duration::from_secs(60));
    let dates = [
        ("/deposit/created_at", json!(at.to_string())),
        ("/deposit/updated_at", json!(at.to_string())),
        ("/deposit/transaction/hash", json!(hash())),
    ];
    connect("deposits.confirmed.json", &unique(Kind::Deposit), account, &dates)
}

/// A webhook with another text in place of each `from`.
fn with(webhook: &Webhook, pairs: &[(&str, &str)]) -> Webhook {
    let text = String::from_utf8(webhook.body.clone()).expect("text");
    let text = pairs.iter().fold(text, |text, (from, to)| text.replace(from, to));
    assert_ne!(text.as_bytes(), webhook.body, "{pairs:?}");
    Webhook { body: text.into_bytes(), ..webhook.clone() }
}

impl Story {
    fn new(account: &str) -> Self {
        let [slow, contradicted, new, pending] = [(); 4].map(|()| unique(Kind::Deposit));
        let withdrawal = unique(Kind::Withdrawal);
        let deposit = |file: &str, id: &ResourceId| connect(file, id, account, &[]);
        // Of another customer, so that nothing else changes with it.
        let another_customer = format!("{account}-2");
        let of_another = |file: &str, changes: &[(&str, Value)]| connect(file, &new, &another_customer, changes);
        let confirmed = |id: &ResourceId| {
            connect("deposits.confirmed.json", id, account, &[("/deposit/transaction/hash", json!(hash()))])
        };

        // Two families report each of these coins. The second one was reported with another transaction first.
        let (coin, moved) = (Coin::of(account), Coin::of(account));
        let spelled: Value = serde_json::from_slice(&moved.webhooks[0].body).expect("JSON");
        let spelled = spelled.pointer("/deposit/transaction/hash").and_then(Value::as_str).expect("a hash").to_owned();
        let another = hash();
        let first_told = with(&moved.webhooks[0], &[(&spelled, &another), ("10:05:00Z", "10:04:00Z")]);

        let (unexpected, payment, transaction) = (uuid(), uuid(), hash());
        let own = [
            ("eecb7555-039b-4e01-83c7-3634c28fee58", unexpected.as_str()),
            ("a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff", &transaction),
            ("b752503c-1c42-4dfe-ad1d-7b39da5db59c", &payment),
            ("CUST01", account),
        ];
        let files = ["deposit.recovery_quarantine", "payment.submitted", "payment.posted", "payment.settled"];
        let files = files.map(|file| format!("zerohash/{file}.json"));
        let returned = samples_with(&files.each_ref().map(String::as_str), &own);
        let balance = samples_with(&["zerohash/balance.changed.seconds.json"], &[("CUST01", account)]).remove(0);

        Self {
            first: vec![deposit("deposits.pending.6e735627.json", &slow)],
            before_the_backup: vec![
                deposit("deposits.submitted.json", &slow),
                confirmed(&contradicted),
                connect("withdrawal.initiated.json", &withdrawal, account, &[]),
                coin.webhooks[0].clone(),
                first_told,
                returned[0].clone(),
            ],
            lost: [
                vec![
                    confirmed(&slow),
                    deposit("deposits.failed.json", &contradicted),
                    of_another("deposits.pending.6e735627.json", &[]),
                    coin.webhooks[1].clone(),
                    moved.webhooks[0].clone(),
                    returned[1].clone(),
                    balance,
                ],
                vec![moved.webhooks[1].clone(), returned[2].clone(), of_another("deposits.submitted.json", &[])],
                vec![connect("withdrawal.confirmed.json", &withdrawal, account, &[]), returned[3].clone()],
            ],
            dropped: recently_confirmed(account),
            during: vec![of_another("deposits.confirmed.json", &[("/deposit/transaction/hash", json!(hash()))])],
            after: vec![deposit("deposits.pending.6e735627.json", &pending)],
            withdrawal,
            contradicted,
            pending,
        }
    }
}

/// Sends webhooks, and waits until they are recorded and published.
async fn happen(platform: &Platform, listener: &mut Listener<'_>, webhooks: &[Webhook]) {
    platform.deliver(webhooks).await;
    published(platform, platform.output("TableName"), listener).await;
}

/// Waits until everything that was sent is recorded in `table`, and everything in there was published.
async fn published(platform: &Platform, table: &str, listener: &mut Listener<'_>) {
    platform.settled().await;
    listener.receive(ids_in(platform, table).await).await;
}

/// The ids of all events of what is recorded in a table.
async fn ids_in(platform: &Platform, table: &str) -> BTreeSet<String> {
    let recorded = platform.recorded_in(table).await;
    recorded.values().flat_map(|resource| events_after(resource, 0)).map(|event| event.id).collect()
}

/// The events received so far, by id. Deliveries with one id have one content.
fn events(listener: &Listener<'_>) -> BTreeMap<String, Value> {
    let mut events = BTreeMap::new();
    for delivery in listener.received() {
        let before = events.insert(delivery.id().to_owned(), delivery.event.clone());
        assert!(before.is_none_or(|before| before == delivery.event), "{} has two contents", delivery.id());
    }
    events
}

/// A copy of the subscriber's ledger, and when it was made.
async fn copied(subscriber: &Subscriber<'_>) -> (Timestamp, Vec<Item>) {
    assert_eq!(subscriber.settled().await, 0, "dead letters");
    (fundhook_runtime::now(), subscriber.ledger().await)
}

/// Everything after the backup: further webhooks, a row of the provider's list, a notice and a decision.
async fn all_that_is_lost(platform: &Platform, listener: &mut Listener<'_>, story: &Story) {
    let [one, two, three] = &story.lost;
    happen(platform, listener, one).await;
    happen(platform, listener, two).await;

    let drop = async |share| platform.provider().drop_share(share).await.expect("the provider takes the share");
    drop(DropShare::ALL).await;
    assert!(!platform.send_or_lose(&story.dropped).await, "the provider drops the webhook");
    drop(DropShare::NONE).await;
    let overdue = format!("{}#2", story.withdrawal);
    let mut found = (0, 0);
    let reconcile = async || {
        let summary = platform.reconcile(&json!({})).await;
        found.0 += summary["queued"].as_u64().unwrap_or_default();
        found.1 += summary["overdue"].as_u64().unwrap_or_default();
        found
    };
    eventually("the list is read, and the withdrawal is overdue", reconcile, |found| found.0 > 0 && found.1 > 0).await;
    assert_eq!(listener.event(&overdue).await.text("/type"), "fundhook.withdrawal.overdue");
    published(platform, platform.output("TableName"), listener).await;

    let decide = json!({ "resource": story.contradicted, "choice": "accept", "by": "alice", "reason": "asked" });
    platform.reconcile(&json!({ "decide": decide })).await;
    listener.event(&format!("{}#3", story.contradicted)).await;
    happen(platform, listener, three).await;
}

/// Replays in the order of receipt what was received at `from` or later.
async fn replay(restored: &Deployment, from: Timestamp, dry_run: bool) -> Replayed {
    let target = Target::of(restored).expect("the emulator has no TLS to set up");
    let replay = Replay::of(&target, fundhook_runtime::now()).await.expect("the settings of the stack");
    let mode: StackMode<'_> =
        if dry_run { Mode::DryRun(Order::Received) } else { Mode::record(&target).expect("the outputs") };
    let selection = Selection { from: Some(from), ..Selection::default() };
    replay.run(&selection, mode, |_| {}).await.expect("the archive is read, and the state updater answers")
}

/// What must be the same in a restored table: everything but the times of writing, and what the reconciler and the refresher
/// store about their own work. Receipts are apart, because they are stored after an event was published.
fn comparable(items: &[Item]) -> BTreeMap<String, BTreeMap<String, String>> {
    let others = ["keys#", "token#", "watermark#", "report#", RECEIPTS];
    let items = items.iter().map(|item| (item["pk"].as_s().expect("a text").clone(), item));
    let items = items.filter(|(key, _)| !others.iter().any(|prefix| key.starts_with(prefix)));
    let attributes = |item: &Item| {
        let lasting = item.iter().filter(|(name, _)| !["updated_at", "claimed_at"].contains(&name.as_str()));
        lasting.map(|(name, value)| (name.clone(), format!("{value:?}"))).collect()
    };
    items.map(|(key, item)| (key, attributes(item))).collect()
}

/// The receipts in a table, without the times of publishing.
fn receipts(items: &[Item]) -> BTreeMap<String, Value> {
    let items = items.iter().map(|item| (item["pk"].as_s().expect("a text"), item));
    let receipts = items.filter(|(key, _)| key.starts_with(RECEIPTS)).map(|(key, item)| {
        let content = item["content"].as_s().expect("a text");
        let mut content: Value = serde_json::from_str(content).expect("JSON");
        content.as_object_mut().expect("an object").remove("published_at");
        (key.clone(), content)
    });
    receipts.collect()
}

#[test]
fn a_table_that_is_restored_from_a_backup_catches_up_from_the_archive() {
    run(async {
        let platform = &Platform::deploy(&[("OverdueWithdrawalSeconds", "1")]).await;
        let subscriber = Subscriber::deploy(platform).await;
        let mut listener = platform.listen().await;
        let own_table = platform.output("TableName");
        let story = Story::new(&format!("USER-{:016x}", fastrand::u64(..)));

        happen(platform, &mut listener, &story.first).await;
        let early = copied(&subscriber).await;
        let from = fundhook_runtime::now();
        happen(platform, &mut listener, &story.before_the_backup).await;
        let backup = platform.back_up(own_table).await;
        let in_backup = ids_in(platform, own_table).await;
        all_that_is_lost(platform, &mut listener, &story).await;
        let late = copied(&subscriber).await;

        // The table is lost, and webhooks go on.
        platform.update(&[("Recording", "off")]).await;
        let lost = platform.items(own_table).await;
        platform.delete_table(own_table).await;
        platform.deliver(&story.during).await;
        let stream = platform.restore(&backup, RESTORED).await;
        let restored = platform.update(&[("RestoredTableStreamArn", &stream)]).await;
        assert_eq!(restored.output("TableName"), Ok(RESTORED));
        let archived = async || platform.depth(Queue::Ingress).await;
        eventually("what was sent meanwhile is archived", archived, |depth| *depth == 0).await;

        let mut again = platform.listen().await;
        let rehearsed = replay(&restored, from, true).await;
        let replayed = replay(&restored, from, false).await;
        assert_eq!(rehearsed.statements, replayed.statements);
        let counts = replayed.statements.expect("they are counted");
        assert_eq!((replayed.recorded, counts.restated), (Some(counts.new), 0), "{replayed:#?}");
        assert!(counts.known >= story.before_the_backup.len(), "what was in the backup is known: {replayed:#?}");
        let problems = [replayed.refused.len(), replayed.unreadable.len(), replayed.torn.len()];
        assert_eq!(problems, [0, 0, 0], "{replayed:#?}");
        let twice = replay(&restored, from, false).await;
        assert_eq!(twice.recorded, Some(0), "{twice:#?}");

        // The same events were published again, with the same contents, and those of what came meanwhile.
        again.receive(ids_in(platform, RESTORED).await.difference(&in_backup).cloned()).await;
        let (before, after) = (events(&listener), events(&again));
        let during: BTreeSet<String> = after.keys().filter(|id| !before.contains_key(*id)).cloned().collect();
        assert_eq!(during.len(), story.during.len(), "{during:?}");
        for (id, event) in before.iter().filter(|(id, _)| !in_backup.contains(*id)) {
            assert_eq!(after.get(id), Some(event), "{id}");
        }
        assert!(after.keys().all(|id| !in_backup.contains(id)), "nothing else is published again");

        // So is everything that is recorded.
        let is_new = |key: &String| during.iter().any(|id| key.ends_with(id.rsplit_once('#').expect("a number").0));
        let (known, found) = (comparable(&lost), comparable(&platform.items(RESTORED).await));
        for (key, item) in known.iter().filter(|(key, _)| !is_new(key)) {
            assert_eq!(found.get(key), Some(item), "{key}");
        }
        let unknown: Vec<&String> = found.keys().filter(|key| !known.contains_key(*key)).collect();
        let prefixes: Vec<&str> = unknown.iter().filter_map(|key| key.split('#').next()).collect();
        assert_eq!(prefixes, ["claim", "similar"], "what came meanwhile: {unknown:?}");
        let stored = async || receipts(&platform.items(RESTORED).await);
        let is_complete = |stored: &BTreeMap<String, Value>| {
            receipts(&lost).iter().all(|(key, receipt)| is_new(key) || stored.get(key) == Some(receipt))
        };
        eventually("each receipt is stored again", stored, is_complete).await;

        // What still waited is recorded once.
        platform.deliver(&story.after).await;
        platform.update(&[("Recording", "on")]).await;
        again.receive(event_ids(&story.pending, 1)).await;
        published(platform, RESTORED, &mut listener).await;
        let summary = platform.reconcile(&json!({})).await;
        assert_eq!((&summary["queued"], &summary["overdue"]), (&json!(0), &json!(0)), "{summary}");
        assert_eq!(comparable(&platform.items(RESTORED).await).len(), found.len() + 1);
        events(&listener);
        the_ledger_has(platform, &subscriber).await;

        for (at, ledger) in [early, late] {
            the_ledger_is_restored(platform, &subscriber, &restored, at, &ledger).await;
        }
    });
}

/// The subscriber has the balances of the restored table.
async fn the_ledger_has(platform: &Platform, subscriber: &Subscriber<'_>) {
    let expected = Ledger::of(platform.recorded_in(RESTORED).await.values()).sums();
    let booked = async || subscriber.balances().await;
    eventually("the subscriber has booked all events", booked, |balances| *balances == expected).await;
    assert_eq!(subscriber.settled().await, 0, "dead letters");
    assert_eq!(subscriber.balances().await, expected, "no event is booked twice");
}

/// The subscriber's ledger is lost, and is as it was at `at`. It catches up with what is published again.
async fn the_ledger_is_restored(
    platform: &Platform,
    subscriber: &Subscriber<'_>,
    restored: &Deployment,
    at: Timestamp,
    ledger: &[Item],
) {
    let complete = subscriber.booked_events().await;
    subscriber.restore(ledger).await;
    assert!(subscriber.booked_events().await.len() < complete.len(), "something is lost");
    let target = Target::of(restored).expect("the emulator has no TLS to set up");
    let republisher = Republisher::of(&target, vec![Destination::Topic], false).expect("the outputs");
    let window = Window { from: Some(at), until: None };
    let republished = republisher.window(window, ItemsOf::WrittenSince(at), |_| {}).await.expect("the table answers");
    assert_eq!(republished.failed().count(), 0, "{republished:#?}");
    the_ledger_has(platform, subscriber).await;
    assert_eq!(subscriber.booked_events().await, complete, "each event is booked once");
}
