//! Users, for organizations that onboard their own ("reliance") [connect-guide §2].

use std::collections::BTreeMap;
use std::fmt;

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, Redactions};
use reqwest::Url;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::settings::ParameterNames;

/// A user to create, with the fields of [connect-guide §2]. Fields that are `None` are not sent. `Debug` shows none of them.
///
/// ```
/// use fundhook_connect_api::NewUser;
///
/// let user = NewUser { first_name: Some("John".into()), country: Some("United States".into()), ..NewUser::default() }
///     .with("employment_status", "employed");
/// assert!(!format!("{user:?}").contains("John"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct NewUser {
    /// The given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// The first line of the address: street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_one: Option<String>,
    /// The second line of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_two: Option<String>,
    /// The city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// The state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zip: Option<String>,
    /// The country's name: `United States`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The date of birth: `1985-09-02`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// The name of the country of citizenship: `United States`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub citizenship: Option<String>,
    /// The tax identification number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
    /// The platform's risk rating: `low`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_rating: Option<String>,
    /// The result of the KYC check: `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kyc: Option<String>,
    /// The time of the KYC check, sent as UNIX milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_milliseconds")]
    pub kyc_timestamp: Option<Timestamp>,
    /// The result of the sanctions screening: `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sanction_screening: Option<String>,
    /// The time of the sanctions screening, sent as UNIX milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_milliseconds")]
    pub sanction_screening_timestamp: Option<Timestamp>,
    /// The result of the identity document check: `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idv: Option<String>,
    /// The result of the liveness check: `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness_check: Option<String>,
    /// The time of the user's signature, sent as UNIX milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_milliseconds")]
    pub signed_timestamp: Option<Timestamp>,
    /// Data of the platform, always sent.
    pub metadata: Map<String, Value>,
    /// The agreements that the user signed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signed_agreements: Vec<SignedAgreement>,
    /// Further fields. None may have the name of a field above.
    #[serde(skip)]
    pub others: Map<String, Value>,
}

/// An agreement that the user signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignedAgreement {
    /// The kind of agreement, such as `connect_user_agreement`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The region, such as `us`.
    pub region: String,
    /// The time of the signature, sent as UNIX milliseconds.
    #[serde(serialize_with = "milliseconds")]
    pub signed_timestamp: Timestamp,
}

impl NewUser {
    /// The same user with one more field in [`NewUser::others`].
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.others.insert(name.to_owned(), value.into());
        self
    }

    /// The request's body, and the values in it that no message may repeat.
    pub(crate) fn body(&self) -> Result<(Vec<u8>, Redactions), ApiError> {
        let invalid = |problem: String| ApiError::InvalidRequest(problem);
        let named = serde_json::to_value(self).map_err(|_| invalid("the user cannot be serialized as JSON".into()))?;
        let Value::Object(mut body) = named else {
            return Err(invalid("the user is not a JSON object".into()));
        };
        for (name, value) in &self.others {
            if Self::NAMED.contains(&name.as_str()) {
                return Err(invalid(format!("others contains {name}, which is a field of NewUser")));
            }
            body.insert(name.clone(), value.clone());
        }
        let body = Value::Object(body);
        Ok((body.to_string().into_bytes(), Redactions::leaves_of(&body)))
    }

    /// The names of the fields that are not in `others`.
    const NAMED: [&str; 23] = [
        "first_name",
        "last_name",
        "email",
        "phone_number",
        "address_one",
        "address_two",
        "city",
        "state",
        "zip",
        "country",
        "date_of_birth",
        "citizenship",
        "tax_id",
        "risk_rating",
        "kyc",
        "kyc_timestamp",
        "sanction_screening",
        "sanction_screening_timestamp",
        "idv",
        "liveness_check",
        "signed_timestamp",
        "metadata",
        "signed_agreements",
    ];
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser").finish_non_exhaustive()
    }
}

fn milliseconds<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    let seconds = at.unix_seconds();
    let fraction = Timestamp::from_unix_seconds(seconds).map(|second| at.since(second).subsec_millis());
    // The years 0 to 9999 in milliseconds are far inside an i64.
    serializer.serialize_i64(seconds * 1000 + i64::from(fraction.unwrap_or_default()))
}

fn optional_milliseconds<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => milliseconds(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// A user that the provider has created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedUser {
    /// The user's code. Sessions take it as `reference_id`.
    pub participant_code: String,
}

/// The provider's response. [connect-guide §2] says only that it contains a `participant_code`. It is accepted at the top
/// level and under `message`, where the provider's other responses have their content.
#[derive(Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(crate) struct CreatedReply(pub(crate) CreatedUser);

impl CreatedReply {
    pub(crate) const SHAPE: &str = "{participant_code, …}";
}

impl TryFrom<Map<String, Value>> for CreatedReply {
    type Error = &'static str;

    fn try_from(mut fields: Map<String, Value>) -> Result<Self, Self::Error> {
        let nested = fields.remove("message").and_then(|message| message.as_object().cloned());
        let participant_code = text(fields.remove("participant_code"))
            .or_else(|| text(nested?.remove("participant_code")))
            .ok_or("expected participant_code")?;
        Ok(Self(CreatedUser { participant_code }))
    }
}

/// Which users to list. [connect-guide §2] names no parameters, so none is sent by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsersQuery {
    /// The number of the page, from 1.
    pub page: Option<u32>,
    /// The most users on the page.
    pub page_size: Option<u32>,
    /// Only the user with this code.
    pub participant_code: Option<String>,
    /// Further parameters, sent unchanged.
    pub others: BTreeMap<String, String>,
}

impl UsersQuery {
    /// Appends this query to `url`, with the parameter names in `names`.
    pub(crate) fn on(&self, mut url: Url, names: &ParameterNames) -> Url {
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        let pairs = [
            (&names.page, number(self.page)),
            (&names.page_size, number(self.page_size)),
            (&names.participant_code, self.participant_code.clone()),
        ];
        let set = pairs.into_iter().filter_map(|(name, value)| Some((name.clone(), value?)));
        let all: Vec<(String, String)> = set.chain(self.others.clone()).collect();
        if !all.is_empty() {
            url.query_pairs_mut().extend_pairs(all);
        }
        url
    }
}

/// The users that the provider lists. [connect-guide §2] shows one user as the whole response. A list of users, and a list
/// under `message` as in the list of transactions, are accepted too.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Users {
    /// The users.
    pub users: Vec<User>,
    /// The number of the page, if the provider sends it.
    pub page: Option<u32>,
    /// The number of pages, if the provider sends it.
    pub total_pages: Option<u32>,
}

impl Users {
    pub(crate) const SHAPE: &str = "a user, […] or {message: […]}";
}

impl TryFrom<Value> for Users {
    type Error = &'static str;

    fn try_from(reply: Value) -> Result<Self, Self::Error> {
        let (rows, page, total_pages) = match reply {
            Value::Array(rows) => (rows, None, None),
            Value::Object(mut fields) => match fields.remove("message") {
                Some(Value::Array(rows)) => (rows, whole(fields.remove("page")), whole(fields.remove("total_pages"))),
                Some(Value::Null) => (Vec::new(), whole(fields.remove("page")), whole(fields.remove("total_pages"))),
                Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                    return Err("expected a list of users in message");
                }
                None => (vec![Value::Object(fields)], None, None),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err("expected users"),
        };
        let users = rows.into_iter().map(User::try_from).collect::<Result<_, _>>()?;
        Ok(Self { users, page, total_pages })
    }
}

/// A user of the organization. `Debug` shows the code and the status, and only the names of the other fields.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The user's code.
    pub participant_code: String,
    /// `submitted`, `pending_approval`, `approved`, `rejected`, `locked` or `disabled` [connect-guide §2], or another status
    /// of the provider.
    pub status: Option<String>,
    /// The time of the last change, if the provider sends one that can be parsed.
    pub updated_at: Option<Timestamp>,
    /// All other fields, unchanged.
    pub others: Map<String, Value>,
}

impl TryFrom<Value> for User {
    type Error = &'static str;

    fn try_from(row: Value) -> Result<Self, Self::Error> {
        let Value::Object(mut others) = row else {
            return Err("expected a user as an object");
        };
        let participant_code = text(others.remove("participant_code")).ok_or("expected participant_code")?;
        let status = text(others.remove("status"));
        let timestamp = |text: String| Timestamp::from_unix_digits(&text).or_else(|_| text.parse()).ok();
        let updated_at = text(others.get("updated_at").cloned()).and_then(timestamp);
        if updated_at.is_some() {
            others.remove("updated_at");
        }
        Ok(Self { participant_code, status, updated_at, others })
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("participant_code", &self.participant_code)
            .field("status", &self.status)
            .field("updated_at", &self.updated_at)
            .field("others", &self.others.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// The exact text of a string or number that is not empty.
fn text(value: Option<Value>) -> Option<String> {
    let value = value?;
    let text = value.as_str().map(str::to_owned).or_else(|| value.as_number().map(ToString::to_string));
    text.filter(|text| !text.is_empty())
}

fn whole(value: Option<Value>) -> Option<u32> {
    text(value)?.parse().ok()
}
