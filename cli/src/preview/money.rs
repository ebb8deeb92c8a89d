//! Amounts, credits and holds of an event's data, as text.

use serde_json::Value;

use crate::show::{amount, number_of_asset};

/// The member `name` of `data` if it is a string.
pub(super) fn text<'a>(data: &'a Value, name: &str) -> Option<&'a str> {
    data.get(name)?.as_str()
}

/// The amount that an event is about, and its network: `100 USDC on base`.
pub(super) fn amount_and_network(data: &Value) -> Option<String> {
    let amount = Some(amount(data)).filter(|amount| !amount.is_empty());
    let network = ["/amount/network/slug", "/outstanding/network/slug", "/network/slug"];
    let network = network.into_iter().find_map(|pointer| data.pointer(pointer)?.as_str());
    let network = network.map(|network| format!("on {network}"));
    let parts: Vec<String> = amount.into_iter().chain(network).collect();
    Some(parts.join(" ")).filter(|text| !text.is_empty())
}

/// `100 USDC more was returned than had arrived`; `None` when no more was.
pub(super) fn surplus(data: &Value) -> Option<String> {
    let surplus = data.get("surplus")?;
    Some(format!("{} {} more was returned than had arrived", text(surplus, "major")?, text(surplus, "asset")?))
}

/// `10 EUR sold for 23.7 POL`, or what came back; `None` when the event is not about an exchange.
pub(super) fn exchange(data: &Value) -> Option<String> {
    let side = |name: &str| {
        let side = data.pointer(&format!("/exchange/{name}"))?;
        Some(format!("{} {}", text(side, "major").or_else(|| text(side, "value"))?, text(side, "asset").unwrap_or("")))
    };
    match (side("sold"), side("bought")) {
        (Some(sold), Some(bought)) => Some(format!("{sold} sold for {bought}")),
        (Some(sold), None) => Some(format!("{sold} sold")),
        (None, Some(bought)) => Some(format!("{bought} bought")),
        (None, None) => side("refunded").map(|refunded| format!("{refunded} refunded")),
    }
}

/// `credit: net 495 USD (gross 500 USD, deposit_fee 5 USD borne by customer)`; `None` without a credit.
pub(super) fn credit_line(data: &Value) -> Option<String> {
    let credit = data.get("credit").filter(|credit| !credit.is_null())?;
    let Some(net) = credit.get("net") else {
        return Some(format!("credit: {credit}"));
    };
    let gross = credit.get("gross").filter(|gross| *gross != net);
    let gross = gross.map(|gross| format!("gross {}", number_of_asset(gross)));
    let fees = credit.get("fees").and_then(Value::as_array).into_iter().flatten().map(fee);
    let parts: Vec<String> = gross.into_iter().chain(fees).chain(conversion(credit)).collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    Some(format!("credit: net {}{parts}", number_of_asset(net)))
}

fn fee(fee: &Value) -> String {
    let kind = text(fee, "kind").unwrap_or("fee");
    let bearer = text(fee, "borne_by").map_or(String::new(), |bearer| format!(" borne by {bearer}"));
    format!("{kind} {}{bearer}", number_of_asset(fee))
}

fn conversion(credit: &Value) -> Option<String> {
    let conversion = credit.get("conversion")?;
    let rate = text(conversion, "rate").map_or(String::new(), |rate| format!(" at {rate}"));
    Some(format!("converted from {}{rate}", number_of_asset(conversion.get("from")?)))
}

/// `held: amounts_disagree, needs review`; `None` without a hold.
pub(super) fn hold_line(data: &Value) -> Option<String> {
    let hold = data.get("hold").filter(|hold| !hold.is_null())?;
    let Some(reason) = text(hold, "reason") else {
        return Some(format!("held: {hold}"));
    };
    let needs = text(hold, "needs").map_or(String::new(), |needs| format!(", needs {needs}"));
    let location = text(hold, "location").map_or(String::new(), |location| format!(", in {location}"));
    let explanation = text(hold, "explanation").map_or(String::new(), |explanation| format!(". {explanation}"));
    Some(format!("held: {reason}{needs}{location}{explanation}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_credit_says_what_the_net_is_made_of() {
        let usd = |value: &str| json!({ "value": value, "asset": "USD" });
        let fee = json!({ "kind": "deposit_fee", "value": "5", "asset": "USD", "borne_by": "customer" });
        let conversion = json!({ "from": { "value": "0.25", "asset": "ETH" }, "to": usd("500"), "rate": "2000" });
        for (what, credit, expected) in [
            (
                "a fee",
                json!({ "gross": usd("500"), "fees": [fee], "net": usd("495") }),
                "credit: net 495 USD (gross 500 USD, deposit_fee 5 USD borne by customer)",
            ),
            ("no fee", json!({ "gross": usd("500"), "fees": [], "net": usd("500") }), "credit: net 500 USD"),
            (
                "a conversion",
                json!({ "gross": usd("500"), "net": usd("500"), "conversion": conversion }),
                "credit: net 500 USD (converted from 0.25 ETH at 2000)",
            ),
            ("another form", json!({ "amount": "1" }), r#"credit: {"amount":"1"}"#),
        ] {
            assert_eq!(credit_line(&json!({ "credit": credit })).as_deref(), Some(expected), "{what}");
        }
        assert_eq!(credit_line(&json!({})), None);
        assert_eq!(credit_line(&json!({ "credit": null })), None);
    }

    #[test]
    fn a_hold_says_why_and_who_must_act() {
        for (hold, expected) in [
            (json!({ "reason": "amounts_disagree", "needs": "review" }), "held: amounts_disagree, needs review"),
            (
                json!({ "reason": "travel_rule", "needs": "user", "location": "holding_account", "explanation": "A." }),
                "held: travel_rule, needs user, in holding_account. A.",
            ),
            (json!({ "because": "of" }), r#"held: {"because":"of"}"#),
        ] {
            assert_eq!(hold_line(&json!({ "hold": hold })).as_deref(), Some(expected));
        }
        assert_eq!(hold_line(&json!({})), None);
    }

    #[test]
    fn an_amount_in_an_unknown_unit_keeps_the_unit() {
        let data = json!({ "amount": { "value": "7", "units": "grains", "asset": "AU" } });
        assert_eq!(amount_and_network(&data).as_deref(), Some("7 grains AU"));
        let data = json!({ "asset": "AU", "network": { "slug": "base" } });
        assert_eq!(amount_and_network(&data).as_deref(), Some("on base"));
        assert_eq!(amount_and_network(&json!({})), None);
    }
}
