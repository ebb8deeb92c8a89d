//! Rows about users and their accounts, without what identifies a person.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The members that are kept: those of the webhooks about users, their accounts at banks and their balances, and the reasons
/// for a status. A user's name, address, email address, tax number and bank account number are not among them
/// [zerohash-openapi].
const KEPT: [&str; 25] = [
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
    "updated_at",
];

/// The row with the members that are kept, each as it was sent. Nothing remains of a row that is not an object.
pub(crate) fn without_personal_data(row: &str) -> String {
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_str(row).unwrap_or_default();
    members.retain(|name, _| KEPT.contains(&name.as_str()));
    serde_json::to_string(&members).unwrap_or_else(|_| "{}".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_identifies_a_person_is_left_out_and_the_rest_stays_as_it_was_sent() {
        let row = r#"{"participant_code":"CUST01","email":"ada@example.com","first_name":"Ada","tax_id":"1","status":"approved",
            "updated_at":1767225600000,"metadata":{"email":"ada@example.com"},"kyc_reasons":["document"]}"#;
        let kept = r#"{"kyc_reasons":["document"],"participant_code":"CUST01","status":"approved","updated_at":1767225600000}"#;
        assert_eq!(without_personal_data(row), kept);
        let balance = r#"{"balance":12345678901234567890.123456789012345678901,"account_number":"1"}"#;
        assert_eq!(without_personal_data(balance), r#"{"balance":12345678901234567890.123456789012345678901}"#);
        for odd in ["[]", "null", "\"text\"", "{"] {
            assert_eq!(without_personal_data(odd), "{}", "{odd}");
        }
    }

    #[test]
    fn the_names_are_sorted() {
        assert!(KEPT.is_sorted());
    }
}
