//! Parses an event and determines what the ledger must do.

use std::fmt;

use serde::Deserialize;

use crate::{AmountError, Coins, Units};

const CONFIRMED: &str = "fundhook.deposit.confirmed";
const CONFLICTING: &str = "fundhook.deposit.conflicting";
const DUPLICATE: &str = "fundhook.deposit.duplicate";

/// The network of an amount without one (zerohash has both `USDC.ETH` and `USDC`). Its money is credited in a separate
/// balance. No network's slug is equal to it: slugs begin with a letter or a digit.
const NOT_SAID: &str = "-";

/// What an event requires of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Credit a confirmed deposit.
    Credit(Credit),
    /// The deposit must not be credited automatically.
    Hold(Hold),
    /// The event does not concern the ledger.
    Ignore { event_id: String, event_type: String },
}

/// A deposit to credit, complete and in whole coins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    resource: String,
    event_id: String,
    tenant: String,
    account: String,
    asset: String,
    network: String,
    coins: Coins,
}

/// A deposit that must not be credited automatically.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    resource: String,
    event_id: String,
    reason: HoldReason,
}

/// Why a deposit must not be credited automatically.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldReason {
    /// Its final statuses contradict each other; needs review.
    Conflicting(Vec<String>),
    /// Another feed reported the same coin, which is credited under that resource.
    Duplicate(Option<String>),
}

/// Why an event cannot be processed. Repeating does not help.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is not a CloudEvent of Fundhook. The text names the place without quoting the message.
    #[error("the message is not one of Fundhook's events: {0}")]
    Shape(String),
    #[error("the event has the CloudEvents version {0:?}, expected \"1.0\"")]
    Version(String),
    #[error("the confirmed deposit has no {0}")]
    Missing(&'static str),
    /// The asset or the network would change which balance the key names.
    #[error("the {0} of the confirmed deposit contains a #, which separates the parts of a balance's key")]
    Separator(&'static str),
    #[error("the amount of the confirmed deposit cannot be credited")]
    Amount(#[from] AmountError),
}

/// The members of every event.
#[derive(Deserialize)]
struct Event<D> {
    specversion: String,
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    data: D,
}

#[derive(Deserialize)]
struct AnyData {
    kind: String,
}

#[derive(Deserialize)]
struct DepositData {
    resource: String,
    conflicting: Option<Vec<String>>,
    duplicate_of: Option<String>,
}

#[derive(Deserialize)]
struct ConfirmedData {
    tenant: Option<String>,
    account: Option<String>,
    amount: Option<Amount>,
}

#[derive(Deserialize)]
struct Amount {
    value: String,
    asset: Option<String>,
    network: Option<Network>,
    units: String,
}

#[derive(Deserialize)]
struct Network {
    slug: String,
}

impl Instruction {
    /// Parses an event. Its parts are parsed only when needed, so that an event that does not concern the ledger cannot
    /// fail.
    pub fn from_event(json: &str) -> Result<Self, EventError> {
        let Event { specversion, id, event_type, data } = read::<AnyData>(json)?;
        if specversion != "1.0" {
            return Err(EventError::Version(specversion));
        }
        if data.kind != "deposit" {
            return Ok(Self::Ignore { event_id: id, event_type });
        }
        let DepositData { resource, conflicting, duplicate_of } = read(json)?.data;
        let conflicting = conflicting.unwrap_or_default();
        let hold = |reason, event_id| Self::Hold(Hold { resource: resource.clone(), event_id, reason });
        Ok(match event_type.as_str() {
            _ if event_type == CONFLICTING || !conflicting.is_empty() => hold(HoldReason::Conflicting(conflicting), id),
            _ if event_type == DUPLICATE || duplicate_of.is_some() => hold(HoldReason::Duplicate(duplicate_of), id),
            CONFIRMED => Self::Credit(Credit::new(resource, id, read(json)?.data)?),
            _ => Self::Ignore { event_id: id, event_type },
        })
    }
}

/// Parses the part of an event that `D` has. Errors of `serde_json` quote the input, which must not be logged.
fn read<'a, D: Deserialize<'a>>(json: &'a str) -> Result<Event<D>, EventError> {
    let fault = |error: serde_json::Error| {
        let what = match error.classify() {
            serde_json::error::Category::Io => "it could not be read",
            serde_json::error::Category::Syntax => "it is not JSON",
            serde_json::error::Category::Data => "it has another shape",
            serde_json::error::Category::Eof => "it ends too early",
        };
        EventError::Shape(format!("{what}, at line {} column {}", error.line(), error.column()))
    };
    serde_json::from_str(json).map_err(fault)
}

impl Credit {
    fn new(resource: String, event_id: String, data: ConfirmedData) -> Result<Self, EventError> {
        let amount = data.amount.ok_or(EventError::Missing("amount"))?;
        Ok(Self {
            resource,
            event_id,
            tenant: match data.tenant {
                Some(tenant) => key_part("tenant", Some(tenant))?,
                None => NOT_SAID.to_owned(),
            },
            account: present("account", data.account)?,
            asset: key_part("asset", amount.asset)?,
            network: match amount.network {
                Some(network) => key_part("network", Some(network.slug))?,
                None => NOT_SAID.to_owned(),
            },
            coins: Coins::new(&amount.value, amount.units.parse::<Units>()?)?,
        })
    }

    /// The deposit.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The event that confirmed it.
    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    /// How much is credited.
    pub fn coins(&self) -> &Coins {
        &self.coins
    }

    /// The terms of the credit, named as in the ledger. They must be equal when the deposit is credited a second time.
    pub fn terms(&self) -> [(&'static str, &str); 5] {
        [
            ("tenant", &self.tenant),
            ("account", &self.account),
            ("asset", &self.asset),
            ("network", &self.network),
            ("value", self.coins.as_str()),
        ]
    }

    /// The key of its balance: `<tenant>#<account>#<asset>#<network>`, with `-` for an unnamed tenant or network. Two
    /// organizations may use one name for different users. An account may contain a `#` and the other parts may not, so
    /// that no two balances have the same key.
    pub fn balance(&self) -> String {
        format!("{}#{}#{}#{}", self.tenant, self.account, self.asset, self.network)
    }
}

fn present(name: &'static str, value: Option<String>) -> Result<String, EventError> {
    value.filter(|value| !value.trim().is_empty()).ok_or(EventError::Missing(name))
}

fn key_part(name: &'static str, value: Option<String>) -> Result<String, EventError> {
    let value = present(name, value)?;
    if value.contains('#') { Err(EventError::Separator(name)) } else { Ok(value) }
}

impl Hold {
    /// The deposit.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    pub fn reason(&self) -> &HoldReason {
        &self.reason
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflicting(statuses) if statuses.is_empty() => f.write_str("conflicting"),
            Self::Conflicting(statuses) => write!(f, "conflicting: {}", statuses.join(", ")),
            Self::Duplicate(None) => f.write_str("duplicate"),
            Self::Duplicate(Some(other)) => write!(f, "duplicate of {other}"),
        }
    }
}
