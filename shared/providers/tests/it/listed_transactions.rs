//! Rows of Connect's `GET /transactions`: their statements, resources and evidence.

use fundhook_domain::{
    Attestation, Details, EvidenceClass, EvidencePointer, FactId, Feed, ListKind, ListedAt, Resource, Scheme,
    Statement, Timestamp, TransferDetails, WebhookFamily, events_after, fold,
};
use fundhook_providers::{Envelope, RawRow, ReadingSettings, listed, listed_at, normalise};
use fundhook_reconciliation::identifies_its_coin;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::statements::{
    assert_can_be_stored, dropped, notes, only_statement, outcome, reason, status_of, transfer_of,
};
use crate::support::{SIGNED_AT, at, changed, zerohash};

/// The row of [connect-guide §7], unchanged.
const ROW: &str = r#"{
      "participant_code": "USER01",
      "fund_asset": "USDC.ETH",
      "deposited_asset": "USDC.ETH",
      "rate": "1",
      "quoted_currency": "USD",
      "source_address": "0xA32A6aA6a3B87b49BeaB01393e2020C3C191CD61",
      "deposit_address": "0xF6C6E7d76Ec47F992aEbF46987879a4E3991a03b",
      "quantity": "100",
      "notional": "100",
      "fund_id": "29e6d7b8-d604-4212-86ee-998fef35505e",
      "fund_timestamp": 1708631671631,
      "deposit_timestamp": 1708631681631,
      "transaction_id": "ec963207-69f4-44d0-9251-2977dda86fcd",
      "account_label": "general",
      "success": true,
      "status_reason": "success",
      "reference_id": "ba97133e-ab15-4c86-86c1-86671b8420bc",
      "raw_fee_bps": "1.5",
      "raw_fee_notional": "30",
      "deposit_fee_bps": "1.5",
      "deposit_fee_notional": "30",
      "source": {
        "type": "CUSTODIAL",
        "integration": "coinbase"
      }
    }"#;
const URL: &str = "https://api.connect.xyz/transactions";

fn feed(text: &str) -> Feed {
    text.parse().expect("a feed")
}

fn read_at() -> Timestamp {
    at(SIGNED_AT)
}

/// The envelope of `row` as a row of the feed `of`.
fn listed_for(of: &str, row: impl ToString) -> Envelope {
    listed(RawRow {
        list: ListKind::ConnectTransactions,
        feed: &feed(of),
        json: row.to_string(),
        url: URL,
        read_at: read_at(),
    })
}

/// The envelope of `row` as a row of the feed `connect`.
fn envelope(row: impl ToString) -> Envelope {
    listed_for("connect", row)
}

/// The statement of `row` as a row of the feed `of`.
fn statement_of(of: &str, row: impl ToString) -> Statement {
    only_statement(&listed_for(of, row))
}

/// The date that Connect selects the row by.
fn deposited_at(row: &str) -> Option<Timestamp> {
    match listed_at(ListKind::ConnectTransactions, row) {
        ListedAt::At(at) => Some(at),
        ListedAt::AsRequested | ListedAt::Missing => None,
    }
}

/// The guide's row with `changes`.
fn row(changes: &Value) -> Value {
    changed(serde_json::from_str(ROW).expect("JSON"), changes)
}

fn transfer(changes: &Value) -> TransferDetails {
    transfer_of(statement_of("connect", row(changes)))
}

#[test]
fn the_row_of_the_guide_is_a_held_deposit_with_api_evidence() {
    let statement = statement_of("connect", ROW);
    assert_can_be_stored(&statement, "the guide's row");
    insta::assert_snapshot!(serde_json::to_string_pretty(&statement).expect("JSON"), @r#"
    {
      "resource": "deposit#connect#29e6d7b8-d604-4212-86ee-998fef35505e",
      "content": {
        "id": "d07d652eb90bcf3a74855ddf1c55efd6046896ce041f0287c01ff636067c2725",
        "event_type": "connect.transactions",
        "status": {
          "deposit": "held"
        },
        "occurred_at": "2024-02-22T19:54:41.631Z",
        "details": {
          "transfer": {
            "quantity": {
              "value": "100",
              "units": "major"
            },
            "asset": "USDC",
            "network": {
              "name": "ETH",
              "slug": "ethereum",
              "caip2": "eip155:1"
            },
            "transaction": {
              "from": "0xA32A6aA6a3B87b49BeaB01393e2020C3C191CD61",
              "to": "0xF6C6E7d76Ec47F992aEbF46987879a4E3991a03b"
            },
            "source": {
              "type": "CUSTODIAL",
              "integration": "coinbase"
            },
            "conversion": {
              "rate": "1",
              "currency": "USD",
              "notional": "100"
            },
            "account": "USER01",
            "sub_account": "general",
            "reference_id": "ba97133e-ab15-4c86-86c1-86671b8420bc",
            "status_reason": "success",
            "hold": {
              "reason": "fee_bearer_unknown",
              "needs": "setting",
              "explanation": "There is a fee of 30 USD, and the numbers do not tell whether the customer or the platform bears it. Set FUNDHOOK_DEPOSIT_FEES_BORNE_BY to customer or platform."
            },
            "family": "connect.transactions",
            "provider_data": {
              "deposit_fee_bps": "1.5",
              "deposit_fee_notional": "30",
              "deposit_timestamp": 1708631681631,
              "deposited_asset": "USDC.ETH",
              "fund_timestamp": 1708631671631,
              "raw_fee_bps": "1.5",
              "raw_fee_notional": "30",
              "success": true,
              "transaction_id": "ec963207-69f4-44d0-9251-2977dda86fcd"
            }
          }
        },
        "evidence": {
          "received_at": "2025-10-14T23:34:26Z",
          "attestation": {
            "scheme": "connect-transactions-api",
            "class": "api",
            "key": "https://api.connect.xyz"
          },
          "archived": {
            "object": "connect/2025/10/14/0.ndjson.gz",
            "line": 7
          },
          "correlation_id": "2e5a4020dbf6bd09"
        },
        "reading": {
          "at": "2025-10-14T23:34:26Z",
          "revision": 1
        }
      }
    }
    "#);
}

#[test]
fn for_zerohashs_feed_a_row_belongs_to_the_family_of_the_fund_webhooks() {
    let [connects, zerohashs] = ["connect", "zerohash"].map(|of| statement_of(of, ROW));
    assert_eq!(connects.resource.to_string(), "deposit#connect#29e6d7b8-d604-4212-86ee-998fef35505e");
    assert_eq!(zerohashs.resource.to_string(), "deposit#zerohash#29e6d7b8-d604-4212-86ee-998fef35505e");
    assert_ne!(connects.content.id, zerohashs.content.id);
    assert_eq!(
        (&connects.content.event_type, &connects.content.evidence.archived),
        (&zerohashs.content.event_type, &zerohashs.content.evidence.archived)
    );
    let [connects, zerohashs] = [connects, zerohashs].map(transfer_of);
    assert_eq!(connects.family, Some(WebhookFamily::ConnectTransactions));
    let hold = zerohashs.hold.clone();
    assert_eq!(zerohashs, TransferDetails { family: Some(WebhookFamily::ZerohashFund), hold, ..connects });
}

#[test]
fn a_row_is_confirmed_held_or_abandoned() {
    let unpaid = json!({ "deposit_fee_notional": "" });
    let expired = json!({
        "success": false, "quantity": "0", "transaction_id": "", "source_address": "-", "notional": "0",
        "status_reason": "session expired",
    });
    for (what, changes, status) in [
        ("success", json!({}), "confirmed"),
        ("success as a string", json!({ "success": "true" }), "confirmed"),
        ("success in capital letters", json!({ "success": "TRUE" }), "confirmed"),
        ("success as something else", json!({ "success": "maybe" }), "held"),
        ("success as nothing", json!({ "success": null }), "held"),
        ("a fee", json!({ "deposit_fee_notional": "30" }), "held"),
        ("no success: the match may still complete", json!({ "success": false }), "held"),
        ("no success as a string", json!({ "success": "false" }), "held"),
        ("an expired session", expired, "abandoned"),
    ] {
        let statement = statement_of("connect", changed(row(&unpaid), &changes));
        assert_eq!(status_of(&statement), status, "{what}");
        assert_eq!(statement.resource.native(), "29e6d7b8-d604-4212-86ee-998fef35505e", "{what}");
        assert_eq!(
            transfer_of(statement).transaction.from.is_none(),
            status == "abandoned",
            "{what}: a dash is not an address"
        );
    }
}

#[test]
fn a_row_has_the_later_of_its_times_and_without_any_the_time_of_reading() {
    for (changes, expected) in [
        (json!({}), "2024-02-22T19:54:41.631Z"),
        (json!({ "deposit_timestamp": 1_708_631_600_000_i64 }), "2024-02-22T19:54:31.631Z"),
        (json!({ "deposit_timestamp": null }), "2024-02-22T19:54:31.631Z"),
        (json!({ "fund_timestamp": "" }), "2024-02-22T19:54:41.631Z"),
        (json!({ "fund_timestamp": null, "deposit_timestamp": null }), "2025-10-14T23:34:26Z"),
    ] {
        assert_eq!(statement_of("connect", row(&changes)).content.occurred_at.to_string(), expected, "{changes}");
    }
}

#[test]
fn deposited_at_reads_every_form_of_time() {
    for (sent, expected) in [
        (json!(1_708_631_681), "2024-02-22T19:54:41Z"),
        (json!("1708631681"), "2024-02-22T19:54:41Z"),
        (json!(1_708_631_681_631_i64), "2024-02-22T19:54:41.631Z"),
        (json!("1708631681631"), "2024-02-22T19:54:41.631Z"),
        (json!(1_708_631_681_631_000_001_i64), "2024-02-22T19:54:41.631000001Z"),
        (json!("1708631681631000001"), "2024-02-22T19:54:41.631000001Z"),
        (json!("2024-02-22T19:54:41Z"), "2024-02-22T19:54:41Z"),
        (json!("2024-02-22T21:54:41.5+02:00"), "2024-02-22T19:54:41.500Z"),
    ] {
        let row = row(&json!({ "deposit_timestamp": sent, "fund_timestamp": null }));
        let deposited = deposited_at(&row.to_string()).expect("an instant");
        assert_eq!(deposited.to_string(), expected, "{sent}");
        assert_eq!(
            statement_of("connect", &row).content.occurred_at,
            deposited,
            "{sent}: the statement reads the same time"
        );
    }
    // The reported time may be later than the time of the deposit.
    let settled = row(&json!({ "fund_timestamp": 1_708_631_999 }));
    assert_eq!(deposited_at(&settled.to_string()), deposited_at(ROW));
    assert!(statement_of("connect", &settled).content.occurred_at > deposited_at(ROW).expect("an instant"));
}

#[test]
fn deposited_at_is_none_for_a_row_without_a_valid_time() {
    for sent in [
        json!(null),
        json!(""),
        json!(0),
        json!("0"),
        json!(99),
        json!(-1_708_631_681),
        json!("yesterday"),
        json!("2024-02-22"),
        json!(true),
        json!([1_708_631_681]),
        json!({ "seconds": 1_708_631_681 }),
        json!("1".repeat(100)),
    ] {
        assert_eq!(deposited_at(&row(&json!({ "deposit_timestamp": sent })).to_string()), None, "{sent}");
    }
    let twice = r#"{"deposit_timestamp":1708631681,"deposit_timestamp":1708631682}"#;
    for text in
        ["{}", "[]", "null", "1708631681", "\"2024-02-22T19:54:41Z\"", "", "not JSON", twice, &format!("[{ROW}]")]
    {
        assert_eq!(deposited_at(text), None, "{text}");
    }
}

#[test]
fn nothing_in_a_row_is_dropped() {
    let unknown = json!({
        "settlement": { "batch": "b-1", "legs": [{ "n": 1 }] },
        "priority": "urgent",
        "source": { "type": "CUSTODIAL", "integration": "coinbase", "region": "EU" },
    });
    for changes in [json!({}), unknown.clone(), json!({ "source": "a text" }), json!({ "success": false })] {
        let row = row(&changes);
        assert_eq!(dropped(&row, &[statement_of("connect", &row)]), Vec::<String>::new(), "{changes}");
    }
    let details = transfer(&unknown);
    assert_eq!(
        (details.source.source_type.as_deref(), details.source.integration.as_deref()),
        (Some("CUSTODIAL"), Some("coinbase"))
    );
    assert_eq!(details.provider_data["settlement"], unknown["settlement"]);
    assert_eq!(details.provider_data["source"], json!({ "region": "EU" }));
}

#[test]
fn a_transaction_id_that_is_not_a_chain_hash_names_no_coin_and_is_carried() {
    let solana = "FLaUcxdNxRwnaSXp6pXeRSfANXEHouqYbqF6X1bgRxg2";
    let bare = "a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff";
    for (sent, is_hash) in [
        ("0xcd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569", true),
        (bare, true),
        (solana, true),
        ("ec963207-69f4-44d0-9251-2977dda86fcd", false),
        ("EC963207-69F4-44D0-9251-2977DDA86FCD", false),
        ("ec963207-69f4-44d0-9251-2977dda86fc", true),
    ] {
        let statement = statement_of("connect", row(&json!({ "transaction_id": sent })));
        assert_eq!(identifies_its_coin(&statement), is_hash, "{sent}");
        let details = transfer_of(statement);
        assert_eq!(details.transaction.hash.as_deref(), is_hash.then_some(sent));
        let carried = details.provider_data.get("transaction_id").and_then(Value::as_str);
        assert_eq!(carried, (!is_hash).then_some(sent));
    }
}

#[test]
fn an_amount_is_exact() {
    for (sent, value) in [
        (
            json!("119078888888888888887.000000000000000000000000000001"),
            "119078888888888888887.000000000000000000000000000001",
        ),
        (json!(".013"), "0.013"),
    ] {
        let details = transfer(&json!({ "quantity": sent }));
        assert_eq!(details.quantity.map(|quantity| quantity.value.to_string()).as_deref(), Some(value));
    }
}

#[test]
fn a_row_that_cannot_be_read_is_unrecognized_with_api_evidence() {
    for (text, why) in [
        ("not JSON".to_owned(), "not JSON"),
        ("null".to_owned(), "the body is not a JSON object"),
        (format!("[{ROW}]"), "the body is not a JSON object"),
        ("{}".to_owned(), "`fund_id`"),
        (row(&json!({ "fund_id": null })).to_string(), "`fund_id`"),
        (row(&json!({ "fund_id": "a\nb" })).to_string(), "`fund_id`"),
        (row(&json!({ "fund_id": "x".repeat(513) })).to_string(), "`fund_id` cannot name a resource"),
    ] {
        for of in ["connect", "zerohash", "connect/acme"] {
            let envelope = listed_for(of, &text);
            assert!(reason(&envelope).contains(why), "{text}: {}", reason(&envelope));
            let statement = only_statement(&envelope);
            assert_eq!(statement.resource.feed(), &feed(of), "{text}");
            assert_eq!(statement.content.evidence.attestation.scheme, Scheme::ConnectTransactionsApi, "{text}");
            assert_eq!(
                (statement.content.event_type.as_str(), statement.content.occurred_at),
                ("", read_at()),
                "{text}"
            );
        }
    }
}

#[test]
fn what_cannot_be_read_in_a_row_is_noted_and_holds_it_if_it_is_money() {
    for (changes, expected, note) in [
        (json!({ "quantity": "a hundred" }), "held: amount_missing", "`quantity` is not a number"),
        (json!({ "quantity": "1e" }), "held: amount_missing", "`quantity` is not a number"),
        (json!({ "quantity": "1e2" }), "confirmed", ""),
        // What is credited is the asset that arrived.
        (json!({ "rate": "1,5" }), "confirmed", "`rate` is not a number"),
        (json!({ "fund_timestamp": "yesterday" }), "confirmed", "`fund_timestamp`: "),
    ] {
        let unpaid = row(&json!({ "deposit_fee_notional": "" }));
        let statement = statement_of("connect", changed(unpaid, &changes));
        assert_eq!(outcome(&statement), expected, "{changes}");
        let found = notes(&statement);
        assert!(found.is_empty() == note.is_empty(), "{changes}: {found:?}");
        assert!(found.iter().all(|found| found.starts_with(note)), "{changes}: {found:?}");
    }
}

#[test]
fn the_envelope_of_a_row_names_its_url_and_reads_back() {
    let envelope = listed_for("connect/acme", ROW);
    assert_eq!((envelope.feed(), envelope.url(), envelope.received_at()), (&feed("connect/acme"), URL, read_at()));
    assert_eq!((envelope.headers(), envelope.body().as_ref()), (&[][..], ROW.as_bytes()));
    let attestation = Attestation {
        scheme: Scheme::ConnectTransactionsApi,
        class: EvidenceClass::Api,
        key: "https://api.connect.xyz".to_owned(),
        signed_at: None,
        token_verified: false,
    };
    assert_eq!(*envelope.attestation(), attestation);

    let written = serde_json::to_string(&envelope).expect("JSON");
    let read = Envelope::from_json(&written).expect("an envelope");
    assert_eq!(read, envelope);
    assert_eq!(only_statement(&read), only_statement(&envelope));
}

#[test]
fn a_row_is_the_same_fact_whenever_and_wherever_it_is_read() {
    let fact = |row: &str, url: &str, read_at: Timestamp, line: u32| -> FactId {
        let archived = EvidencePointer { object: "another".to_owned(), line };
        let feed = &feed("connect");
        let envelope = listed(RawRow { list: ListKind::ConnectTransactions, feed, json: row.to_owned(), url, read_at });
        normalise(&envelope, archived, &ReadingSettings::default()).remove(0).content.id
    };
    let known = fact(ROW, URL, read_at(), 0);
    assert_eq!(fact(ROW, "https://api.sandbox.connect.xyz/v2/transactions", at(SIGNED_AT + 900), 7), known);
    // A row without a date has the time of reading, and is the same fact nevertheless.
    let undated = row(&json!({ "fund_timestamp": null, "deposit_timestamp": null })).to_string();
    assert_eq!(fact(&undated, URL, read_at(), 0), fact(&undated, URL, at(SIGNED_AT + 900), 0));
    assert_ne!(fact(&row(&json!({})).to_string(), URL, read_at(), 0), known, "other bytes are another fact");
}

#[test]
fn a_row_and_a_webhook_with_the_same_bytes_are_different_facts() {
    let webhook = only_statement(&zerohash::envelope(Some("deposit_fund_complete"), ROW.as_bytes()));
    assert_ne!(webhook.content.id, statement_of("zerohash", ROW).content.id);
}

#[test]
fn zerohashs_fund_webhook_and_its_row_are_one_occurrence_of_one_deposit() {
    let unpaid = json!({ "deposit_fee_notional": "" });
    let body = changed(row(&unpaid), &json!({ "is_first_deposit": false })).to_string();
    let webhook = only_statement(&zerohash::envelope(Some("deposit_fund_complete"), body.as_bytes()));
    let row = statement_of("zerohash", row(&unpaid));
    assert_eq!(webhook.resource, row.resource);
    assert_eq!((webhook.content.status, webhook.content.occurred_at), (row.content.status, row.content.occurred_at));
    let [sent, listed] = [webhook.clone(), row.clone()].map(transfer_of);
    assert_eq!(sent.source, listed.source, "both state the source in the same field");
    assert_eq!((sent.family, sent.quantity), (listed.family, listed.quantity));

    for (what, statements, is_reconciled) in
        [("the row first", [&row, &webhook], true), ("the webhook first", [&webhook, &row], false)]
    {
        let unknown = Resource::unknown(row.resource.clone());
        let resource =
            statements.into_iter().fold(unknown, |it, statement| fold(it, statement.clone()).into_resource());
        let events = events_after(&resource, 0);
        let published: Vec<_> = events.iter().map(|event| (event.event_type.as_str(), event.data.reconciled)).collect();
        assert_eq!(published, [("fundhook.deposit.confirmed", is_reconciled)], "{what}");
        let view = resource.view().expect("a view");
        assert_eq!(view.evidence, webhook.content.evidence, "{what}: the signed statement supersedes");
    }
}

#[test]
fn a_row_that_is_read_for_an_organization_is_about_its_deposit() {
    let of = ["connect", "connect/acme", "connect/bolt", "zerohash/acme"].map(|of| statement_of(of, ROW));
    let [default, acme, bolt, zerohashs] = &of;
    assert_eq!(acme.resource.to_string(), "deposit#connect/acme#29e6d7b8-d604-4212-86ee-998fef35505e");
    assert_eq!(zerohashs.resource.to_string(), "deposit#zerohash/acme#29e6d7b8-d604-4212-86ee-998fef35505e");
    for (one, other) in [(default, acme), (acme, bolt), (acme, zerohashs)] {
        assert_ne!((&one.resource, &one.content.id), (&other.resource, &other.content.id));
        assert_ne!(one.content.id, other.content.id, "facts of different organizations are different");
    }
    assert_eq!(
        (&default.content.details, default.content.occurred_at),
        (&acme.content.details, acme.content.occurred_at)
    );
}

proptest! {
    #[test]
    fn any_text_as_a_row_is_one_statement_and_reads_back(text in "(\\{|\\[|\")?[\\x00-\\u{7ff}\"\\\\]{0,200}") {
        let sealed = envelope(&text);
        let read = Envelope::from_json(&serde_json::to_string(&sealed).expect("JSON")).expect("an envelope");
        prop_assert!(read.body() == text.as_bytes());
        prop_assert_eq!(&read, &sealed);
        let statement = only_statement(&read);
        prop_assert_eq!(statement.content.evidence.attestation.class, EvidenceClass::Api);
        assert_can_be_stored(&statement, &text);
    }

    #[test]
    fn any_value_of_a_members_leaves_a_row_one_statement(
        member in prop::sample::select(vec!["fund_id", "success", "quantity", "source", "fund_timestamp", "rate", "fund_asset"]),
        value in prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            "[ -~]{0,30}".prop_map(Value::from),
            Just(json!({ "type": 7, "integration": [null] })),
            Just(json!([1, "a"])),
        ],
    ) {
        let row = row(&json!({ member: value }));
        let statement = statement_of("connect", &row);
        assert_can_be_stored(&statement, member);
        if matches!(statement.content.details, Details::Unrecognized(_)) {
            prop_assert!(member == "fund_id", "only the id is required: {row}");
        }
    }
}
