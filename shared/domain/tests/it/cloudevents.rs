//! Events in the JSON format of CloudEvents 1.0, as they are published.

use fundhook_domain::{Event, Statement};

use crate::support::{deposit, latest, unrecognized, whole_deposit, with, withdrawal};

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
      "correlationid": "7275c788a6493c21",
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
        "postings": [
          {
            "ledger_account": "provider:connect",
            "direction": "debit",
            "value": "0.013",
            "asset": "BTC"
          },
          {
            "ledger_account": "customer:abc123",
            "direction": "credit",
            "value": "0.013",
            "asset": "BTC"
          }
        ],
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
          },
          "correlation_id": "7275c788a6493c21"
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
      "correlationid": "12cf1db2d978a4f0",
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
        "postings": [],
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
          },
          "correlation_id": "7275c788a6493c21"
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
      "correlationid": "38977735d2557ec8",
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
        "postings": [],
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
          },
          "correlation_id": "38977735d2557ec8"
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
      "correlationid": "8ace2a92b6e09074",
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
        "postings": [],
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
          },
          "correlation_id": "8ace2a92b6e09074"
        }
      }
    }
    "#);
}
