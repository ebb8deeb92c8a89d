//! Rows of `GET /transactions` [connect-guide §7], made from the webhooks about the same money.

use fundhook_domain::{Network, Provider, Timestamp};
use serde_json::{Map, Value, json};

use super::organizations::new_uuid;

/// Members that every row has and a fund webhook may omit.
const FEES: [&str; 4] = ["raw_fee_bps", "raw_fee_notional", "deposit_fee_bps", "deposit_fee_notional"];

/// The status reason of a deposit on hold.
const ON_HOLD: &str = "no travel rule information received yet";

#[derive(Clone, Debug)]
pub(super) struct ListedTransaction {
    /// The members. Amounts are spelled as in the webhook.
    pub(super) members: Map<String, Value>,
    /// The time it is listed under: its `deposit_timestamp`, or else its `fund_timestamp`.
    pub(super) listed_ms: u64,
    /// The time of its latest statement.
    stated_at: Timestamp,
}

impl ListedTransaction {
    /// The transaction that a webhook with this body is about, if money has arrived.
    pub(super) fn from_webhook(provider: Provider, body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        match provider {
            Provider::Connect => Self::of_deposit(&body),
            // zerohash lists its fund transactions itself.
            Provider::Zerohash | Provider::Striga => None,
        }
    }

    pub(super) fn fund_id(&self) -> Option<&str> {
        self.members.get("fund_id")?.as_str()
    }

    /// Whether it is at least as recent as `other`.
    pub(super) fn supersedes(&self, other: &Self) -> bool {
        self.stated_at >= other.stated_at
    }

    /// A deposit without a webhook, listed under `listed_ms`.
    pub(super) fn newcomer(listed_ms: u64) -> Option<Self> {
        let came_at = Timestamp::from_unix_seconds(i64::try_from(listed_ms / 1000).ok()?).ok()?.to_string();
        let mut row = Self::of_deposit(&json!({
            "event": "connect.deposits.confirmed",
            "deposit": {
                "id": new_uuid(),
                "amount": "1",
                "network": "base",
                "asset": "USDC",
                "created_at": came_at,
                "updated_at": came_at,
                "source": { "type": "CUSTODIAL", "integration": "coinbase" },
                "transaction": { "hash": new_uuid(), "to": "0x34f53Aea3ba8b60B0ed19106baF43A4f3F73f248" },
            },
            "session": { "id": new_uuid() },
            "account": { "reference_id": "NEWCOMER" },
        }))?;
        row.members.insert("deposit_timestamp".to_owned(), json!(listed_ms));
        Some(Self { listed_ms, ..row })
    }

    fn of_deposit(body: &Value) -> Option<Self> {
        let (success, status_reason) = match body["event"].as_str()? {
            "connect.deposits.confirmed" => (true, "success"),
            "connect.deposits.on_hold" => (false, ON_HOLD),
            _ => return None,
        };
        let deposit = &body["deposit"];
        let at = |name: &str| deposit[name].as_str()?.parse::<Timestamp>().ok();
        let stated_at = at("updated_at")?;
        let listed_ms = unix_ms(stated_at);
        let asset = asset_code(&text(&deposit["asset"]), &text(&deposit["network"]));
        let mut row = json!({
            "participant_code": text(&body["account"]["reference_id"]),
            "fund_asset": asset,
            "deposited_asset": asset,
            "rate": "1",
            "quoted_currency": "USD",
            "source_address": text(&deposit["transaction"]["from"]),
            "deposit_address": text(&deposit["transaction"]["to"]),
            "quantity": text(&deposit["amount"]),
            "notional": text(&deposit["amount"]),
            "fund_id": deposit["id"].as_str()?,
            "fund_timestamp": unix_ms(at("created_at").unwrap_or(stated_at)),
            "deposit_timestamp": listed_ms,
            "transaction_id": text(&deposit["transaction"]["hash"]),
            "account_label": "general",
            "success": success,
            "status_reason": status_reason,
            "reference_id": text(&body["session"]["id"]),
            "source": deposit["source"],
        });
        let members = std::mem::take(row.as_object_mut()?);
        Some(Self { members: with_fees(members), listed_ms, stated_at })
    }
}

/// Adds missing fees as zerohash writes the absence of one: an empty text.
fn with_fees(mut members: Map<String, Value>) -> Map<String, Value> {
    for fee in FEES {
        members.entry(fee).or_insert_with(|| json!(""));
    }
    members
}

/// A member as text, empty when it is missing. A number keeps its digits.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// Asset and network in one, as zerohash writes them: `USDC.BASE`; a coin on its own chain alone, `BTC`.
fn asset_code(asset: &str, network: &str) -> String {
    let slug = Network::named(network).slug().to_owned();
    if network.is_empty() || Network::native_to(asset).is_some_and(|native| native.slug() == slug) {
        return asset.to_owned();
    }
    let spelling = match slug.as_str() {
        "ethereum" => "ETH".to_owned(),
        "base" => "BASE".to_owned(),
        "polygon" => "POLYGON".to_owned(),
        "solana" => "SOL".to_owned(),
        _ => network.to_uppercase(),
    };
    format!("{asset}.{spelling}")
}

/// UNIX time in milliseconds, 0 before 1970.
pub(crate) fn unix_ms(at: Timestamp) -> u64 {
    let epoch = Timestamp::from_unix_seconds(0);
    epoch.ok().and_then(|epoch| u64::try_from(at.since(epoch).as_millis()).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_written_with_its_network_as_zerohash_does() {
        for (asset, network, code) in [
            ("USDC", "ethereum", "USDC.ETH"),
            ("USDC", "base", "USDC.BASE"),
            ("USDT", "Polygon", "USDT.POLYGON"),
            ("USDC", "solana", "USDC.SOL"),
            ("ETH", "base", "ETH.BASE"),
            ("USDC", "arbitrum", "USDC.ARBITRUM"),
            ("BTC", "bitcoin", "BTC"),
            ("ETH", "ethereum", "ETH"),
            ("USDC", "", "USDC"),
        ] {
            assert_eq!(asset_code(asset, network), code);
        }
    }

    #[test]
    fn a_webhook_without_received_money_adds_no_row() {
        for (provider, body) in [
            (Provider::Connect, r#"{"event":"connect.deposits.pending","deposit":{"id":"1"}}"#),
            (Provider::Connect, r#"{"event":"connect.withdrawal.confirmed","deposit":{"id":"1"}}"#),
            (Provider::Zerohash, r#"{"payment_type":"auth_withdrawal"}"#),
            (Provider::Zerohash, r#"{"fund_id":"1","success":true,"fund_timestamp":1750404740514}"#),
            (Provider::Zerohash, "[]"),
            (Provider::Striga, r#"{"fund_id":"1","fund_timestamp":1750404740514}"#),
            (Provider::Connect, "not JSON"),
        ] {
            assert!(ListedTransaction::from_webhook(provider, body.as_bytes()).is_none(), "{body}");
        }
    }
}
