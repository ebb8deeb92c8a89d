//! Events in the JSON format of CloudEvents 1.0, with every digit of every amount.

use fundhook_domain::{Event, NewFact, Resource, Statement, Timestamp, events_after, fold};
use serde_json::{Value, json};

use crate::support::whole::every_sort;
use crate::support::{deposit, events, json, latest, members, quantity, unrecognized, whole_deposit, with, withdrawal};

fn confirmed() -> Statement {
    with(deposit("confirmed", 40), whole_deposit)
}

fn pretty(event: &Event) -> String {
    serde_json::to_string_pretty(event).expect("JSON")
}

#[test]
fn a_confirmed_deposit() {
    let event = latest(&[deposit("pending", 0), confirmed()]);
    insta::assert_snapshot!(pretty(&event), @r#"
    {
      "specversion": "1.0",
      "id": "deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f#2",
      "source": "/fundhook/connect",
      "type": "fundhook.deposit.confirmed",
      "subject": "deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f",
      "time": "2025-10-07T19:45:30Z",
      "sequence": "0000000002",
      "datacontenttype": "application/json",
      "data": {
        "resource": "deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f",
        "kind": "deposit",
        "provider": "connect",
        "provider_id": "c55481bf-626b-4410-8997-4cee83e1385f",
        "status": "confirmed",
        "previous_status": "pending",
        "final": true,
        "late": false,
        "reconciled": false,
        "amount": {
          "value": "0.013",
          "units": "major",
          "major": "0.013",
          "asset": "BTC",
          "network": {
            "name": "bitcoin",
            "slug": "bitcoin",
            "caip2": "bip122:000000000019d6689c085ae165831e93"
          }
        },
        "transaction": {
          "hash": "0xc9d43618",
          "to": "0xe7F436F9",
          "block_number": "914854"
        },
        "source": {
          "type": "CUSTODIAL",
          "integration": "coinbase"
        },
        "session": {
          "id": "16032e11-f8a4-4b2d-8fad-d0614ac2b497",
          "metadata": {
            "order": 119078888888888888887,
            "rate": 0.10
          }
        },
        "account": "abc123",
        "provider_status": "CONFIRMED",
        "credit": {
          "form": "in_kind",
          "gross": {
            "value": "0.013",
            "asset": "BTC"
          },
          "fees": [],
          "net": {
            "value": "0.013",
            "asset": "BTC"
          },
          "decided_by": "numbers"
        },
        "created_at": "2025-10-07T19:44:50Z",
        "updated_at": "2025-10-07T19:45:20Z",
        "provider_data": {
          "deposit": {
            "transaction": {
              "value": "1"
            }
          }
        },
        "history": [
          {
            "status": "pending",
            "occurred_at": "2025-10-07T19:44:50Z",
            "event_type": "connect.deposit.pending"
          },
          {
            "status": "confirmed",
            "occurred_at": "2025-10-07T19:45:30Z",
            "event_type": "connect.deposit.confirmed"
          }
        ],
        "evidence": {
          "received_at": "2025-10-07T19:45:32Z",
          "attestation": {
            "scheme": "connect-rsa-sha256",
            "class": "asymmetric",
            "key": "fXlqkMIEzdQ0gSZ8F5RkRhbTzjxnrkSVRlHuAVm3FyA",
            "signed_at": "2025-10-07T19:45:31Z"
          },
          "archived": {
            "object": "evidence/v1/2025/10/07/confirmed-40.ndjson.gz",
            "line": 0
          }
        }
      }
    }
    "#);
}

#[test]
fn a_late_update() {
    let event = latest(&[confirmed(), deposit("submitted", 10)]);
    insta::assert_snapshot!(pretty(&event), @r#"
    {
      "specversion": "1.0",
      "id": "deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f#2",
      "source": "/fundhook/connect",
      "type": "fundhook.deposit.updated",
      "subject": "deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f",
      "time": "2025-10-07T19:45:00Z",
      "sequence": "0000000002",
      "datacontenttype": "application/json",
      "data": {
        "resource": "deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f",
        "kind": "deposit",
        "provider": "connect",
        "provider_id": "c55481bf-626b-4410-8997-4cee83e1385f",
        "status": "confirmed",
        "final": true,
        "late": true,
        "reconciled": false,
        "amount": {
          "value": "0.013",
          "units": "major",
          "major": "0.013",
          "asset": "BTC",
          "network": {
            "name": "bitcoin",
            "slug": "bitcoin",
            "caip2": "bip122:000000000019d6689c085ae165831e93"
          }
        },
        "transaction": {
          "hash": "0xc9d43618",
          "to": "0xe7F436F9",
          "block_number": "914854"
        },
        "source": {
          "type": "CUSTODIAL",
          "integration": "coinbase"
        },
        "session": {
          "id": "16032e11-f8a4-4b2d-8fad-d0614ac2b497",
          "metadata": {
            "order": 119078888888888888887,
            "rate": 0.10
          }
        },
        "account": "abc123",
        "provider_status": "CONFIRMED",
        "credit": {
          "form": "in_kind",
          "gross": {
            "value": "0.013",
            "asset": "BTC"
          },
          "fees": [],
          "net": {
            "value": "0.013",
            "asset": "BTC"
          },
          "decided_by": "numbers"
        },
        "created_at": "2025-10-07T19:44:50Z",
        "updated_at": "2025-10-07T19:45:20Z",
        "provider_data": {
          "deposit": {
            "transaction": {
              "value": "1"
            }
          }
        },
        "history": [
          {
            "status": "submitted",
            "occurred_at": "2025-10-07T19:45:00Z",
            "event_type": "connect.deposit.submitted"
          },
          {
            "status": "confirmed",
            "occurred_at": "2025-10-07T19:45:30Z",
            "event_type": "connect.deposit.confirmed"
          }
        ],
        "evidence": {
          "received_at": "2025-10-07T19:45:32Z",
          "attestation": {
            "scheme": "connect-rsa-sha256",
            "class": "asymmetric",
            "key": "fXlqkMIEzdQ0gSZ8F5RkRhbTzjxnrkSVRlHuAVm3FyA",
            "signed_at": "2025-10-07T19:45:31Z"
          },
          "archived": {
            "object": "evidence/v1/2025/10/07/confirmed-40.ndjson.gz",
            "line": 0
          }
        }
      }
    }
    "#);
}

#[test]
fn a_conflict() {
    let event = latest(&[withdrawal("confirmed", 40), withdrawal("failed", 50)]);
    insta::assert_snapshot!(pretty(&event), @r#"
    {
      "specversion": "1.0",
      "id": "withdrawal#connect#c55481bf-626b-4410-8997-4cee83e1385f#2",
      "source": "/fundhook/connect",
      "type": "fundhook.withdrawal.conflicting",
      "subject": "withdrawal#connect#c55481bf-626b-4410-8997-4cee83e1385f",
      "time": "2025-10-07T19:45:40Z",
      "sequence": "0000000002",
      "datacontenttype": "application/json",
      "data": {
        "resource": "withdrawal#connect#c55481bf-626b-4410-8997-4cee83e1385f",
        "kind": "withdrawal",
        "provider": "connect",
        "provider_id": "c55481bf-626b-4410-8997-4cee83e1385f",
        "status": "failed",
        "previous_status": "confirmed",
        "final": true,
        "late": false,
        "reconciled": false,
        "conflicting": [
          "confirmed",
          "failed"
        ],
        "conflict_about": [
          "status"
        ],
        "provider_status": "FAILED",
        "history": [
          {
            "status": "confirmed",
            "occurred_at": "2025-10-07T19:45:30Z",
            "event_type": "connect.withdrawal.confirmed"
          },
          {
            "status": "failed",
            "occurred_at": "2025-10-07T19:45:40Z",
            "event_type": "connect.withdrawal.failed"
          }
        ],
        "evidence": {
          "received_at": "2025-10-07T19:45:42Z",
          "attestation": {
            "scheme": "connect-rsa-sha256",
            "class": "asymmetric",
            "key": "fXlqkMIEzdQ0gSZ8F5RkRhbTzjxnrkSVRlHuAVm3FyA",
            "signed_at": "2025-10-07T19:45:41Z"
          },
          "archived": {
            "object": "evidence/v1/2025/10/07/failed-50.ndjson.gz",
            "line": 0
          }
        }
      }
    }
    "#);
}

#[test]
fn an_unrecognized_webhook() {
    insta::assert_snapshot!(pretty(&latest(&[unrecognized()])), @r#"
    {
      "specversion": "1.0",
      "id": "unrecognized#connect#62b8125a6f6d924ec53345b5fcd58ca3ed3f5e7d51e2e146e5f1346508acce69#1",
      "source": "/fundhook/connect",
      "type": "fundhook.unrecognized.seen",
      "subject": "unrecognized#connect#62b8125a6f6d924ec53345b5fcd58ca3ed3f5e7d51e2e146e5f1346508acce69",
      "time": "2025-10-07T19:44:50Z",
      "sequence": "0000000001",
      "datacontenttype": "application/json",
      "data": {
        "resource": "unrecognized#connect#62b8125a6f6d924ec53345b5fcd58ca3ed3f5e7d51e2e146e5f1346508acce69",
        "kind": "unrecognized",
        "provider": "connect",
        "provider_id": "62b8125a6f6d924ec53345b5fcd58ca3ed3f5e7d51e2e146e5f1346508acce69",
        "status": "seen",
        "final": true,
        "late": false,
        "reconciled": false,
        "reason": "the body is not JSON: expected ident at line 1 column 2",
        "payload_type": "external_account_status_changed",
        "body_bytes": 8,
        "history": [
          {
            "status": "seen",
            "occurred_at": "2025-10-07T19:44:50Z",
            "event_type": ""
          }
        ],
        "evidence": {
          "received_at": "2025-10-07T19:44:52Z",
          "attestation": {
            "scheme": "connect-rsa-sha256",
            "class": "asymmetric",
            "key": "fXlqkMIEzdQ0gSZ8F5RkRhbTzjxnrkSVRlHuAVm3FyA",
            "signed_at": "2025-10-07T19:44:51Z"
          },
          "archived": {
            "object": "evidence/v1/2025/10/07/not JSON.ndjson.gz",
            "line": 0
          }
        }
      }
    }
    "#);
}

#[test]
fn every_event_has_the_attributes_that_cloudevents_requires() {
    for event in every_sort() {
        let json = serde_json::to_value(&event).expect("JSON");
        // [cloudevents], "Required Attributes": non-empty strings.
        for name in ["id", "source", "specversion", "type"] {
            assert!(json[name].as_str().is_some_and(|text| !text.is_empty()), "{name} of {json:#}");
        }
        assert_eq!(json["specversion"], "1.0");
        assert_eq!(json["datacontenttype"], "application/json");
        assert_eq!(json["subject"], event.data.resource.to_string());
        let time = json["time"].as_str().expect("a time");
        assert_eq!(time.parse::<Timestamp>().expect("RFC 3339"), event.time);
        // [cloudevents], "Naming Convention": context attributes are lower-case letters and digits.
        let names = json.as_object().expect("an object").keys();
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{name}");
        }
        // `id` is unique within the source, and is what a subscriber remembers.
        assert_eq!(json["id"], format!("{}#{}", event.data.resource, event.sequence));
    }
}

#[test]
fn the_order_of_the_sequence_texts_is_the_order_of_the_events() {
    let statements: Vec<Statement> = (0..12).map(|seconds| deposit("held", seconds)).collect();
    let events = events(&statements);
    let sequence = |event: &Event| serde_json::to_value(event).expect("JSON")["sequence"].clone();
    let texts: Vec<String> = events.iter().map(|event| sequence(event).as_str().expect("text").to_owned()).collect();
    assert_eq!(texts.len(), 12);
    assert!(texts.is_sorted_by(|one, next| one < next), "{texts:?}");
}

/// Collects every number in `json`, with its path.
fn numbers(path: &str, json: &Value, found: &mut Vec<(String, String)>) {
    match json {
        Value::Number(number) => found.push((path.to_owned(), number.to_string())),
        Value::Array(values) => values.iter().for_each(|value| numbers(path, value, found)),
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| numbers(&format!("{path}.{name}"), value, found))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[test]
fn no_amount_is_a_json_number() {
    for event in every_sort() {
        let json = serde_json::to_value(&event).expect("JSON");
        let mut found = Vec::new();
        numbers("", &json, &mut found);
        // The only numbers are counts and those in the platform's metadata.
        let allowed = [".data.session.metadata.", ".data.evidence.archived.line", ".data.body_bytes"];
        for (path, number) in found {
            assert!(allowed.iter().any(|known| path.starts_with(known)), "{path} is the number {number}");
        }
    }
}

#[test]
fn amounts_and_the_platforms_numbers_keep_every_digit() {
    let digits = "119078888888888888887.000000000000000000000000000000000000001";
    let metadata = r#"{"big":119078888888888888887,"small":0.10,"exponent":1e400,"negative":-0.0}"#;
    let statement = with(confirmed(), |details| {
        details.quantity = Some(quantity(digits));
        details.session.metadata = Some(json(metadata));
        details.provider_data = members(r#"{"fee":0.000000000000000000000000000000000000001}"#);
    });
    // From the queue's message through fold to the event.
    let message = NewFact::from(statement).to_message().expect("a message");
    let fact = NewFact::from_message(&message).expect("a fact to record");
    let resource = fold(Resource::unknown(fact.resource.clone()), fact).into_resource();
    let text = serde_json::to_string(&events_after(&resource, 0)).expect("JSON");
    let read: Value = serde_json::from_str(&text).expect("JSON");
    let read = &read[0];
    assert_eq!(read["data"]["amount"]["value"], json!(digits));
    assert_eq!(read["data"]["amount"]["units"], "major");
    assert_eq!(read["data"]["session"]["metadata"], json(metadata));
    for written in ["119078888888888888887,", "0.10", "-0.0", "0.000000000000000000000000000000000000001"] {
        assert!(text.contains(written), "{written} is written differently in {text}");
    }
}
