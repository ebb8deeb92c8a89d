//! Tokens for the SDK: `POST /client_auth_token` and `POST /revoke_auth_token` [zerohash-openapi].

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use fundhook_http_api::{ApiError, Redactions, exact};
use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

/// The longest reference of a platform [zerohash-openapi].
pub(crate) const REFERENCE_CHARS_MAX: usize = 50;

/// What a token lets its user do. The set is open, and the provider's own documents do not agree on it: [`FromStr`] accepts
/// names that this crate does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission(Cow<'static, str>);

/// The text is not a permission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a permission; expected a name without spaces, such as fwc")]
pub struct PermissionError(String);

impl Permission {
    /// Account funding [zerohash-reference-id]. The response has a `deposit_intent_id`.
    pub const FUNDING: Self = Self(Cow::Borrowed("fwc"));
    /// Withdrawals of crypto [zerohash-openapi]. The response has a `payment_id`, and the payment exists from then on.
    pub const CRYPTO_WITHDRAWALS: Self = Self(Cow::Borrowed("crypto-withdrawals"));
    /// Payouts of crypto [zerohash-openapi]. The response has a `payment_id`, and the payment exists from then on.
    pub const CRYPTO_PAYOUTS: Self = Self(Cow::Borrowed("crypto-payouts"));
    /// Linking an account in crypto [zerohash-openapi].
    pub const CRYPTO_ACCOUNT_LINK: Self = Self(Cow::Borrowed("crypto-account-link"));
    /// The Auth SDK [zerohash-recovery §2]. It is not among the permissions of [zerohash-openapi].
    pub const AUTH: Self = Self(Cow::Borrowed("auth"));

    /// The permission's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Permission {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(PermissionError(text.chars().take(64).collect()))
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A token to request. Fields that are `None` are not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientAuthTokenRequest {
    /// The user's code. The user must be `approved`.
    pub participant_code: String,
    /// What the user may do; at least one permission.
    pub permissions: Vec<Permission>,
    /// `"true"` for a recovery, as text [zerohash-recovery §2].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<&'static str>,
    /// The platform's reference, at most 50 characters. Every deposit that arrives at an address of the token has it, also
    /// much later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_id: Option<String>,
    /// What is known about the deposit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deposit_details: Option<DepositDetails>,
    /// What is withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawal_details: Option<WithdrawalDetails>,
    /// Further fields, such as `payment_details` and `client_device_info`. None may have the name of a field above.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// What is known about the deposit of a funding token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DepositDetails {
    /// The account to credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_label: Option<String>,
    /// The amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deposit_amount: Option<String>,
    /// The currency of the amount: `USD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denominated_currency: Option<String>,
    /// The wallet that the deposit comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_wallet_address: Option<String>,
}

/// What a withdrawal token withdraws.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WithdrawalDetails {
    /// The asset that is withdrawn.
    pub quoted_asset: String,
    /// The amount.
    pub withdrawal_request_amount: String,
    /// The account that receives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_account_id: Option<String>,
    /// The account that it is taken from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_label: Option<String>,
}

impl ClientAuthTokenRequest {
    /// A token with these permissions.
    pub fn new(participant_code: &str, permissions: Vec<Permission>) -> Self {
        Self {
            participant_code: participant_code.to_owned(),
            permissions,
            recovery: None,
            reference_id: None,
            deposit_details: None,
            withdrawal_details: None,
            others: Map::new(),
        }
    }

    /// A token with which the user funds the account.
    pub fn funding(participant_code: &str) -> Self {
        Self::new(participant_code, vec![Permission::FUNDING])
    }

    /// A token with which the user returns unexpected deposits, in the older form [zerohash-recovery §2]. The newer form is a
    /// session of Connect with the scope `user:recovery:send` [zerohash-recovery-2].
    pub fn recovery(participant_code: &str) -> Self {
        Self { recovery: Some("true"), ..Self::new(participant_code, vec![Permission::AUTH]) }
    }

    /// A token with which the user withdraws. The provider creates a payment at once, so a second token is a second payment.
    pub fn withdrawal(participant_code: &str, details: WithdrawalDetails) -> Self {
        let withdrawal_details = Some(details);
        Self { withdrawal_details, ..Self::new(participant_code, vec![Permission::CRYPTO_WITHDRAWALS]) }
    }

    /// The same token with the platform's reference.
    #[must_use]
    pub fn with_reference_id(self, reference_id: &str) -> Self {
        Self { reference_id: Some(reference_id.to_owned()), ..self }
    }

    /// The names of the fields that are not in `others`.
    const NAMED: [&str; 6] =
        ["participant_code", "permissions", "recovery", "reference_id", "deposit_details", "withdrawal_details"];

    /// The request's body, and the values in it that no message may repeat.
    pub(crate) fn body(&self) -> Result<(Vec<u8>, Redactions), ApiError> {
        let invalid = |problem: String| Err(ApiError::InvalidRequest(problem));
        if self.participant_code.trim().is_empty() {
            return invalid("participant_code is empty, expected the user's code".to_owned());
        }
        if self.permissions.is_empty() {
            return invalid("permissions is empty, expected at least one".to_owned());
        }
        check_reference("reference_id", self.reference_id.as_deref())?;
        if let Some(name) = self.others.keys().find(|name| Self::NAMED.contains(&name.as_str())) {
            return invalid(format!("others contains {name}, which is a field of ClientAuthTokenRequest"));
        }
        let Ok(body) = serde_json::to_vec(self) else {
            return invalid("the request cannot be serialized as JSON".to_owned());
        };
        let personal = [Some(&self.participant_code), self.reference_id.as_ref()].into_iter().flatten().cloned();
        let details = serde_json::json!([self.deposit_details, self.withdrawal_details, self.others]);
        Ok((body, Redactions::of(personal).and(Redactions::leaves_of(&details))))
    }
}

/// Checks the length of the platform's reference.
pub(crate) fn check_reference(name: &str, reference: Option<&str>) -> Result<(), ApiError> {
    match reference.map(|reference| reference.chars().count()) {
        Some(chars) if !(1..=REFERENCE_CHARS_MAX).contains(&chars) => {
            let problem = format!("{name} has {chars} characters, expected 1 to {REFERENCE_CHARS_MAX}");
            Err(ApiError::InvalidRequest(problem))
        }
        Some(_) | None => Ok(()),
    }
}

/// What the frontend passes to the provider's SDK, and the ids under which the provider lists what comes of it.
#[derive(Clone, Debug, Deserialize)]
pub struct ClientAuthToken {
    /// The token.
    #[serde(deserialize_with = "exact::secret")]
    pub token: SecretString,
    /// Of a funding token: the filter [`FundTransactionsQuery::deposit_intent_id`](crate::FundTransactionsQuery::deposit_intent_id).
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub deposit_intent_id: Option<String>,
    /// Of a withdrawal or payout token: the payment that was created.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub payment_id: Option<String>,
}

/// The provider's response.
#[derive(Deserialize)]
pub(crate) struct ClientAuthTokenReply {
    pub(crate) message: ClientAuthToken,
}

impl ClientAuthTokenReply {
    pub(crate) const SHAPE: &str = "{message: {token, …}}";
}
