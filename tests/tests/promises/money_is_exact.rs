//! Amounts are published and stored exactly, whatever their number of digits.

use aws_sdk_dynamodb::types::AttributeValue;
use fundhook_domain::Kind;
use fundhook_tests::{Platform, changed, run, unique};
use serde_json::{Value, json};

/// The JSON that the provider sends, and the published amount. A double has 15 to 17 digits. A DynamoDB number has 38.
const AMOUNTS: [(&str, &str); 9] = [
    (r#"".013""#, "0.013"),
    (r#""1""#, "1"),
    (r#""100.00""#, "100"),
    (r#""0.1""#, "0.1"),
    (
        r#""123456789012345678901234567890.123456789012345678901234567891""#,
        "123456789012345678901234567890.123456789012345678901234567891",
    ),
    (
        r#""0.000000000000000000000000000000000000000000000000000000000001""#,
        "0.000000000000000000000000000000000000000000000000000000000001",
    ),
    (
        r#""115792089237316195423570985008687907853269984665640564039457.5""#,
        "115792089237316195423570985008687907853269984665640564039457.5",
    ),
    // JSON numbers. No sample contains one, but a provider may send one.
    ("9007199254740993", "9007199254740993"),
    ("0.1234567890123456789012345678901234567890", "0.123456789012345678901234567890123456789"),
];

#[test]
fn amounts_are_exact_in_events_and_in_the_table() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let webhook = |(sent, exact)| {
            let deposit = unique(Kind::Deposit);
            let sent: Value = serde_json::from_str(sent).expect("JSON");
            let changes = [("/deposit/amount", sent.clone()), ("/deposit/transaction/value", sent)];
            let body = changed("deposits.confirmed.json", deposit.native(), &changes);
            (deposit, body, exact)
        };
        let webhooks: Vec<_> = AMOUNTS.into_iter().map(webhook).collect();
        platform.send_all(webhooks.iter().map(|(_, body, _)| body.as_slice())).await;

        for (deposit, _, exact) in &webhooks {
            let delivery = listener.event(&format!("{deposit}#1")).await;
            let amount = &delivery.event["data"]["amount"];
            assert_eq!((&amount["value"], &amount["units"]), (&json!(exact), &json!("major")));
            assert_eq!(delivery.text("/data/credit/net/value"), *exact);

            let key = AttributeValue::S(deposit.to_string());
            let get = platform.clients().dynamodb.get_item().table_name(platform.output("TableName")).key("pk", key);
            let item = get.send().await.expect("the table answers").item.expect("the deposit is stored");
            let stored = format!(r#""value":"{exact}""#);
            let fact = item["facts"].as_l().expect("a list")[0].as_s().expect("a text");
            assert!(fact.contains(&stored), "{exact} in {fact}");
            let numbers: Vec<&str> =
                item.iter().filter(|(_, value)| value.is_n()).map(|(name, _)| name.as_str()).collect();
            assert_eq!(numbers, ["version"], "no amount is stored as a DynamoDB number");
        }
    });
}

#[test]
fn times_and_numbers_in_a_platforms_metadata_are_exact() {
    run(async {
        let platform = Platform::shared().await;
        let mut listener = platform.listen().await;
        let withdrawal = unique(Kind::Withdrawal);
        let number: Value = serde_json::from_str("12345678901234567890123456789012345678901234567890.5").expect("JSON");
        let changes = [
            ("/deposit/updated_at", json!("2025-07-24T15:42:07.987654321Z")),
            ("/session/metadata", json!({ "order": number })),
        ];
        platform.send(&changed("withdrawal.initiated.json", withdrawal.native(), &changes)).await;

        let delivery = listener.event(&format!("{withdrawal}#1")).await;
        assert_eq!(delivery.text("/time"), "2025-07-24T15:42:07.987654321Z");
        assert_eq!(delivery.event["data"]["session"]["metadata"]["order"], number);
    });
}
