//! What the sandbox's zerohash knows: its clients, the tokens that it issued, and what its webhooks were about.
//!
//! No HTTP: `api` translates requests.

mod credentials;
mod issued;
mod lists;
mod newcomers;
mod page;
mod query;
mod rows;

use std::collections::BTreeMap;

pub(crate) use credentials::{Presented, ZerohashCredentials};
pub(crate) use issued::{FundRfq, Issued, TokenRequest};
pub(crate) use lists::Lists;
pub(crate) use page::{List, Oddity};
pub(crate) use query::Query;

use fundhook_domain::{Tenant, Timestamp};
use serde::{Deserialize, Serialize};

use crate::faults::{ApiPath, Faults};

/// The requests that zerohash's API has answered. An answer that a fault replaced is not counted; one that was truncated or
/// delayed is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZerohashCounts {
    /// Answers with status 2xx.
    pub answered: BTreeMap<ApiPath, u64>,
    /// Other answers.
    pub refused: BTreeMap<ApiPath, u64>,
}

pub(crate) struct Zerohash {
    pub(crate) credentials: ZerohashCredentials,
    pub(crate) issued: Issued,
    pub(crate) faults: Faults,
    pub(crate) counts: ZerohashCounts,
    /// How far its clock is ahead of this computer's.
    pub(crate) clock_ahead_seconds: i64,
    lists: BTreeMap<Option<Tenant>, Lists>,
}

impl Zerohash {
    /// A provider whose credentials are derived from `seed`.
    pub(crate) fn new(seed: String) -> Self {
        Self {
            credentials: ZerohashCredentials::of(seed),
            issued: Issued::default(),
            faults: Faults::default(),
            counts: ZerohashCounts::default(),
            clock_ahead_seconds: 0,
            lists: BTreeMap::new(),
        }
    }

    /// The lists of an organization.
    pub(crate) fn lists(&mut self, tenant: Option<&Tenant>) -> &mut Lists {
        self.lists.entry(tenant.cloned()).or_default()
    }

    /// Lists what a webhook with this body, signed at `signed_at`, is about.
    pub(crate) fn record(&mut self, tenant: Option<&Tenant>, body: &[u8], signed_at: Timestamp) {
        if let Ok(body) = serde_json::from_slice(body) {
            self.lists(tenant).record(&body, signed_at);
        }
    }
}
