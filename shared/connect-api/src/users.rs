//! Users, for organizations that onboard their own ("reliance", seed 000, "Onboard User").

use std::collections::BTreeMap;
use std::fmt;

use fundhook_domain::Timestamp;
use reqwest::Url;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::settings::ParameterNames;
use crate::words::Hidden;

/// A user to be created, with the fields of seed 000; what is `None` is not sent. `Debug` shows nothing of it.
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
    /// The address of mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// The address: street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_one: Option<String>,
    /// The address: what else it takes.
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
    /// The country, in words: `United States`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The day of birth: `1985-09-02`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// The citizenship, in words: `United States`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub citizenship: Option<String>,
    /// The number that the tax authority knows the user by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
    /// How risky the platform takes the user to be: `low`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_rating: Option<String>,
    /// How the check of the customer ended: `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kyc: Option<String>,
    /// When the customer was checked, sent as UNIX milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_milliseconds")]
    pub kyc_timestamp: Option<Timestamp>,
    /// How the screening for sanctions ended: `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sanction_screening: Option<String>,
    /// When the sanctions were screened, sent as UNIX milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_milliseconds")]
    pub sanction_screening_timestamp: Option<Timestamp>,
    /// How the check of the identity document ended: `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idv: Option<String>,
    /// How the check of the user's presence ended: `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness_check: Option<String>,
    /// When the user signed, sent as UNIX milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_milliseconds")]
    pub signed_timestamp: Option<Timestamp>,
    /// The platform's own, always sent.
    pub metadata: Map<String, Value>,
    /// What the user agreed to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signed_agreements: Vec<SignedAgreement>,
    /// Further fields, sent beside the others; none may have the name of one of them.
    #[serde(skip)]
    pub others: Map<String, Value>,
}

/// An agreement that the user signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignedAgreement {
    /// Which, such as `connect_user_agreement`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where, such as `us`.
    pub region: String,
    /// When. Sent as UNIX milliseconds.
    #[serde(serialize_with = "milliseconds")]
    pub signed_timestamp: Timestamp,
}

impl NewUser {
    /// The same user with one more field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.others.insert(name.to_owned(), value.into());
        self
    }

    /// The body of the request, and what of it no message may repeat.
    pub(crate) fn body(&self) -> Result<(Vec<u8>, Hidden), ApiError> {
        let invalid = |problem: String| ApiError::InvalidRequest(problem);
        let named = serde_json::to_value(self).map_err(|_| invalid("the user cannot be written as JSON".into()))?;
        let Value::Object(mut body) = named else {
            return Err(invalid("the user is no JSON object".into()));
        };
        for (name, value) in &self.others {
            if Self::NAMED.contains(&name.as_str()) {
                return Err(invalid(format!("others has {name}, which is a field of its own")));
            }
            body.insert(name.clone(), value.clone());
        }
        let body = Value::Object(body);
        Ok((body.to_string().into_bytes(), Hidden::leaves_of(&body)))
    }

    /// The fields that are not `others`.
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

/// A user that the provider has taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedUser {
    /// The user's code: the `reference_id` of its sessions.
    pub participant_code: String,
}

/// The provider's answer. Seed 000 says only that it contains a `participant_code`: at its top, or below `message` as
/// the platform's other answers are.
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

/// Which users are listed. Seed 000 names no parameters: by default none is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsersQuery {
    /// The number of the page, from 1.
    pub page: Option<u32>,
    /// The most users in it.
    pub page_size: Option<u32>,
    /// One user.
    pub participant_code: Option<String>,
    /// Further parameters, sent as they are.
    pub others: BTreeMap<String, String>,
}

impl UsersQuery {
    /// `url` with this query, its parameters called as `names` say.
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

/// The users that the provider lists. Seed 000 shows one user as the whole answer; a list of users, and a list below
/// `message` as in the transactions' answer, are taken too.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Users {
    /// The users.
    pub users: Vec<User>,
    /// The number of the page, where the provider says it.
    pub page: Option<u32>,
    /// How many pages there are, where the provider says it.
    pub total_pages: Option<u32>,
}

impl Users {
    pub(crate) const SHAPE: &str = "a user, […] or {message: […]}";
}

impl TryFrom<Value> for Users {
    type Error = &'static str;

    fn try_from(answer: Value) -> Result<Self, Self::Error> {
        let (rows, page, total_pages) = match answer {
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

/// A user of the organization. `Debug` shows its code and status, and of the rest only what it is called.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The user's code.
    pub participant_code: String,
    /// `submitted`, `pending_approval`, `approved`, `rejected`, `locked` or `disabled` (seed 000), or what else the
    /// provider says.
    pub status: Option<String>,
    /// When it last changed, where the provider says so in a way that can be read.
    pub updated_at: Option<Timestamp>,
    /// All other fields, as they were sent.
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
        let instant = |text: String| Timestamp::from_unix_digits(&text).or_else(|_| text.parse()).ok();
        let updated_at = text(others.get("updated_at").cloned()).and_then(instant);
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

/// The exact text of a text or number that is not empty.
fn text(value: Option<Value>) -> Option<String> {
    let value = value?;
    let text = value.as_str().map(str::to_owned).or_else(|| value.as_number().map(ToString::to_string));
    text.filter(|text| !text.is_empty())
}

fn whole(value: Option<Value>) -> Option<u32> {
    text(value)?.parse().ok()
}
