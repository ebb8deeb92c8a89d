//! What a signal says beside its status, and how what several say is put together.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Network, Quantity, Timestamp};

/// What a signal says beside its status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Details {
    /// About money on its way.
    Transfer(Box<TransferDetails>),
    /// About a webhook that nothing claims.
    Unrecognized(UnrecognizedDetails),
}

/// What a provider says about a deposit or a withdrawal. Every part may be missing from any one webhook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TransferDetails {
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// Of which asset, as the provider spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// On which network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// On chain.
    #[serde(skip_serializing_if = "Transaction::is_empty")]
    pub transaction: Transaction,
    /// Where the money comes from.
    #[serde(skip_serializing_if = "Source::is_empty")]
    pub source: Source,
    /// The session of the provider's SDK in which it began.
    #[serde(skip_serializing_if = "Session::is_empty")]
    pub session: Session,
    /// The platform's own identifier of the user's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The platform's own identifier of the funding attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_id: Option<String>,
    /// The status in the provider's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_status: Option<String>,
    /// When the provider created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When the provider last changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// All that has no field above, under the provider's own names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub provider_data: Map<String, Value>,
}

/// A transaction on chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Transaction {
    /// Its hash, as the provider spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The sending address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The receiving address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The number of its block, in decimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_number: Option<String>,
}

/// Where money comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// The sort of source in the provider's word: `CUSTODIAL`, `NON_CUSTODIAL`, `MANUAL`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub source_type: Option<String>,
    /// The exchange or wallet: `coinbase`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
}

/// A session of the provider's SDK.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// The provider's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The platform's own data, as it gave it when the session began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// When the session began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// What is known of a webhook that verified and that nothing claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnrecognizedDetails {
    /// Why it was not understood, in a sentence.
    pub reason: String,
    /// The name the webhook gives itself, where one was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_type: Option<String>,
    /// The length of its body in bytes. The body itself lies in the evidence.
    pub body_bytes: u64,
}

impl Transaction {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn overlay(&mut self, later: &Self) {
        replace(&mut self.hash, &later.hash);
        replace(&mut self.from, &later.from);
        replace(&mut self.to, &later.to);
        replace(&mut self.block_number, &later.block_number);
    }
}

impl Source {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn overlay(&mut self, later: &Self) {
        replace(&mut self.source_type, &later.source_type);
        replace(&mut self.integration, &later.integration);
    }
}

impl Session {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn overlay(&mut self, later: &Self) {
        replace(&mut self.id, &later.id);
        replace(&mut self.metadata, &later.metadata);
        replace(&mut self.created_at, &later.created_at);
    }
}

impl TransferDetails {
    /// Puts `later` over `self`, field by field: what a later webhook does not say keeps what an earlier one said
    /// (Striga's `PENDING` carries no amount).
    fn overlay(&mut self, later: &Self) {
        // Destructured, so that a new field cannot be forgotten here.
        let Self {
            quantity,
            asset,
            network,
            transaction,
            source,
            session,
            account,
            reference_id,
            provider_status,
            created_at,
            updated_at,
            provider_data,
        } = later;
        replace(&mut self.quantity, quantity);
        replace(&mut self.asset, asset);
        replace(&mut self.network, network);
        self.transaction.overlay(transaction);
        self.source.overlay(source);
        self.session.overlay(session);
        replace(&mut self.account, account);
        replace(&mut self.reference_id, reference_id);
        replace(&mut self.provider_status, provider_status);
        replace(&mut self.created_at, created_at);
        replace(&mut self.updated_at, updated_at);
        for (name, value) in provider_data {
            overlay_json(self.provider_data.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

impl Details {
    /// Puts `later` over `self`. A resource's facts are all of its kind's shape; should two ever differ, the later one
    /// stands.
    pub(crate) fn overlay(&mut self, later: &Self) {
        match (self, later) {
            (Self::Transfer(earlier), Self::Transfer(later)) => earlier.overlay(later),
            (earlier, later) => *earlier = later.clone(),
        }
    }
}

fn replace<T: Clone>(earlier: &mut Option<T>, later: &Option<T>) {
    if later.is_some() {
        earlier.clone_from(later);
    }
}

fn overlay_json(earlier: &mut Value, later: &Value) {
    match (earlier, later) {
        (Value::Object(earlier), Value::Object(later)) => {
            for (name, value) in later {
                overlay_json(earlier.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (earlier, later) => earlier.clone_from(later),
    }
}
