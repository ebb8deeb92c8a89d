//! Rows about users and their accounts, without what identifies a person.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The members that are kept: those of the webhooks about users, their accounts at banks and their balances, and the reasons
/// for a status. A user's name, address, email address, tax number and bank account number are not among them
/// [zerohash-openapi]. The user's name for an account is, as in its webhook.
const KEPT: [&str; 26] = [
    "account_group",
    "account_id",
    "account_label",
    "account_nickname",
    "account_owner",
    "account_status",
    "account_type",
    "asset",
    "balance",
    "compliance_reasons",
    "created_at",
    "disable_reason",
    "entity_type",
    "external_account_id",
    "external_account_status",
    "kyc_reasons",
    "last_update",
    "lock_reason",
    "participant_code",
    "participant_status",
    "platform_code",
    "reason_code",
    "status",
    "status_reason",
    "type",
    "updated_at",
];

/// The types of accounts about which webhooks are sent [zerohash-balances].
const TOLD_TYPES: [&str; 2] = ["available", "collateral"];

/// Whether a webhook tells the balance of the account in this row: others, such as a payable, have no balance webhooks.
pub(crate) fn is_told_by_webhooks(row: &str) -> bool {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(default)]
        account_type: Option<String>,
    }
    let account_type = serde_json::from_str::<Typed>(row).ok().and_then(|row| row.account_type);
    account_type.is_none_or(|stated| TOLD_TYPES.iter().any(|told| stated.eq_ignore_ascii_case(told)))
}

/// The row with the members that are kept, each as it was sent, unless it has an object in it.
pub(crate) fn without_personal_data(row: &str) -> Result<String, serde_json::Error> {
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_str(row)?;
    members.retain(|name, value| KEPT.contains(&name.as_str()) && !value.get().contains('{'));
    serde_json::to_string(&members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_identifies_a_person_is_left_out_and_the_rest_stays_as_it_was_sent() {
        let row = r#"{"participant_code":"CUST01","email":"ada@example.com","first_name":"Ada","tax_id":"1","status":"approved",
            "updated_at":1767225600000,"metadata":{"email":"ada@example.com"},"kyc_reasons":["document"]}"#;
        let kept = r#"{"kyc_reasons":["document"],"participant_code":"CUST01","status":"approved","updated_at":1767225600000}"#;
        let reduced = |row: &str| without_personal_data(row).expect("an object");
        assert_eq!(reduced(row), kept);
        let balance = r#"{"balance":12345678901234567890.123456789012345678901,"account_number":"1"}"#;
        assert_eq!(reduced(balance), r#"{"balance":12345678901234567890.123456789012345678901}"#);
        for odd in ["[]", "null", "\"text\"", "{"] {
            assert!(without_personal_data(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn an_object_in_a_member_is_left_out() {
        let row = r#"{"kyc_reasons":[{"email":"ada@example.com"}],"status":{"name":"Ada"},"asset":"USD"}"#;
        assert_eq!(without_personal_data(row).expect("an object"), r#"{"asset":"USD"}"#);
    }

    #[test]
    fn only_the_types_that_webhooks_tell_are_read() {
        for (row, is_told) in [
            (r#"{"account_type":"available"}"#, true),
            (r#"{"account_type":"Collateral"}"#, true),
            (r#"{"account_type":"receivable"}"#, false),
            (r#"{"account_type":null}"#, true),
            ("{}", true),
            ("[]", true),
        ] {
            assert_eq!(is_told_by_webhooks(row), is_told, "{row}");
        }
    }

    #[test]
    fn the_names_are_sorted() {
        assert!(KEPT.is_sorted());
    }
}
