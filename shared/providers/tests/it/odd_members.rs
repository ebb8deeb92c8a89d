//! Information: whatever JSON is in its place, no webhook, status or credit is lost, and nothing is dropped.

use std::sync::LazyLock;

use fundhook_domain::{Feed, Kind, Provider};
use fundhook_providers::{Envelope, Headers, PAYLOAD_TYPE_HEADER, Webhook};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use crate::support::samples::Sample;
use crate::support::statements::{dropped, essence, statements};
use crate::support::{SIGNED_AT, at};

/// The members that are identity or money, for each sort of webhook, as JSON pointers: the beginnings of event names,
/// and the members. All others are information.
const NOT_INFORMATION: [(&str, &[&str]); 21] = [
    (
        "connect.deposits.",
        &[
            "/event",
            "/deposit",
            "/deposit/id",
            "/deposit/amount",
            "/deposit/asset",
            "/deposit/transaction",
            "/deposit/transaction/value",
            "/deposit/fees",
            "/session/fees",
            "/account",
            "/account/reference_id",
        ],
    ),
    ("connect.withdrawal.", &["/event", "/deposit", "/deposit/id"]),
    ("connect.user.", &["/event", "/participant_code", "/participant_status"]),
    (
        "deposit_fund_complete",
        &[
            "/fund_id",
            "/success",
            "/status_reason",
            "/reason",
            "/participant_code",
            "/fund_asset",
            "/quantity",
            "/rate",
            "/quoted_currency",
            "/notional",
            "/deposit_fee_notional",
            // Whether there is a transaction tells whether an expired session had a deposit.
            "/transaction_id",
        ],
    ),
    ("deposit.status_changed", &["/deposit_id", "/state", "/participant_code", "/asset", "/amount"]),
    ("deposit_failed", &["/participant_code", "/asset", "/quantity", "/transaction_id", "/success"]),
    (
        "payment_status_changed",
        &[
            "/status",
            "/payment_id",
            "/payment_details",
            "/payment_details/withdrawal_request_id",
            "/transaction_id",
            "/payment_status",
        ],
    ),
    ("participant_updated", &["/participant_code", "/participant_status"]),
    ("participant_status_changed", &["/participant_code", "/participant_status"]),
    ("external_account_status_changed", &["/external_account_id", "/external_account_status"]),
    (
        "account_balance.changed",
        &["/participant_code", "/account_group", "/account_label", "/account_type", "/asset", "/balance"],
    ),
    (
        "ON_CHAIN_DEPOSIT_CONFIRMED",
        &[
            "/type",
            "/txType",
            "/id",
            "/credit",
            "/currency",
            "/syncedOwnerId",
            "/blockchainTransactionAmount",
            "/balanceBefore/currency",
            "/balanceAfter/currency",
        ],
    ),
    (
        "SEPA_PAYIN_COMPLETED",
        &[
            "/type",
            "/txType",
            "/id",
            "/credit",
            "/currency",
            "/syncedOwnerId",
            "/balanceBefore/currency",
            "/balanceAfter/currency",
        ],
    ),
    ("CURRENCY_EXCHANGE", &["/type", "/txType", "/txSubType", "/id"]),
    ("SEPA_PAYOUT_", &["/type", "/id"]),
    ("ACCOUNT_ENRICHED", &["/type", "/accountId", "/iban", "/status"]),
    ("ON_CHAIN_", &["/type", "/id"]),
    ("NETWORK_FEE", &["/type", "/id"]),
    ("FEE_REFUND", &["/type", "/id"]),
    ("APPLICATION_FEE", &["/type", "/id", "/debit", "/credit"]),
    ("", &["/userId", "/status"]),
];

/// The envelope of a webhook without a signature: signing thousands of them takes a minute.
fn envelope_for(feed: &Feed, payload_type: Option<&str>, body: &[u8]) -> Envelope {
    let headers: Headers = payload_type.map(|name| (PAYLOAD_TYPE_HEADER, name)).into_iter().collect();
    let webhook = Webhook { path: "/webhooks".to_owned(), headers, body: body.to_vec() };
    Envelope::unverified(webhook, feed.clone(), at(SIGNED_AT))
}

/// The paths of all members below `value`, as JSON pointers.
fn paths(value: &Value) -> Vec<String> {
    let Value::Object(members) = value else { return Vec::new() };
    let below = |(name, value): (&String, &Value)| {
        let deeper = paths(value).into_iter().map(|path| format!("/{name}{path}")).collect();
        [vec![format!("/{name}")], deeper].concat()
    };
    members.iter().flat_map(below).collect()
}

/// A member of a sample that is information.
struct Information {
    name: String,
    provider: Provider,
    payload_type: Option<&'static str>,
    body: Value,
    path: String,
    /// What the unchanged sample states.
    stated: [String; 4],
}

/// Every member of every recognized sample that is information.
static INFORMATION: LazyLock<Vec<Information>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for sample in Sample::all() {
        let Ok(body) = serde_json::from_slice::<Map<String, Value>>(&sample.body) else { continue };
        let statement = sample.statements().remove(0);
        if statement.resource.kind() == Kind::Unrecognized {
            continue;
        }
        let named = NOT_INFORMATION.iter().find(|(event, _)| statement.content.event_type.starts_with(event));
        let (_, others) = named.expect("every event has a row");
        // This parser keeps the last of repeated members.
        let body = Value::Object(body);
        let envelope = envelope_for(&Feed::from(sample.provider), sample.payload_type(), body.to_string().as_bytes());
        let statement = statements(&envelope).remove(0);
        for path in paths(&body).into_iter().filter(|path| !others.contains(&path.as_str())) {
            // The two balances together state the unit.
            let is_unit = path.starts_with("/balance") && others.contains(&"/balanceAfter/currency");
            if !is_unit || path.ends_with("/amount") || path.ends_with("/balance") {
                let (provider, payload_type) = (sample.provider, sample.payload_type());
                let (name, body, stated) = (sample.name.clone(), body.clone(), essence(&statement));
                all.push(Information { name, provider, payload_type, body, path, stated });
            }
        }
    }
    all
});

/// Checks that `value` in the place of the member `information` changes nothing of the essence and is not dropped.
fn check(information: &Information, value: &Value) -> Result<(), TestCaseError> {
    let Information { name, provider, payload_type, body, path, stated } = information;
    let mut body = body.clone();
    *body.pointer_mut(path).expect("a path of the body") = value.clone();
    let found = statements(&envelope_for(&Feed::from(*provider), *payload_type, body.to_string().as_bytes()));
    prop_assert_eq!(&essence(&found[0]), stated, "{} {}: {:.100}", name, path, value);
    let is_whole = !json!(found).to_string().contains("left_in_evidence");
    prop_assert!(
        !is_whole || dropped(&body, &found).is_empty(),
        "{name} {path}: {value:.100} {:?}",
        dropped(&body, &found)
    );
    Ok(())
}

#[test]
fn an_odd_member_that_is_information_never_costs_a_webhook() {
    let odd = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        serde_json::from_str("9.9e-7").expect("a number"),
        serde_json::from_str("1e999").expect("a number"),
        json!(18_446_744_073_709_551_615_u64),
        json!(""),
        json!(" "),
        json!("-"),
        json!("text"),
        json!(" padded "),
        json!("a\nb\u{0}"),
        json!("\u{fffd}"),
        json!("\u{1f600} ü \u{202e}"),
        json!("x".repeat(2000)),
        json!([]),
        json!(["a", "b"]),
        json!([[{ "a": [1] }]]),
        json!({}),
        json!({ "id": "1", "amount": "5", "status": "failed" }),
    ];
    for information in INFORMATION.iter() {
        for value in &odd {
            let checked = check(information, value);
            assert!(checked.is_ok(), "{checked:?}");
        }
    }
    assert!(INFORMATION.len() >= 500, "{} members", INFORMATION.len());
}

/// Any JSON.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?"
            .prop_map(|text| serde_json::from_str(&text).expect("a number")),
        ".*".prop_map(Value::from),
        "[A-Za-z0-9._-]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(".{0,12}", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn any_json_in_the_place_of_information_leaves_resource_status_and_credit(member in any::<Index>(), value in any_json()) {
        check(member.get(INFORMATION.as_slice()), &value)?;
    }
}
