//! What clients write: tokens for the SDK, and quotes [zerohash-openapi].

use std::collections::BTreeSet;

use fundhook_domain::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::connect::{new_uuid, uuid_of};

/// The permissions of [zerohash-openapi], and `auth` of [zerohash-recovery §2].
const PERMISSIONS: [&str; 16] = [
    "fwc",
    "crypto-withdrawals",
    "crypto-payouts",
    "crypto-account-link",
    "crypto-pay",
    "crypto-buy",
    "crypto-sell",
    "fiat-deposits",
    "fiat-withdrawals",
    "fiat-account-link",
    "onboarding",
    "participant-profile",
    "update-participant",
    "csp-active",
    "csp-recovery",
    "auth",
];

/// Permissions whose token creates a payment at once.
const PAYING: [&str; 2] = ["crypto-withdrawals", "crypto-payouts"];

/// The longest reference of a platform.
const REFERENCE_CHARS_MAX: usize = 50;

/// What is wrong with a request, in the words of its answer.
#[derive(Debug)]
pub(crate) struct InvalidRequest(pub(crate) Vec<String>);

/// The tokens that are valid.
#[derive(Default)]
pub(crate) struct Issued {
    tokens: BTreeSet<String>,
}

impl Issued {
    pub(crate) fn grant(&mut self, token: String) {
        self.tokens.insert(token);
    }

    /// Revokes a token; whether there was one.
    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        self.tokens.remove(token)
    }
}

/// `POST /client_auth_token`.
#[derive(Debug, Deserialize)]
pub(crate) struct TokenRequest {
    participant_code: Option<String>,
    email: Option<String>,
    #[serde(default)]
    permissions: Vec<String>,
    reference_id: Option<String>,
    recovery: Option<String>,
    withdrawal_details: Option<Value>,
}

impl TokenRequest {
    pub(crate) fn check(&self) -> Result<(), InvalidRequest> {
        let mut errors = Vec::new();
        if self.user().is_empty() {
            errors.push("participant_code or email is required".to_owned());
        }
        if self.permissions.is_empty() {
            errors.push("permissions is required".to_owned());
        }
        let unknown = self.permissions.iter().filter(|name| !PERMISSIONS.contains(&name.as_str()));
        errors.extend(unknown.map(|name| format!("unknown permission {name}")));
        if self.reference_id.as_ref().is_some_and(|reference| reference.chars().count() > REFERENCE_CHARS_MAX) {
            errors.push(format!("reference_id has more than {REFERENCE_CHARS_MAX} characters"));
        }
        if self.recovery.as_ref().is_some_and(|recovery| !["true", "false"].contains(&recovery.as_str())) {
            errors.push("recovery is neither \"true\" nor \"false\"".to_owned());
        }
        if errors.is_empty() { Ok(()) } else { Err(InvalidRequest(errors)) }
    }

    pub(crate) fn user(&self) -> &str {
        self.participant_code.as_deref().or(self.email.as_deref()).unwrap_or_default()
    }

    pub(crate) fn reference_id(&self) -> &str {
        self.reference_id.as_deref().unwrap_or_default()
    }

    /// The claims of the token.
    pub(crate) fn claims(&self, now: Timestamp) -> Value {
        json!({
            "participant_code": self.user(),
            "permissions": self.permissions,
            "recovery": self.recovery,
            "iat": now.unix_seconds(),
            "jti": new_uuid(),
        })
    }

    /// The id of the funding that the token is for.
    pub(crate) fn deposit_intent_id(&self) -> Option<String> {
        self.permissions.iter().any(|name| name == "fwc").then(new_uuid)
    }

    /// The webhook about the payment that the token creates.
    pub(crate) fn payment(&self, now: Timestamp) -> Option<Value> {
        if !self.permissions.iter().any(|name| PAYING.contains(&name.as_str())) {
            return None;
        }
        let details = self.withdrawal_details.as_ref();
        let amount = details.and_then(|details| details.get("withdrawal_request_amount").cloned());
        Some(json!({
            "payment_id": new_uuid(),
            "payment_type": "payout",
            "participant_code": self.user(),
            "status": "initialized",
            "asset": "",
            "network": "",
            "total": amount,
            "quantity": "",
            "created_at": now.to_string(),
            "updated_at": now.to_string(),
            "payment_details": { "withdrawal_request_id": "" },
        }))
    }
}

/// `POST /fund/rfq`.
#[derive(Debug, Deserialize)]
pub(crate) struct FundRfq {
    participant_code: String,
    fund_asset: String,
    client_fund_id: Option<String>,
}

impl FundRfq {
    /// The quote. A user has one deposit address for each asset.
    pub(crate) fn quote(&self) -> Result<Value, InvalidRequest> {
        if self.client_fund_id.as_ref().is_some_and(|reference| reference.chars().count() > REFERENCE_CHARS_MAX) {
            return Err(InvalidRequest(vec![format!("client_fund_id has more than {REFERENCE_CHARS_MAX} characters")]));
        }
        let address = uuid_of(&format!("{} {}", self.participant_code, self.fund_asset)).replace('-', "");
        Ok(json!({
            "request_id": new_uuid(),
            "deposit_address": format!("0x{address}"),
            "rate": "1",
            "quoted_currency": "USD",
            "expiry_timestamp": null,
            "minimum_deposit": "1",
            "maximum_deposit": "250000",
            "deposit_fee_bps": 0,
            "first_deposit_fee_floor": "0",
            "subsequent_deposit_fee_floor": "0",
            "deposit_fee_type": "flat",
            "deposit_fee_tiers": [],
            "reference_id": self.client_fund_id,
        }))
    }
}
