//! Striga's webhooks about people, businesses and their accounts, which have no type of their own.

use fundhook_domain::{AccountDetails, Details, Statement};
use serde_json::{Value, json};

use crate::support::changed;
use crate::support::statements::{dropped, only_statement, reason, status_of};
use crate::support::striga::envelope;

fn statement(body: &Value) -> Statement {
    let statement = only_statement(&envelope(body.to_string().as_bytes()));
    assert_eq!(dropped(body, std::slice::from_ref(&statement)), Vec::<String>::new(), "{body}");
    statement
}

fn account(statement: Statement) -> AccountDetails {
    let Details::Account(details) = statement.content.details else { unreachable!("about an account: {statement:?}") };
    *details
}

fn why_not(body: &Value) -> String {
    reason(&envelope(body.to_string().as_bytes()))
}

#[test]
fn a_persons_and_a_businesss_status_is_a_participants() {
    for (word, status) in [
        ("NOT_STARTED", "submitted"),
        ("INITIATED", "submitted"),
        ("PENDING_REVIEW", "pending_approval"),
        ("ON_HOLD", "pending_approval"),
        ("APPROVED", "approved"),
        ("approved", "approved"),
        (" APPROVED ", "approved"),
        ("REJECTED", "rejected"),
        ("REJECTED_FINAL", "rejected"),
    ] {
        for member in ["userId", "businessId"] {
            let body = json!({
                member: "u-1",
                "status": word,
                "details": ["X"],
                "rejectionComments": { "userComment": null },
                "tier1": { "eligible": true, "status": "APPROVED" },
                "ts": 1_759_866_290_123_i64,
            });
            let statement = statement(&body);
            assert_eq!(
                (statement.resource.to_string().as_str(), status_of(&statement)),
                ("participant#striga#u-1", status)
            );
            assert_eq!(statement.content.occurred_at.to_string(), "2025-10-07T19:44:50.123Z", "{word}");
            let details = account(statement);
            assert_eq!(
                (details.account.as_deref(), details.provider_status.as_deref()),
                (Some("u-1"), Some(word.trim()))
            );
            assert_eq!(details.provider_data["tier1"], json!({ "eligible": true, "status": "APPROVED" }));
        }
    }
    for word in [json!("VERIFIED"), json!("EXPIRED"), json!(""), json!(["APPROVED", "REJECTED"]), json!(true)] {
        let why = why_not(&json!({ "userId": "u-1", "status": word }));
        assert!(why.contains("`status` is"), "{word}: {why}");
    }
    for id in [json!(""), json!(null), json!(["u-1", "u-2"]), json!({})] {
        let why = why_not(&json!({ "userId": id, "status": "APPROVED" }));
        assert!(why.contains("`userId` is missing"), "{id}: {why}");
    }
}

#[test]
fn only_an_enrichment_or_an_address_is_about_an_account() {
    let euro = json!({ "accountId": "a-1", "currency": "EUR", "iban": "XX00", "bic": "XXXX", "status": "ACTIVE" });
    let coin = json!({
        "accountId": "a-1",
        "blockchainDepositAddress": "0x1",
        "blockchainNetwork": { "name": "Solana Test (Solana Devnet)" },
    });
    let pending = json!({ "accountId": "a-1", "ownerId": "o-1", "uid": "e-1", "ts": 1_759_866_290_123_i64, "blockchainNetworks": [] });
    for (what, body, status) in [
        ("a euro account", euro.clone(), "approved"),
        ("a coin's account", coin.clone(), "approved"),
        ("by its type", changed(coin, &json!({ "type": "ACCOUNT_ENRICHED" })), "approved"),
        ("pending", changed(pending, &json!({ "type": "PENDING_ACCOUNT_ENRICHMENT" })), "pending"),
    ] {
        let statement = statement(&body);
        assert_eq!(
            (statement.resource.to_string().as_str(), status_of(&statement)),
            ("external_account#striga#a-1", status),
            "{what}"
        );
    }
    for status in ["BLOCKED", "CLOSED", "inactive"] {
        let why = why_not(&changed(euro.clone(), &json!({ "status": status })));
        assert!(why.contains("`status` is"), "an account that is not active is not approved: {why}");
    }
    for (what, body) in [
        ("a card", changed(euro.clone(), &json!({ "cardId": "c-1" }))),
        ("a card's status", json!({ "userId": "u-1", "status": "APPROVED", "cardId": "c-1" })),
        ("another type with an account", changed(euro, &json!({ "type": "SEPA_RECALL" }))),
        ("another type with a person", json!({ "type": "SCREENING", "userId": "u-1", "status": "REJECTED" })),
        ("a card by its type", json!({ "type": "VIRTUAL", "userId": "u-1", "status": "CLOSED" })),
        ("a card's authorization", json!({ "type": "CARD_AUTHORIZATION", "id": "1", "debit": "5" })),
        ("an account without an address", json!({ "accountId": "a-1", "status": "ACTIVE" })),
        ("any object of the dashboard's", json!({ "hello": "world" })),
    ] {
        let why = why_not(&body);
        assert!(why.contains("is not supported") || why.contains("no text member `type`"), "{what}: {why}");
    }
}
