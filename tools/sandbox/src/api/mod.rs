//! Connect's own API: what a platform asks it for (seed 000), by subject.

mod answer;
mod faults;
mod key_set;
mod organizations;
mod rows;
mod sessions;
mod tokens;
mod transactions;
mod users;

pub use faults::{ApiPath, Fault};
pub use key_set::JWKS_PATH;

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::routing::{get, post};
use fundhook_domain::{Feed, Timestamp};
use serde::{Deserialize, Serialize};

use super::drops::DropShare;
use super::state::Shared;
use answer::Answer;
use faults::Faults;
use organizations::{Credentials, Organization};
use rows::Row;
use tokens::Tokens;
use transactions::Transactions;
use users::Users;

/// What the sandbox's API has answered so far. What a fault took the place of is not counted; what was answered, and then
/// cut short or held up on its way, is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Tokens.
    pub tokens_granted: u64,
    /// Requests for one that were refused.
    pub tokens_refused: u64,
    /// Whole key sets.
    pub key_sets_served: u64,
    /// Answers that the key set is the one that was known (304).
    pub key_sets_not_modified: u64,
    /// Pages of transactions.
    pub transaction_pages: u64,
    /// Connect sessions.
    pub sessions: u64,
}

/// What the API knows.
pub(super) struct Api {
    pub(super) credentials: Credentials,
    pub(super) tokens: Tokens,
    transactions: Transactions,
    users: Users,
    pub(super) faults: Faults,
    pub(super) drop_share: DropShare,
    pub(super) key_set_max_age_seconds: u64,
    pub(super) counts: Counts,
    /// Requests for the key set, whatever they were answered.
    pub(super) fetched: u64,
}

impl Api {
    /// An API whose credentials are made from `seed`.
    pub(super) fn new(seed: String) -> Self {
        Self {
            credentials: Credentials::of(seed),
            tokens: Tokens::default(),
            transactions: Transactions::default(),
            users: Users::default(),
            faults: Faults::default(),
            drop_share: DropShare::default(),
            key_set_max_age_seconds: key_set::MAX_AGE_SECONDS,
            counts: Counts::default(),
            fetched: 0,
        }
    }

    /// Notes that the provider of `feed` has done what a webhook with this body tells; whether it drops the webhook.
    pub(super) fn acted(&mut self, feed: &Feed, body: &[u8]) -> bool {
        if let Some(row) = Row::told(feed.provider(), body) {
            self.transactions.enter(feed.tenant(), row);
        }
        self.drop_share.drops(body)
    }

    /// Whose token a request bears, or why it is refused.
    fn organization(&self, headers: &HeaderMap, now: Timestamp) -> Result<Organization, Answer> {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (scheme, token) = header.split_once(' ').unwrap_or_default();
        let granted = self.tokens.good(token.trim(), now).filter(|_| scheme.eq_ignore_ascii_case("bearer"));
        granted.cloned().ok_or_else(|| Answer::unauthorized("the bearer token is missing, expired or revoked"))
    }
}

/// The paths of the API.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(JWKS_PATH, get(key_set::answer))
        .route("/oauth/token", post(tokens::answer))
        .route("/transactions", get(transactions::answer))
        .route("/sessions", post(sessions::flat))
        .route("/v1/sessions", post(sessions::nested))
        .route("/users", get(users::list).post(users::enrol))
}
