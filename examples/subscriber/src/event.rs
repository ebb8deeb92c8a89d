//! From an event to what it asks of the ledger.

use std::fmt;

use serde::Deserialize;

use crate::{AmountError, Coins, Units};

const CONFIRMED: &str = "fundhook.deposit.confirmed";
const CONFLICTING: &str = "fundhook.deposit.conflicting";
const DUPLICATE: &str = "fundhook.deposit.duplicate";

/// Stands for a network that the provider does not name (zerohash has both `USDC.ETH` and `USDC`): money that came in is
/// credited, in a balance of its own. No network's slug is like it: those begin with a letter or a digit.
const NOT_SAID: &str = "-";

/// What an event asks of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Money is in.
    Credit(Credit),
    /// The deposit must not be credited by a machine.
    Hold(Hold),
    /// The event does not concern the ledger.
    Ignore {
        /// The event.
        event_id: String,
        /// Its type.
        event_type: String,
    },
}

/// A deposit that is to be credited: complete, and in whole coins.
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

/// A deposit that must not be credited by a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    resource: String,
    event_id: String,
    reason: HoldReason,
}

/// Why a deposit must not be credited by a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldReason {
    /// Its final statuses contradict each other: a person must look.
    Conflicting(Vec<String>),
    /// The same coin was announced by another feed and is credited under that resource.
    Duplicate(Option<String>),
}

/// Why an event cannot be acted on. None of it changes by trying again.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is not a CloudEvent of Fundhook. The text says where, without repeating any of it.
    #[error("the message is not one of Fundhook's events: {0}")]
    Shape(String),
    /// It follows rules that are not known here.
    #[error("the event is of the CloudEvents version {0:?}, expected \"1.0\"")]
    Version(String),
    /// What a credit needs is not there.
    #[error("the confirmed deposit has no {0}")]
    Missing(&'static str),
    /// The asset or the network would make the key of another balance.
    #[error("the {0} of the confirmed deposit contains a #, which separates the parts of a balance's key")]
    Separator(&'static str),
    /// The amount cannot be credited.
    #[error("the amount of the confirmed deposit cannot be credited")]
    Amount(#[from] AmountError),
}

/// What every event says.
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
    /// Reads an event. The parts are read as they are needed, so that an event that does not concern the ledger cannot
    /// fail for what it says.
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

/// Reads as much of an event as `D` asks for. An error of `serde_json` quotes what it stumbled over, and a log must not.
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

    /// What is credited and to whom: what must be the same when the deposit is credited a second time. Named as in the
    /// ledger.
    pub fn terms(&self) -> [(&'static str, &str); 5] {
        [
            ("tenant", &self.tenant),
            ("account", &self.account),
            ("asset", &self.asset),
            ("network", &self.network),
            ("value", self.coins.as_str()),
        ]
    }

    /// The balance that it adds to: `<tenant>#<account>#<asset>#<network>`, with `-` for a tenant or a network that is not
    /// said. Two organizations may know different users by one name. An account may contain a `#`, the others may not, so
    /// that no two balances have the same name.
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

    /// The event that said so.
    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    /// Why.
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
