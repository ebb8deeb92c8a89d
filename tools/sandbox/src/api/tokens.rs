//! `POST /oauth/token`: access tokens.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use fundhook_domain::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::faults::{ApiPath, answered};
use super::organizations::{Organization, new_uuid};
use crate::state::Shared;

/// How long a token is good (seed 000).
const EXPIRES_IN_SECONDS: u64 = 86_400;

/// The tokens that were granted.
pub(crate) struct Tokens {
    expires_in_seconds: u64,
    granted: BTreeMap<String, Granted>,
}

struct Granted {
    to: Organization,
    expires_at: Timestamp,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { expires_in_seconds: EXPIRES_IN_SECONDS, granted: BTreeMap::new() }
    }
}

impl Tokens {
    /// Grants tokens for so long from now on.
    pub(crate) fn expire_after(&mut self, seconds: u64) {
        self.expires_in_seconds = seconds;
    }

    /// Takes them all back.
    pub(crate) fn revoke(&mut self) {
        self.granted.clear();
    }

    /// When a token expires that is granted at `now`.
    fn expiry(&self, now: Timestamp) -> Timestamp {
        now.plus(Duration::from_secs(self.expires_in_seconds))
    }

    /// Grants `token`; what Connect answers.
    fn grant(&mut self, token: String, to: Organization, now: Timestamp) -> Value {
        let answer = json!({ "access_token": token, "token_type": "Bearer", "expires_in": self.expires_in_seconds });
        let expires_at = self.expiry(now);
        self.granted.insert(token, Granted { to, expires_at });
        answer
    }

    /// Whose `token` is, if it is good at `now`.
    pub(super) fn good(&self, token: &str, now: Timestamp) -> Option<&Organization> {
        let granted = self.granted.get(token).filter(|granted| now < granted.expires_at);
        granted.map(|granted| &granted.to)
    }
}

pub(super) async fn answer(State(shared): State<Shared>, body: Bytes) -> Response {
    let fault = shared.api().faults.next(ApiPath::Token);
    answered(fault, || requested(&shared, &body, fundhook_runtime::now())).await
}

fn requested(shared: &Shared, body: &[u8], now: Timestamp) -> Answer {
    let granted = granted(shared, body, now);
    let counts = &mut shared.api().counts;
    match granted {
        Ok(answer) => {
            counts.tokens_granted += 1;
            answer
        }
        Err(refusal) => {
            counts.tokens_refused += 1;
            refusal
        }
    }
}

fn granted(shared: &Shared, body: &[u8], now: Timestamp) -> Result<Answer, Answer> {
    let given = serde_json::from_slice(body).map_err(|error| Answer::bad_request(&error.to_string()))?;
    let mut api = shared.api();
    let organization = api
        .credentials
        .organization(&given)
        .ok_or_else(|| Answer::error(StatusCode::UNAUTHORIZED, "invalid_client", "no client has these credentials"))?;
    // No `iss`: this is no token that comes along with a webhook.
    let claims = json!({
        "organization": { "id": organization.id },
        "iat": now.unix_seconds(),
        "exp": api.tokens.expiry(now).unix_seconds(),
        "jti": new_uuid(),
    });
    let token = shared.keys().signing(false).token(&claims).map_err(|error| Answer::unsigned(&error))?;
    Ok(Answer::ok(&api.tokens.grant(token, organization, now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_760_484_866 + seconds).expect("in range")
    }

    #[test]
    fn a_token_is_good_until_it_expires_however_long_later_ones_are() {
        let organization = Organization { tenant: None, id: "4789efea".to_owned() };
        let mut tokens = Tokens::default();
        tokens.expire_after(60);
        let answer = tokens.grant("one".to_owned(), organization.clone(), at(0));
        assert_eq!(answer["expires_in"], 60);
        tokens.expire_after(3600);
        tokens.grant("other".to_owned(), organization.clone(), at(0));
        assert_eq!(tokens.good("one", at(59)), Some(&organization));
        assert_eq!(tokens.good("one", at(60)), None);
        assert_eq!(tokens.good("other", at(60)), Some(&organization));
        tokens.revoke();
        assert_eq!(tokens.good("other", at(0)), None);
    }
}
