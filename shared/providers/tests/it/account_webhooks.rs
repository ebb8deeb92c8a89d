//! Webhooks about users, their accounts and balances: the platform's bodies and Connect's, on either feed.

use fundhook_domain::{Details, Feed, Kind, Provider, Statement};
use serde_json::{Value, json};

use crate::support::statements::{dropped, named, reason, statements, status_of};
use crate::support::{changed, envelope_of};

/// The feeds of both of zerohash's products.
const FEEDS: [Provider; 2] = [Provider::Connect, Provider::Zerohash];

fn read(provider: Provider, body: &Value) -> Statement {
    let found = statements(&envelope_of(&Feed::from(provider), None, body.to_string().as_bytes()));
    assert_eq!(found.len(), 1, "{body}");
    if found[0].resource.kind() != Kind::Unrecognized {
        assert_eq!(dropped(body, &found), Vec::<String>::new(), "{provider}: {body}");
    }
    found.into_iter().next().expect("one")
}

fn why_not(provider: Provider, body: &Value) -> String {
    reason(&envelope_of(&Feed::from(provider), None, body.to_string().as_bytes()))
}

fn balance(changes: &Value) -> Value {
    let body = json!({
        "participant_code": "CUST01", "account_group": "G", "account_label": "general", "account_type": "available",
        "asset": "USDC.BASE", "balance": "25", "timestamp": 1_750_750_200,
    });
    changed(body, changes)
}

#[test]
fn the_platforms_bodies_are_read_on_both_feeds() {
    let balance_id = named(&["CUST01", "G", "general", "available", "USDC.BASE"]);
    let participant = |word: &str| json!({ "participant_code": "CUST01", "participant_status": word, "reason_code": "r", "timestamp": 1_751_365_230_456_i64 });
    let external = |name: &str, word: &str| json!({ "participant_code": "CUST01", "external_account_id": "x-1", name: word, "account_nickname": "Savings" });
    let updated = json!({ "participant_code": "CUST01", "edd_required": true, "idv": "pass", "timestamp": 1_751_365_230_456_i64 });
    for provider in FEEDS {
        let of = |body: &Value| {
            let statement = read(provider, body);
            (statement.resource.to_string(), status_of(&statement), statement.content.event_type.clone())
        };
        for word in [
            "submitted",
            "pending_approval",
            "approved",
            "rejected",
            "locked",
            "disabled",
            "divested",
            "closed",
            "Approved",
            " locked ",
        ] {
            let expected = word.trim().to_lowercase();
            let (resource, status, event) = of(&participant(word));
            assert_eq!((resource, status), (format!("participant#{provider}#CUST01"), expected.as_str()));
            assert_eq!(event, "participant_status_changed");
        }
        // These announce a status, and are none.
        for word in ["pending_disable", "pending_unlock", "PENDING_DISABLE"] {
            assert_eq!(of(&participant(word)).1, "none", "{word}");
        }
        assert_eq!(of(&updated), (format!("participant#{provider}#CUST01"), "none", "participant_updated".to_owned()));
        for (word, status) in [
            ("pending", "pending"),
            ("submitted", "pending"),
            ("approved", "approved"),
            ("rejected", "rejected"),
            ("failed", "rejected"),
            ("locked", "locked"),
            ("disabled", "disabled"),
            ("closed", "closed"),
            ("deleted", "closed"),
            ("revoked", "closed"),
            ("APPROVED", "approved"),
        ] {
            for name in ["external_account_status", "status"] {
                let (resource, found, event) = of(&external(name, word));
                assert_eq!((resource, found), (format!("external_account#{provider}#x-1"), status), "{name} {word}");
                assert_eq!(event, "external_account_status_changed");
            }
        }
        assert_eq!(
            of(&balance(&json!({}))),
            (format!("balance#{provider}#{balance_id}"), "changed", "account_balance.changed".to_owned())
        );
        for (body, why) in [
            (participant("vanished"), "`participant_status` is \"vanished\""),
            (external("external_account_status", "vanished"), "`external_account_status` is \"vanished\""),
            (json!({ "participant_code": "", "participant_status": "approved" }), "`participant_code` is missing"),
            (json!({ "external_account_id": ["a", "b"], "status": "approved" }), "`external_account_id` is missing"),
        ] {
            let found = why_not(provider, &body);
            assert!(found.contains(why), "{provider}: {found}");
        }
    }
}

#[test]
fn a_body_with_an_event_is_read_on_both_feeds() {
    let id = named(&["CUST01", "", "", "", "USDC"]);
    for provider in FEEDS {
        for (body, resource, status) in [
            (
                json!({ "event": "connect.user.approved", "user": { "id": "u-1", "created_at": "2025-10-07T19:44:50Z" } }),
                "participant#u-1".to_owned(),
                "approved",
            ),
            (
                json!({ "event": "connect.users.status_changed", "user": { "reference_id": "CUST01", "status": "LOCKED" } }),
                "participant#CUST01".to_owned(),
                "locked",
            ),
            (
                json!({ "event": "connect.participants.closed", "account": { "reference_id": "CUST01" } }),
                "participant#CUST01".to_owned(),
                "closed",
            ),
            (
                json!({ "event": "connect.user.status_changed", "participant_code": "CUST01", "user_status": "approved" }),
                "participant#CUST01".to_owned(),
                "approved",
            ),
            // The id of the user, not the one of the webhook.
            (
                json!({ "event": "connect.user.approved", "id": "e-1", "user": { "id": "u-1" } }),
                "participant#u-1".to_owned(),
                "approved",
            ),
            (
                json!({ "event": "connect.user.approved", "id": "e-1", "participant_code": "CUST01", "user": { "id": "u-1" } }),
                "participant#CUST01".to_owned(),
                "approved",
            ),
            (
                json!({ "event": "connect.user.approved", "id": "e-1", "account": { "reference_id": "CUST01" } }),
                "participant#CUST01".to_owned(),
                "approved",
            ),
            (
                json!({ "event": "connect.balances.updated", "account": { "reference_id": "CUST01" }, "balance": { "asset": "USDC", "amount": "25" } }),
                format!("balance#{id}"),
                "changed",
            ),
            (
                json!({ "event": "connect.balance.changed", "participant_code": "CUST01", "asset": "USDC", "balance": 25 }),
                format!("balance#{id}"),
                "changed",
            ),
        ] {
            let statement = read(provider, &body);
            let (kind, native) = resource.split_once('#').expect("a kind");
            assert_eq!(statement.resource.to_string(), format!("{kind}#{provider}#{native}"), "{body}");
            assert_eq!(
                (status_of(&statement), &json!(statement.content.event_type)),
                (status, &body["event"]),
                "{body}"
            );
        }
        for (body, why) in [
            (
                json!({ "event": "connect.user.status_changed", "user": { "id": "u-1" } }),
                "\"status_changed\", which is not known",
            ),
            (json!({ "event": "connect.user.approved" }), "`participant_code` is missing"),
            (
                json!({ "event": "connect.user.approved", "participant_code": ["A", "B"], "id": "e-1" }),
                "`participant_code` is not a plain string",
            ),
            (
                json!({ "event": "connect.user.approved", "user": { "id": ["A", "B"] }, "id": "e-1" }),
                "`id` is not a plain string",
            ),
            (
                json!({ "event": "connect.user.approved", "id": "u-1", "status": ["approved", "locked"] }),
                "`status` is not a plain string",
            ),
            (
                json!({ "event": "connect.balance.changed", "asset": "USDC", "balance": 25 }),
                "so the balance cannot be named",
            ),
            (
                json!({ "event": "connect.balance.changed", "participant_code": "C", "balance": { "amount": "1" } }),
                "so the balance cannot be named",
            ),
            (
                json!({ "event": "connect.balance.changed", "participant_code": "C", "asset": "USDC" }),
                "`balance` is not a number",
            ),
        ] {
            let found = why_not(provider, &body);
            assert!(found.contains(why), "{provider} {body}: {found}");
        }
    }
}

#[test]
fn what_a_nested_object_repeats_is_kept() {
    let body = json!({
        "event": "connect.user.approved", "id": "e-1", "note": "outer", "timestamp": 1_751_365_230_456_i64,
        "user": { "id": "u-1", "note": "inner", "timestamp": 1_751_365_230_999_i64, "email": "x" },
    });
    for provider in FEEDS {
        let statement = read(provider, &body);
        let Details::Account(details) = statement.content.details else { unreachable!("a participant") };
        assert_eq!(details.provider_data["note"], json!("outer"));
        assert_eq!(details.provider_data["user"]["note"], json!("inner"));
        assert_eq!(details.provider_data["id"], json!("e-1"));
    }
}

#[test]
fn two_balances_are_never_merged_into_one() {
    let mut ids = Vec::new();
    for changes in [
        json!({}),
        json!({ "participant_code": "CUST02" }),
        json!({ "account_group": "H" }),
        json!({ "account_group": null }),
        json!({ "account_label": "recovery_quarantine" }),
        json!({ "account_label": null }),
        json!({ "account_type": "collateral" }),
        json!({ "asset": "USDC.ETH" }),
        json!({ "asset": "usdc.base" }),
        // Where the parts end is part of the name.
        json!({ "participant_code": "CUST01G", "account_group": null }),
    ] {
        let id = read(Provider::Zerohash, &balance(&changes)).resource.to_string();
        assert!(!ids.contains(&id), "{changes}");
        ids.push(id);
    }
    for member in ["participant_code", "account_group", "account_label", "account_type", "asset"] {
        for odd in [json!(["a", "b"]), json!({}), json!("a\nb"), json!("a\u{fffd}")] {
            let why = why_not(Provider::Zerohash, &balance(&json!({ member: odd })));
            assert!(why.contains(&format!("`{member}`")), "{member} {odd}: {why}");
        }
    }
    for (amount, exact) in [
        (json!("25.00"), "25"),
        (json!(25), "25"),
        (json!("-1"), "-1"),
        (json!("2.5e-7"), "0.00000025"),
        (json!(0), "0"),
    ] {
        let Details::Balance(details) =
            read(Provider::Zerohash, &balance(&json!({ "balance": amount }))).content.details
        else {
            unreachable!("a balance")
        };
        assert_eq!(details.quantity.expect("an amount").value.to_string(), exact);
    }
}
