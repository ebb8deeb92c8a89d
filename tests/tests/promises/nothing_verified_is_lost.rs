//! Every verified webhook is accepted, whatever its content. A message that cannot be processed moves to a queue with
//! an alarm.

mod any_json;

use fundhook_domain::{EvidencePointer, Kind, NewFact, Provider, ResourceId};
use fundhook_local_stack::sending::Webhook;
use fundhook_tests::{Platform, Queue, about, run, sample, unique, verify_again};
use receiver::BODY_BYTES_MAX;
use serde_json::Value;

use crate::workbench;

/// Bodies of signed webhooks that no normaliser recognizes.
fn unrecognized_bodies() -> Vec<(&'static str, Vec<u8>)> {
    // The nonce makes the bytes different in each run of this test.
    let nonce = fastrand::u64(..);
    let text = |text: String| text.into_bytes();
    vec![
        ("an event with an unknown name", text(format!(r#"{{"event":"connect.user.merged","nonce":{nonce}}}"#))),
        ("an object without an event", text(format!(r#"{{"nonce":{nonce}}}"#))),
        ("an event that is not a string", text(format!(r#"{{"event":7,"nonce":{nonce}}}"#))),
        ("a list", text(format!("[{nonce}]"))),
        ("a known event without its object", text(format!(r#"{{"event":"connect.deposits.confirmed","n":{nonce}}}"#))),
        (
            "an id that is not a text",
            text(format!(r#"{{"event":"connect.deposits.confirmed","deposit":{{"id":[{nonce}],"amount":"1"}}}}"#)),
        ),
        ("no body at all", Vec::new()),
        ("plain text", text(format!("hello {nonce}"))),
        ("truncated JSON", text(format!(r#"{{"event":"connect.deposits.pending","nonce":{nonce}"#))),
        ("line breaks of every kind", text(format!("a\nb\r\nc\rd\u{2028}{nonce}"))),
        ("control characters", text(format!("\0\u{1}\u{7f}\u{1b}[31m{nonce}"))),
        (
            "characters that queues reject",
            text(format!(r#"{{"event":"{nonce}","text":"{}{}"}}"#, '\u{FFFE}', '\u{FFFF}')),
        ),
        ("bytes that are not UTF-8", [&[0xff, 0xfe, 0x00, 0x80][..], &nonce.to_be_bytes()].concat()),
        ("UTF-8 without its last byte", [format!("{nonce} Zürich").into_bytes(), vec![0xc3]].concat()),
        ("the largest body that is accepted", nonce.to_be_bytes().repeat(BODY_BYTES_MAX / 8)),
    ]
}

#[test]
fn a_webhook_that_is_not_recognized_is_published_as_unrecognized_with_its_bytes_in_the_evidence() {
    run(async {
        let platform = Platform::shared().await;
        let keys = platform.published_keys().await;
        let mut listener = platform.listen().await;
        let unrecognized_bodies = unrecognized_bodies();
        platform.send_all(unrecognized_bodies.iter().map(|(_, body)| body.as_slice())).await;

        for (what, body) in &unrecognized_bodies {
            let resource = ResourceId::unrecognized(Provider::Connect, body);
            let delivery = listener.event(&format!("{resource}#1")).await;
            assert_eq!(delivery.text("/type"), "fundhook.unrecognized.seen", "{what}");
            assert_eq!(delivery.event["data"]["body_bytes"], Value::from(body.len()), "{what}");
            assert_ne!(delivery.text("/data/reason"), "", "{what}");

            let archived = delivery.event["data"]["evidence"]["archived"].clone();
            let archived: EvidencePointer = serde_json::from_value(archived).expect("a pointer into the archive");
            let envelope = platform.evidence(&archived).await;
            assert_eq!(envelope.body(), body.as_slice(), "{what}: the evidence has the same bytes");
            assert!(verify_again(&envelope, &keys).is_ok(), "{what}: the evidence verifies again");
        }
    });
}

#[test]
fn non_ascii_metadata_of_a_platform_is_published_unchanged() {
    run(async {
        let platform = Platform::shared().await;
        let deposit = unique(Kind::Deposit);
        let mut listener = platform.listen().await;
        platform.send(&about("odd/non_ascii.json", deposit.native())).await;

        let sent: Value = serde_json::from_slice(&sample("odd/non_ascii.json")).expect("JSON");
        let delivery = listener.event(&format!("{deposit}#1")).await;
        assert_eq!(delivery.event["data"]["session"]["metadata"], sent["session"]["metadata"]);
    });
}

/// A genuine webhook: its resource, its message on the ingress queue, and the statement that fan-out makes from it.
struct Neighbour {
    resource: ResourceId,
    envelope: String,
    statement: String,
}

impl Neighbour {
    async fn about_money(platform: &Platform) -> Self {
        let deposit = unique(Kind::Deposit);
        let body = about("deposits.pending.json", deposit.native());
        Self::of(platform, deposit, &body).await
    }

    async fn about_something_else(platform: &Platform) -> Self {
        let body = format!("hello {}", fastrand::u64(..)).into_bytes();
        Self::of(platform, ResourceId::unrecognized(Provider::Connect, &body), &body).await
    }

    async fn of(platform: &Platform, resource: ResourceId, body: &[u8]) -> Self {
        let webhook = Webhook::new(Provider::Connect, body.to_vec());
        let envelope = serde_json::to_string(&platform.sealed(&webhook).await).expect("JSON");
        let statement = NewFact::from(platform.statements(&webhook).await.remove(0)).to_message().expect("JSON");
        Self { resource, envelope, statement }
    }
}

/// Replaces `from`, which `message` contains once, with `to`.
fn with(message: &str, from: &str, to: &str) -> String {
    assert_eq!(message.matches(from).count(), 1, "{message} contains {from} once");
    message.replace(from, to)
}

#[test]
fn a_poison_message_moves_to_the_dead_letter_queue_and_its_neighbours_do_not() {
    run(async {
        let platform = workbench().await;
        let [first, second] = [Neighbour::about_money(platform).await, Neighbour::about_money(platform).await];
        let third = Neighbour::about_something_else(platform).await;
        let fourth = Neighbour::about_something_else(platform).await;
        let newer = |message: &str| with(message, r#"{"v":1,"#, r#"{"v":2,"#);
        let of_another_kind =
            with(&second.statement, r#""status":{"deposit":"pending"}"#, r#""status":"unrecognized""#);

        // For each queue: the messages that it cannot process, and the messages that it can.
        let batches = [
            (Queue::Ingress, vec!["no JSON".to_owned(), newer(&first.envelope)], [&first.envelope, &third.envelope]),
            (
                Queue::Transfers,
                vec!["{}".to_owned(), newer(&second.statement), of_another_kind],
                [&second.statement; 2],
            ),
            (Queue::Accounts, vec!["[]".to_owned(), fourth.envelope.clone()], [&fourth.statement; 2]),
        ];
        for (queue, poison, good) in &batches {
            // Poison before and after the good messages.
            let good: Vec<String> = good.map(String::clone).into();
            platform.put(*queue, &[&poison[..1], &good, &poison[1..]].concat()).await;
        }

        for neighbour in [&first, &second, &third, &fourth] {
            platform.recorded(&neighbour.resource, 1).await;
        }
        for (queue, mut poison, _) in batches {
            let mut dead = platform.take_dead_letters(queue, poison.len()).await;
            dead.sort_unstable();
            poison.sort_unstable();
            assert_eq!(dead, poison, "the dead letters of the {queue:?} queue");
            assert_eq!(platform.depth(queue).await, 0, "the {queue:?} queue is empty");
        }
    });
}
