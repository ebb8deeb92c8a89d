//! The outcome of a batch of envelopes: one object of evidence, one call per queue, and which messages fail.

use fundhook_domain::Kind;
use fundhook_ports::fakes::{Fail, Fake, Queue};
use serde_json::{Value, json};

use crate::support::{MONEY, UNRECOGNIZED, World, envelope, envelope_of, failed, messages, object, statements, ten};

#[tokio::test]
async fn a_batch_of_ten_is_one_object_and_one_call_per_queue() {
    let world = World::default();
    let response = world.handle(&ten()).await;
    assert!(failed(&response).is_empty());
    assert_eq!(world.evidence.now().puts, 1);
    assert_eq!((world.transfers.calls(), world.accounts.calls()), (1, 1));
    assert_eq!(
        (statements(&world.transfers).len(), statements(&world.accounts).len()),
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
                statements(queue).iter().all(|statement| (statement.resource.kind() != Kind::Unrecognized) == is_money)
            );
        }
    }
}

#[tokio::test]
async fn the_lines_of_the_archive_are_the_envelopes_and_each_statement_names_its_line() {
    let world = World::default();
    let envelopes = ten();
    world.handle(&envelopes).await;
    let (key, lines) = object(&world.evidence);
    assert_eq!(lines, envelopes, "unchanged and in order");

    let sent = [statements(&world.transfers), statements(&world.accounts)].concat();
    for (number, statement) in sent.iter().enumerate() {
        assert_eq!(statement.content.evidence.archived.object, key);
        // In this batch the money comes first.
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
    let (_, lines) = object(&world.evidence);
    assert_eq!(lines.len(), 2);
    assert_eq!(serde_json::from_str::<Value>(&lines[0]).expect("JSON"), json, "line breaks inside strings are kept");
    assert_eq!(lines[1], compact);
}

#[tokio::test]
async fn the_same_batch_is_the_same_object_and_another_is_another() {
    let put_of = async |envelopes: &[String]| {
        let world = World::default();
        world.handle(envelopes).await;
        world.evidence.now().objects.remove(0)
    };
    let envelopes = ten();
    let put = put_of(&envelopes).await;
    assert_eq!(put_of(&envelopes).await, put, "the content too, so storing it again is harmless");
    assert_ne!(put_of(&envelopes[1..]).await.0, put.0);
    let digest = put.0.strip_prefix("evidence/v1/2025/10/07/").and_then(|name| name.strip_suffix(".ndjson.gz"));
    assert_eq!(digest.map(str::len), Some(64), "{}", put.0);
}

#[tokio::test]
async fn what_was_received_on_a_day_is_archived_under_that_day_whatever_it_is_delivered_with() {
    let text = json!({ "text": "x" });
    let received = ["2025-10-09T00:00:00Z", "2025-10-08T23:59:59Z", "2025-10-09T23:59:59.9Z"];
    let mixed: Vec<String> = received.iter().map(|at| envelope_of(text.clone(), at)).collect();
    let world = World::default();
    assert_eq!(failed(&world.handle(&mixed).await), Vec::<&str>::new());
    let days = |world: &World| -> Vec<String> {
        world.evidence.now().objects.iter().map(|(key, _)| key["evidence/v1/".len()..][..10].to_owned()).collect()
    };
    assert_eq!(days(&world), ["2025/10/08", "2025/10/09"]);

    // If the archive does not store one day, only the webhooks of that day are delivered again.
    let world = World::default();
    world.evidence.now().on_put = Fail::Next(1);
    assert_eq!(failed(&world.handle(&mixed).await), ["message-1"]);
    assert_eq!(days(&world), ["2025/10/09"]);
}

#[tokio::test]
async fn a_message_that_is_not_an_envelope_fails_alone() {
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
        altered(|json| json["feed"] = json!("unknown")),
        altered(|json| json["feed"] = json!("connect/Acme")),
        altered(|json| json["attestation"] = Value::Null),
    ] {
        let world = World::default();
        let response = world.handle(&[envelope(MONEY[1]), poison.clone(), envelope(UNRECOGNIZED[0])]).await;
        assert_eq!(failed(&response), messages(&[1]), "{poison}");
        assert_eq!(object(&world.evidence).1.len(), 2, "only envelopes are evidence");
        assert_eq!((statements(&world.transfers).len(), statements(&world.accounts).len()), (1, 1));
    }
}

#[tokio::test]
async fn a_batch_without_an_envelope_stores_and_sends_nothing() {
    for bodies in [vec![], vec!["poison", "poison"]] {
        let world = World::default();
        let response = world.handle(&bodies).await;
        assert_eq!(failed(&response).len(), bodies.len());
        assert_eq!(world.evidence.now().puts, 0);
        assert_eq!((world.transfers.calls(), world.accounts.calls()), (0, 0));
    }
}

#[tokio::test]
async fn no_statement_is_sent_while_the_evidence_cannot_be_stored() {
    let world = World::default();
    world.evidence.now().on_put = Fail::Always;
    let response = world.handle(&[envelope(MONEY[0]), "poison".to_owned(), envelope(UNRECOGNIZED[0])]).await;
    assert_eq!(failed(&response), messages(&[0, 1, 2]));
    assert_eq!((world.transfers.calls(), world.accounts.calls()), (0, 0));
}

#[tokio::test]
async fn only_the_messages_whose_statements_a_queue_refused_fail() {
    // The refused texts are event names of the samples.
    for (transfers, accounts, expected) in [
        (Fake::default(), Fake::default(), &[][..]),
        (Fake::<Queue>::refusing("connect.deposits.on_hold"), Fake::default(), &[2]),
        (Fake::default(), Fake::<Queue>::refusing("connect.orders.created"), &[8]),
        (Fake::<Queue>::refusing(""), Fake::default(), &[0, 1, 2, 3, 4, 5, 6, 7]),
        (Fake::default(), Fake::<Queue>::refusing(""), &[8, 9]),
        (Fake::<Queue>::refusing(""), Fake::<Queue>::refusing(""), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ] {
        let world = World { transfers, accounts, ..World::default() };
        let response = world.handle(&ten()).await;
        assert_eq!(failed(&response), messages(expected));
        assert_eq!(
            (world.transfers.calls(), world.accounts.calls()),
            (1, 1),
            "a queue that fails does not stop the other one"
        );
    }
}

#[tokio::test]
async fn a_message_that_is_delivered_again_makes_the_same_facts_again() {
    let world = World::default();
    world.handle(&ten()).await;
    world.handle(&[ten()[3].clone()]).await;
    let sent = statements(&world.transfers);
    let (again, first) = (sent.last().expect("the repeated statement"), &sent[3]);
    assert_eq!((&again.content.id, &again.resource), (&first.content.id, &first.resource));
    assert_ne!(
        again.content.evidence.archived, first.content.evidence.archived,
        "the second batch is another object, which contains the envelope too"
    );
}

#[tokio::test]
async fn a_body_that_is_not_text_is_archived_and_routed() {
    // The bytes FF FE, which are not UTF-8.
    let world = World::default();
    let envelope = envelope_of(json!({ "base64": "//4=" }), "2025-10-07T19:44:51Z");
    assert!(failed(&world.handle(std::slice::from_ref(&envelope)).await).is_empty());
    assert_eq!(object(&world.evidence).1, [envelope]);
    assert_eq!(statements(&world.accounts).len(), 1);
}
