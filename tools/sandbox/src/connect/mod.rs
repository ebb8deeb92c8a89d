//! What the sandbox's Connect knows: its clients, tokens, users and transactions, and its configured faults.
//!
//! No HTTP: `api` translates requests.

mod drops;
mod organizations;
mod rows;
mod tokens;
mod transactions;
mod users;

pub use drops::DropShare;
pub(crate) use organizations::{Organization, SandboxCredentials, new_uuid, uuid_of};
pub(crate) use tokens::Tokens;
pub(crate) use transactions::{PAGE_SIZE_MAX, Transactions, TransactionsQuery};
pub(crate) use users::Users;

use fundhook_domain::Feed;
use rows::ListedTransaction;
pub(crate) use rows::{text, unix_ms};
use serde::{Deserialize, Serialize};

use crate::faults::Faults;

/// Where the key set is published, as at Connect.
pub const JWKS_PATH: &str = "/v1/jwks";

/// How long the key set may be cached. Connect does not document a value; providers commonly use five minutes.
const KEY_SET_MAX_AGE_SECONDS: u64 = 300;

/// The requests that the sandbox's API has answered. An answer that a fault replaced is not counted; one that was
/// truncated or delayed is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub tokens_granted: u64,
    pub tokens_refused: u64,
    /// Complete key sets.
    pub key_sets_served: u64,
    /// Answers 304: the client has the current key set.
    pub key_sets_not_modified: u64,
    pub transaction_pages: u64,
    pub sessions: u64,
}

pub(crate) struct Connect {
    pub(crate) credentials: SandboxCredentials,
    pub(crate) tokens: Tokens,
    pub(crate) transactions: Transactions,
    pub(crate) users: Users,
    pub(crate) faults: Faults,
    pub(crate) drop_share: DropShare,
    pub(crate) key_set_max_age_seconds: u64,
    pub(crate) counts: Counts,
    /// Requests for the key set, including those with a faulty answer.
    pub(crate) key_set_requests: u64,
}

impl Connect {
    /// A provider whose credentials are derived from `seed`.
    pub(crate) fn new(seed: String) -> Self {
        Self {
            credentials: SandboxCredentials::of(seed),
            tokens: Tokens::default(),
            transactions: Transactions::default(),
            users: Users::default(),
            faults: Faults::default(),
            drop_share: DropShare::NONE,
            key_set_max_age_seconds: KEY_SET_MAX_AGE_SECONDS,
            counts: Counts::default(),
            key_set_requests: 0,
        }
    }

    /// Lists the transaction that a webhook of `feed` with this body is about. Returns whether the provider drops the
    /// webhook.
    pub(crate) fn record(&mut self, feed: &Feed, body: &[u8]) -> bool {
        if let Some(row) = ListedTransaction::from_webhook(feed.provider(), body) {
            self.transactions.enter(feed.tenant(), row);
        }
        self.drop_share.drops(body)
    }
}
