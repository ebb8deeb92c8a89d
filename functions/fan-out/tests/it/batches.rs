//! What becomes of a batch of envelopes: one object of evidence, one call per queue, and the failures of each message.

use fundhook_domain::Kind;
use serde_json::{Value, json};

use crate::support::{Evidence, MONEY, Queue, UNRECOGNIZED, World, envelope, envelope_of, failed, lock, messages, ten};

#[tokio::test]
async fn a_batch_of_ten_is_one_object_and_one_call_per_queue() {
    let world = World::default();
    let response = world.handle(&ten()).await;
    assert!(failed(&response).is_empty());
    assert_eq!(lock(&world.evidence.puts).len(), 1);
    assert_eq!((world.transfers.calls(), world.accounts.calls()), (1, 1));
    assert_eq!(
        (world.transfers.statements().len(), world.accounts.statements().len()),
        (MONEY.len(), UNRECOGNIZED.len())
    );
}

#[tokio::test]
async fn money_goes_to_transfers_and_everything_else_to_accounts() {
    for (bodies, is_money) in [(&MONEY[..], true), (&UNRECOGNIZED[..], false)] {
        for body in bodies {
            let world = World::default();
            assert!(failed(&world.handle(&[envelope(body)]).await).is_empty());
            assert_eq!((world.transfers.calls(), world.accounts.calls()), if is_money { (1, 0) } else { (0, 1) });
            let queue = if is_money { &world.transfers } else { &world.accounts };
            assert!(
                queue
                    .statements()
                    .iter()
                    .all(|statement| (statement.resource.kind() != Kind::Unrecognized) == is_money)
            );
        }
    }
}

#[tokio::test]
async fn the_lines_of_the_archive_are_the_envelopes_and_each_signal_names_its_line() {
    let world = World::default();
    let envelopes = ten();
    world.handle(&envelopes).await;
    let (key, lines) = world.evidence.object();
    assert_eq!(lines, envelopes, "to the byte and in order");

    let statements = [world.transfers.statements(), world.accounts.statements()].concat();
    for (number, statement) in statements.iter().enumerate() {
        assert_eq!(statement.content.evidence.archived.object, key);
        // Here the money comes first in the batch, and everything else after it.
        assert_eq!(statement.content.evidence.archived.line, u32::try_from(number).expect("few"), "{statement:?}");
    }
}

#[tokio::test]
async fn an_envelope_is_one_line_however_it_was_written() {
    let world = World::default();
    let compact = envelope("{\n  \"event\": \"x\"\r\n}");
    let json: Value = serde_json::from_str(&compact).expect("JSON");
    let pretty = serde_json::to_string_pretty(&json).expect("JSON").replace('\n', "\r\n");
    assert!(failed(&world.handle(&[&pretty, &compact]).await).is_empty());
    let (_, lines) = world.evidence.object();
    assert_eq!(lines.len(), 2);
    assert_eq!(serde_json::from_str::<Value>(&lines[0]).expect("JSON"), json, "the line breaks in it are kept");
    assert_eq!(lines[1], compact);
}

#[tokio::test]
async fn the_same_batch_is_the_same_object_and_another_is_another() {
    let put_of = async |envelopes: &[String]| {
        let world = World::default();
        world.handle(envelopes).await;
        lock(&world.evidence.puts).remove(0)
    };
    let envelopes = ten();
    let put = put_of(&envelopes).await;
    assert_eq!(put_of(&envelopes).await, put, "content included: storing it again is harmless");
    assert_ne!(put_of(&envelopes[1..]).await.0, put.0);
    let digest = put.0.strip_prefix("evidence/v1/2025/10/07/").and_then(|name| name.strip_suffix(".ndjson.gz"));
    assert_eq!(digest.map(str::len), Some(64), "{}", put.0);

    // By the day of the earliest, wherever it stands in the batch.
    let text = json!({ "text": "x" });
    let received = ["2025-10-09T00:00:00Z", "2025-10-08T23:59:59Z", "2025-10-10T00:00:00Z"];
    let mixed: Vec<String> = received.iter().map(|at| envelope_of(text.clone(), at)).collect();
    assert!(put_of(&mixed).await.0.starts_with("evidence/v1/2025/10/08/"));
}

#[tokio::test]
async fn a_message_that_is_no_envelope_fails_alone() {
    let whole = envelope(MONEY[0]);
    let altered = |alter: fn(&mut Value)| {
        let mut json = serde_json::from_str(&whole).expect("JSON");
        alter(&mut json);
        json.to_string()
    };
    for poison in [
        String::new(),
        "not JSON".to_owned(),
        "{}".to_owned(),
        altered(|json| json["v"] = json!(2)),
        altered(|json| json["body"] = json!({ "base64": "%" })),
        altered(|json| json["feed"] = json!("nobody")),
        altered(|json| json["feed"] = json!("connect/Acme")),
        altered(|json| json["attestation"] = Value::Null),
    ] {
        let world = World::default();
        let response = world.handle(&[envelope(MONEY[1]), poison.clone(), envelope(UNRECOGNIZED[0])]).await;
        assert_eq!(failed(&response), messages(&[1]), "{poison}");
        assert_eq!(world.evidence.object().1.len(), 2, "only envelopes are evidence");
        assert_eq!((world.transfers.statements().len(), world.accounts.statements().len()), (1, 1));
    }
}

#[tokio::test]
async fn a_batch_without_an_envelope_stores_and_sends_nothing() {
    for bodies in [vec![], vec!["poison", "poison"]] {
        let world = World::default();
        let response = world.handle(&bodies).await;
        assert_eq!(failed(&response).len(), bodies.len());
        assert!(lock(&world.evidence.puts).is_empty());
        assert_eq!((world.transfers.calls(), world.accounts.calls()), (0, 0));
    }
}

#[tokio::test]
async fn nothing_is_said_on_while_the_evidence_cannot_be_stored() {
    let world = World { evidence: Evidence { is_down: true, ..Evidence::default() }, ..World::default() };
    let response = world.handle(&[envelope(MONEY[0]), "poison".to_owned(), envelope(UNRECOGNIZED[0])]).await;
    assert_eq!(failed(&response), messages(&[0, 1, 2]));
    assert_eq!((world.transfers.calls(), world.accounts.calls()), (0, 0));
}

#[tokio::test]
async fn what_a_queue_did_not_take_fails_and_nothing_else() {
    // The hold's id and the unknown event's name, as they stand in the samples.
    for (transfers, accounts, expected) in [
        (Queue::default(), Queue::default(), &[][..]),
        (Queue::refusing("connect.deposits.on_hold"), Queue::default(), &[2]),
        (Queue::default(), Queue::refusing("connect.user.status_changed"), &[8]),
        (Queue::refusing(""), Queue::default(), &[0, 1, 2, 3, 4, 5, 6, 7]),
        (Queue::default(), Queue::refusing(""), &[8, 9]),
        (Queue::refusing(""), Queue::refusing(""), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ] {
        let world = World { transfers, accounts, ..World::default() };
        let response = world.handle(&ten()).await;
        assert_eq!(failed(&response), messages(expected));
        assert_eq!((world.transfers.calls(), world.accounts.calls()), (1, 1), "one queue never stops the other");
    }
}

#[tokio::test]
async fn what_is_delivered_again_says_the_same_facts_again() {
    let world = World::default();
    world.handle(&ten()).await;
    world.handle(&[ten()[3].clone()]).await;
    let statements = world.transfers.statements();
    let (again, first) = (statements.last().expect("the repeated"), &statements[3]);
    assert_eq!((&again.content.id, &again.resource), (&first.content.id, &first.resource));
    assert_ne!(
        again.content.evidence.archived, first.content.evidence.archived,
        "in another object, which holds it too"
    );
}

#[tokio::test]
async fn a_body_that_is_no_text_is_archived_and_said() {
    // The bytes FF FE, which are not UTF-8.
    let world = World::default();
    let envelope = envelope_of(json!({ "base64": "//4=" }), "2025-10-07T19:44:51Z");
    assert!(failed(&world.handle(std::slice::from_ref(&envelope)).await).is_empty());
    assert_eq!(world.evidence.object().1, [envelope]);
    assert_eq!(world.accounts.statements().len(), 1);
}
