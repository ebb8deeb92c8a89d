//! No webhook and no part of one is ever dropped, whatever JSON it contains, and no amount ever changes.

use std::sync::LazyLock;

use fundhook_domain::{Details, FactId, Feed, Provider, Statement};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use crate::support::envelope_of;
use crate::support::samples::Sample;
use crate::support::statements::{assert_can_be_stored, dropped, statements};

/// The samples that are JSON objects, with the payload types in their headers.
static SAMPLES: LazyLock<Vec<(Provider, Option<&'static str>, Value)>> = LazyLock::new(|| {
    let parsed = |sample: Sample| {
        let body = serde_json::from_slice::<Map<String, Value>>(&sample.body).ok()?;
        Some((sample.provider, sample.payload_type(), Value::Object(body)))
    };
    Sample::all().into_iter().filter_map(parsed).collect()
});

/// The names of all members in `value`.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| [vec![name.clone()], names(value)].concat()).collect()
        }
        Value::Array(items) => items.iter().flat_map(names).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// Every member name of every sample.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut all: Vec<String> = SAMPLES.iter().flat_map(|(_, _, body)| names(body)).collect();
    all.extend(["withdrawal", "payment_id", "client_fund_id", "reason", "ts", "uid"].map(str::to_owned));
    all.sort();
    all.dedup();
    all
});

/// Strings that have a meaning for some provider.
const WORDS: [&str; 24] = [
    "connect.deposits.confirmed",
    "connect.withdrawal.failed",
    "connect.deposits.unexpected",
    "base",
    "",
    "-",
    "USDC.BASE",
    "ETH",
    "wei",
    "WEI",
    "cents",
    "auth_withdrawal",
    "settled",
    "completed",
    "recovery_quarantine",
    "approved",
    "true",
    "NETWORK_FEE",
    "FEE_REFUND",
    "APPLICATION_FEE",
    "ON_CHAIN_DEPOSIT_CONFIRMED",
    "TOTAL_WITHDRAWAL_FEE",
    "0",
    "00.10",
];

/// The events and types that providers name in their bodies.
const TYPES: [&str; 20] = [
    "connect.deposits.pending",
    "connect.deposits.submitted",
    "connect.deposits.on_hold",
    "connect.deposits.confirmed",
    "connect.deposits.unexpected",
    "connect.withdrawal.initiated",
    "connect.withdrawal.broadcasted",
    "connect.withdrawal.confirmed",
    "connect.withdrawal.failed",
    "connect.user.status_changed",
    "ON_CHAIN_DEPOSIT_PENDING",
    "ON_CHAIN_DEPOSIT_CONFIRMED",
    "ON_CHAIN_WITHDRAWAL_INITIATED",
    "ON_CHAIN_WITHDRAWAL_PENDING",
    "ON_CHAIN_WITHDRAWAL_FAILED",
    "ON_CHAIN_WITHDRAWAL_DENIED",
    "NETWORK_FEE",
    "FEE_REFUND",
    "APPLICATION_FEE",
    "SEPA_PAYIN_COMPLETED",
];

/// The payload types in zerohash's header.
const PAYLOAD_TYPES: [Option<&str>; 11] = [
    None,
    Some("deposit_fund_complete"),
    Some("payment_status_changed"),
    Some("deposit.status_changed"),
    Some("account_balance.changed"),
    Some("external_account_status_changed"),
    Some("participant_status_changed"),
    Some("participant_updated"),
    Some("deposit_failed"),
    Some("trade.status_changed"),
    Some("a.new.type"),
];

const NUMBER: &str = "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?";

/// A string, number, boolean or null, as providers send or of another form.
fn any_leaf() -> impl Strategy<Value = Value> {
    let number = |text: String| serde_json::from_str(&text).expect("a number");
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        NUMBER.prop_map(number),
        "[1-9][0-9]{0,3}".prop_map(number),
        "[1-9][0-9]{0,3}".prop_map(Value::from),
        NUMBER.prop_map(Value::from),
        ".*".prop_map(Value::from),
        "1[0-9]{9}|1[0-9]{12}|1[0-9]{18}".prop_map(number),
        "20[0-9]{2}-0[1-9]-1[0-9]T1[0-9]:00:00(\\.[0-9]{1,9})?(Z|[+-]0[0-9]:30)".prop_map(Value::from),
        select(&WORDS[..]).prop_map(Value::from),
    ]
}

/// Any JSON.
fn any_json() -> impl Strategy<Value = Value> {
    any_leaf().prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any_name(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Any JSON, most often of a form that is recognized.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![3 => any_leaf(), 1 => any_json()]
}

/// A name that a provider uses, or any other.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![3 => select(NAMES.as_slice()), 1 => ".*".prop_map(String::from)]
}

fn any_provider() -> impl Strategy<Value = Provider> {
    select(&Provider::ALL[..])
}

/// The statements of `body` when `provider` sends it.
fn read(provider: Provider, payload_type: Option<&str>, body: &str) -> Vec<Statement> {
    statements(&envelope_of(&Feed::from(provider), payload_type, body.as_bytes()))
}

/// Checks `statements`, those of a webhook with `body`, whose content is `stated`: there is at least one, each has a
/// status of its resource's kind and can be stored, and nothing is dropped unless the webhook is unrecognized.
fn check(body: &str, stated: &Value, statements: &[Statement]) -> Result<(), TestCaseError> {
    prop_assert!(!statements.is_empty());
    for statement in statements {
        let status = statement.content.status;
        prop_assert!(status.is_none_or(|status| status.kind() == statement.resource.kind()));
        prop_assert_eq!(
            &statement.content.id,
            &FactId::of(&statement.resource, &statement.content.event_type, body.as_bytes())
        );
        assert_can_be_stored(statement, body);
    }
    match &statements[0].content.details {
        Details::Unrecognized(details) => {
            prop_assert_eq!(statements.len(), 1);
            prop_assert!(!details.reason.is_empty());
        }
        Details::Transfer(_) | Details::Recovery(_) | Details::Account(_) | Details::Balance(_) => {
            let is_whole = !json!(statements).to_string().contains("left_in_evidence");
            prop_assert_eq!(if is_whole { dropped(stated, statements) } else { Vec::new() }, Vec::<String>::new());
        }
    }
    Ok(())
}

/// The paths of all members below `value`, as JSON pointers.
fn paths(value: &Value) -> Vec<String> {
    let Value::Object(members) = value else { return Vec::new() };
    let below = |(name, value): (&String, &Value)| {
        let name = name.replace('~', "~0").replace('/', "~1");
        let deeper = paths(value).into_iter().map(|path| format!("/{name}{path}")).collect();
        [vec![format!("/{name}")], deeper].concat()
    };
    members.iter().flat_map(below).collect()
}

/// `body` with `value` under a name that another sample of `provider` has.
fn extended(provider: Provider, mut body: Value, name: Index, value: Value) -> Value {
    let mut others: Vec<String> =
        SAMPLES.iter().filter(|(of, ..)| *of == provider).flat_map(|(_, _, body)| names(body)).collect();
    others.sort();
    others.dedup();
    body[name.get(&others)] = value;
    body
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_sample_with_other_values_and_more_members_has_statements_and_drops_nothing(
        sample in any::<Index>(),
        changes in prop::collection::vec((any::<Index>(), any_value()), 0..3),
        more in prop::collection::vec((any::<Index>(), any_value()), 0..3),
    ) {
        let (provider, payload_type, mut body) = sample.get(SAMPLES.as_slice()).clone();
        for (name, value) in more {
            body = extended(provider, body, name, value);
        }
        for (field, value) in changes {
            let path = field.get(&paths(&body)).clone();
            *body.pointer_mut(&path).expect("a path of the body") = value;
        }
        let text = body.to_string();
        check(&text, &body, &read(provider, payload_type, &text))?;
    }
}

proptest! {
    #[test]
    fn any_object_of_known_names_and_any_known_type_has_statements_and_drops_nothing(
        provider in any_provider(),
        named in (select(&TYPES[..]), select(&PAYLOAD_TYPES[..])),
        members in prop::collection::hash_map(any_name(), any_json(), 0..10),
        id in prop_oneof![Just(json!("1")), any_json()],
    ) {
        let (event, payload_type) = named;
        let mut body: Map<String, Value> = members.into_iter().collect();
        match provider {
            Provider::Connect => {
                let mut deposit = Map::from_iter(body.clone());
                deposit.insert("id".to_owned(), id);
                body.extend([("event".to_owned(), json!(event)), ("deposit".to_owned(), Value::Object(deposit))]);
            }
            Provider::Zerohash => {
                body.extend([("fund_id".to_owned(), id), ("success".to_owned(), json!(true))]);
            }
            Provider::Striga => {
                let timestamp = ("timestamp".to_owned(), json!("2024-09-10T12:05:40.606Z"));
                body.extend([("type".to_owned(), json!(event)), ("id".to_owned(), id), timestamp]);
            }
        }
        let text = Value::Object(body.clone()).to_string();
        check(&text, &Value::Object(body), &read(provider, payload_type, &text))?;
    }

    #[test]
    fn any_json_has_a_statement(provider in any_provider(), payload_type in select(&PAYLOAD_TYPES[..]), body in any_json()) {
        let text = body.to_string();
        check(&text, &body, &read(provider, payload_type, &text))?;
    }

    #[test]
    fn of_two_values_of_one_member_none_is_dropped_and_none_is_used(
        sample in any::<Index>(),
        member in any::<Index>(),
        value in any_json(),
        is_first in any::<bool>(),
    ) {
        let (provider, payload_type, body) = sample.get(SAMPLES.as_slice()).clone();
        let members = body.as_object().expect("an object");
        let name = member.get(&Vec::from_iter(members.keys())).to_string();
        let again = format!("{}:{value}", json!(name));
        let rest = body.to_string();
        let rest = &rest[1..rest.len() - 1];
        let text = if is_first { format!("{{{again},{rest}}}") } else { format!("{{{rest},{again}}}") };
        let found = read(provider, payload_type, &text);
        if members[&name] == value {
            let facts = |statements: &[Statement]| Vec::from_iter(statements.iter().map(|statement| statement.content.details.clone()));
            let once = read(provider, payload_type, &body.to_string());
            let is_unrecognized = matches!(once[0].content.details, Details::Unrecognized(_));
            prop_assert!(is_unrecognized || facts(&found) == facts(&once), "a repeated equal member counts once");
        }
        let mut stated = body.clone();
        stated[&name] = json!([members[&name], value]);
        check(&text, &stated, &found)?;
    }

    #[test]
    fn no_bytes_make_normalisation_panic(provider in any_provider(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        let found = statements(&envelope_of(&Feed::from(provider), None, &body));
        prop_assert_eq!(found.len(), 1);
    }
}

/// Every member with an amount: a sample, the member's path, and the path of its value in the statements.
const AMOUNTS: [(Provider, &str, &str, &str); 16] = [
    (Provider::Connect, "deposits.pending", "/deposit/amount", "/0/content/details/transfer/quantity/value"),
    (Provider::Connect, "withdrawal.initiated", "/deposit/amount", "/0/content/details/transfer/quantity/value"),
    (
        Provider::Connect,
        "deposits.unexpected.recovery",
        "/deposit/amount",
        "/0/content/details/transfer/quantity/value",
    ),
    (Provider::Zerohash, "fund.success", "/quantity", "/0/content/details/transfer/quantity/value"),
    (Provider::Zerohash, "fund.success", "/rate", "/0/content/details/transfer/conversion/rate"),
    (Provider::Zerohash, "fund.success", "/notional", "/0/content/details/transfer/conversion/notional"),
    (Provider::Zerohash, "deposit.completed", "/amount", "/0/content/details/transfer/quantity/value"),
    (Provider::Zerohash, "deposit_failed", "/quantity", "/0/content/details/transfer/quantity/value"),
    (Provider::Zerohash, "payment.settled", "/total", "/0/content/details/transfer/total/value"),
    (Provider::Zerohash, "payment.settled", "/quantity", "/0/content/details/transfer/quantity/value"),
    (
        Provider::Zerohash,
        "payment.settled",
        "/payment_details/network_fee_quantity",
        "/0/content/details/transfer/fee/quantity/value",
    ),
    (Provider::Zerohash, "balance.changed.seconds", "/balance", "/0/content/details/balance/quantity/value"),
    (Provider::Striga, "deposit.confirmed", "/credit", "/0/content/details/transfer/quantity/value"),
    (Provider::Striga, "deposit.pending", "/blockchainTransactionAmount", "/0/content/details/transfer/quantity/value"),
    (Provider::Striga, "network_fee", "/debit", "/1/content/details/transfer/fee/quantity/value"),
    (Provider::Striga, "fee_refund", "/balanceBefore/amount", "/0/content/details/transfer/balances/before/value"),
];

/// A decimal number of up to 60 significant digits without redundant zeros.
fn any_decimal() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[1-9][0-9]{0,59}",
        "0",
        "-?(0|[1-9][0-9]{0,29})\\.[0-9]{0,29}[1-9]",
        "-?0\\.0{0,30}[1-9]([0-9]{0,28}[1-9])?",
    ]
}

proptest! {
    #[test]
    fn every_digit_of_every_amount_is_kept_whether_sent_as_a_string_or_as_a_number(
        decimal in any_decimal(),
        as_number in any::<bool>(),
    ) {
        for (provider, name, member, value) in AMOUNTS {
            let sample = Sample::of(provider).into_iter().find(|sample| sample.name == name).expect(name);
            let mut body: Value = serde_json::from_slice(&sample.body).expect("JSON");
            let sent = if as_number { serde_json::from_str(&decimal).expect("a number") } else { json!(decimal) };
            *body.pointer_mut(member).expect(member) = sent;
            let found = json!(read(provider, sample.payload_type(), &body.to_string()));
            prop_assert_eq!(found.pointer(value).and_then(Value::as_str), Some(decimal.as_str()), "{} {}", name, member);
        }
    }
}

#[test]
fn the_generated_names_include_those_of_all_providers() {
    for name in ["deposit", "reference_id", "payment_details", "withdrawal_request_id", "balanceBefore", "txSubType"] {
        assert!(NAMES.contains(&name.to_owned()), "{name}");
    }
    assert!(SAMPLES.len() >= 55);
}
