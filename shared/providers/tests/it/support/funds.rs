//! Fund transactions, and what they credit under each setting.

use fundhook_domain::{FeeBearer, Statement};
use fundhook_providers::ReadingSettings;
use serde_json::{Value, json};

use super::changed;
use super::statements::{credit_of, statements_with};
use super::zerohash;

/// No setting, and both values of `FUNDHOOK_DEPOSIT_FEES_BORNE_BY`.
pub(crate) const SETTINGS: [Option<FeeBearer>; 3] = [None, Some(FeeBearer::Customer), Some(FeeBearer::Platform)];

/// The settings with who bears fees.
pub(crate) fn settings(deposit_fees_borne_by: Option<FeeBearer>) -> ReadingSettings {
    ReadingSettings { deposit_fees_borne_by, ..ReadingSettings::default() }
}

/// A fund transaction of 500 USDC at the rate 1, with `changes`.
pub(crate) fn fund(changes: &Value) -> Value {
    let body = json!({
        "fund_id": "f-1",
        "participant_code": "CUST01",
        "fund_asset": "USDC.ETH",
        "quoted_currency": "USD",
        "quantity": "500",
        "rate": "1",
        "notional": "500",
        "success": true,
        "fund_timestamp": 1_750_404_740_514_i64,
        "transaction_id": "0x1",
    });
    changed(body, changes)
}

/// The statement of `body`, read with the setting.
pub(crate) fn statement(body: &Value, deposit_fees_borne_by: Option<FeeBearer>) -> Statement {
    let envelope = zerohash::envelope(None, body.to_string().as_bytes());
    statements_with(&envelope, &settings(deposit_fees_borne_by)).remove(0)
}

/// Asserts what `changes` credit without a setting, when the customer bears fees, and when the platform does.
pub(crate) fn assert_credits(what: &str, changes: &Value, expected: [&str; 3]) {
    let found = SETTINGS.map(|set| credit_of(&statement(&fund(changes), set)));
    assert_eq!(found.each_ref().map(String::as_str), expected, "{what}: {changes}");
}
