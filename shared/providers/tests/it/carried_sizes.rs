//! How much of a webhook is carried on resources and events, and the note that replaces a larger part.

use fundhook_domain::{Details, Statement};
use serde_json::{Map, Value, json};

use crate::support::statements::{assert_can_be_stored, only_statement, transfer_of};
use crate::support::{envelope, striga, zerohash};

/// The largest part of a webhook that is carried.
const CARRIED_BYTES_MAX: usize = 24 * 1024;
/// The same for participants, accounts and balances, of which many facts are kept.
const CARRIED_WITHOUT_END_BYTES_MAX: usize = 4 * 1024;

/// A string whose JSON has exactly `bytes` bytes.
fn text(bytes: usize) -> Value {
    json!("x".repeat(bytes - 2))
}

/// The data under the provider's names.
fn provider_data(statement: Statement) -> Map<String, Value> {
    match statement.content.details {
        Details::Transfer(details) => details.provider_data,
        Details::Account(details) => details.provider_data,
        Details::Balance(details) => details.provider_data,
        Details::Recovery(_) | Details::Unrecognized(_) => unreachable!("these have no provider data"),
    }
}

#[test]
fn metadata_that_is_too_large_is_replaced_by_a_note() {
    for (bytes, is_carried) in [(CARRIED_BYTES_MAX, true), (CARRIED_BYTES_MAX + 1, false)] {
        let body = json!({
            "event": "connect.deposits.pending",
            "deposit": { "id": "1", "amount": "2" },
            "session": { "id": "s-1", "metadata": text(bytes) },
        });
        let session = transfer_of(only_statement(&envelope(body.to_string().as_bytes()))).session;
        let metadata = session.metadata.expect("metadata");
        assert_eq!(session.id.as_deref(), Some("s-1"));
        assert_eq!(metadata == text(bytes), is_carried, "{bytes} bytes of metadata");
        assert!(is_carried || metadata["left_in_evidence"]["bytes"] == json!(bytes), "{metadata}");
    }
}

#[test]
fn provider_data_that_is_too_large_is_replaced_by_a_note() {
    let connect = json!({ "event": "connect.deposits.pending", "deposit": { "id": "1", "amount": "2" } });
    let participant = json!({ "participant_code": "CUST01", "participant_status": "approved" });
    let balance = json!({ "participant_code": "C", "account_label": "general", "asset": "BTC", "balance": "1" });
    let striga = json!({ "type": "ON_CHAIN_WITHDRAWAL_PENDING", "id": "1", "timestamp": "2024-09-10T12:05:39Z" });
    for (what, body, read, bytes_max) in [
        ("a deposit", connect, &(|body: &[u8]| envelope(body)) as &dyn Fn(&[u8]) -> _, CARRIED_BYTES_MAX),
        ("a withdrawal", striga, &|body: &[u8]| striga::envelope(body), CARRIED_BYTES_MAX),
        ("a user", participant, &|body: &[u8]| zerohash::envelope(None, body), CARRIED_WITHOUT_END_BYTES_MAX),
        ("a balance", balance, &|body: &[u8]| zerohash::envelope(None, body), CARRIED_WITHOUT_END_BYTES_MAX),
    ] {
        for (bytes, is_carried) in [(bytes_max, true), (bytes_max + 1, false)] {
            // `{"x":…}` is six bytes longer than its value.
            let body = crate::support::changed(body.clone(), &json!({ "x": text(bytes - 6) }));
            let statement = only_statement(&read(body.to_string().as_bytes()));
            let small =
                only_statement(&read(crate::support::changed(body, &json!({ "x": null })).to_string().as_bytes()));
            assert_eq!(
                (&statement.resource, statement.content.status),
                (&small.resource, small.content.status),
                "{what}"
            );
            let data = provider_data(statement);
            assert_eq!(data == Map::from_iter([("x".to_owned(), text(bytes - 6))]), is_carried, "{what}: {bytes}");
            assert!(is_carried || data["fundhook"]["left_in_evidence"]["bytes"] == json!(bytes), "{what}");
        }
    }
}

#[test]
fn a_recognized_webhook_can_be_stored_and_read_back_however_deeply_it_is_nested() {
    for levels in 1..=130 {
        let nested = format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        let connect = format!(
            r#"{{"event":"connect.deposits.pending","deposit":{{"id":"1","transaction":{{"x":{nested}}}}},"session":{{"metadata":{nested}}}}}"#
        );
        let zerohash = format!(r#"{{"participant_code":"C","participant_status":"locked","x":{nested}}}"#);
        let striga = format!(r#"{{"type":"NETWORK_FEE","id":"1","timestamp":"2024-09-10T12:05:39Z","x":{nested}}}"#);
        for envelope in [
            envelope(connect.as_bytes()),
            zerohash::envelope(None, zerohash.as_bytes()),
            striga::envelope(striga.as_bytes()),
        ] {
            assert_can_be_stored(&only_statement(&envelope), &format!("{levels} levels"));
        }
    }
}
