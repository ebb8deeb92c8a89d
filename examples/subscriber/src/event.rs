//! Parses an event and determines what the ledger must do.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{DecimalError, PositiveDecimal};

const CONFIRMED: &str = "fundhook.deposit.confirmed";
const CONFLICTING: &str = "fundhook.deposit.conflicting";
const DUPLICATE: &str = "fundhook.deposit.duplicate";
const REVERSED: &str = "fundhook.deposit.reversed";

/// Stands in a balance's key for no tenant and for no network. Converted money is on no chain, and some providers do
/// not name the network of a token (zerohash has both `USDC.ETH` and `USDC`). No network's slug is equal to it: slugs
/// begin with a letter or a digit.
const ABSENT: &str = "-";

/// The member of `data` that says what may be credited, as `restated` names it.
const CREDIT: &str = "credit";

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

/// A deposit to credit: complete, and with the exact number of whole units of the asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    resource: String,
    event_id: String,
    tenant: String,
    account: String,
    asset: String,
    network: String,
    value: PositiveDecimal,
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
    /// Fundhook read a webhook again, and the deposit that was confirmed may not be credited now. If it was credited, a
    /// person takes the credit back. The text is the reason of the event's hold, if it has one.
    Restated(Option<String>),
    /// A person decided that the deposit, which was confirmed, is not credited. If it was credited, a person takes the
    /// credit back.
    Reversed,
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
    #[error("the {0} of the credit contains a #, which separates the parts of a balance's key")]
    Separator(&'static str),
    #[error("the net of the credit cannot be booked")]
    Value(#[from] DecimalError),
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
    restated: Option<Vec<String>>,
    credit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct ConfirmedData {
    tenant: Option<String>,
    account: Option<String>,
    amount: Option<Amount>,
    credit: Option<CreditData>,
}

/// What may be credited. The gross, the fees and the conversion, which `net` was made of, are not needed.
#[derive(Deserialize)]
struct CreditData {
    form: Form,
    net: Money,
}

/// Whether the customer gets what arrived. An event with another form is refused.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Form {
    InKind,
    Converted,
}

/// A number of whole units.
#[derive(Deserialize)]
struct Money {
    value: String,
    asset: String,
}

/// What arrived. Its number is not what may be credited.
#[derive(Deserialize)]
struct Amount {
    asset: Option<String>,
    network: Option<Network>,
}

#[derive(Deserialize)]
struct Network {
    slug: String,
}

#[derive(Deserialize)]
struct RestatedData {
    hold: Option<HoldData>,
}

#[derive(Deserialize)]
struct HoldData {
    reason: String,
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
        let DepositData { resource, conflicting, duplicate_of, restated, credit } = read(json)?.data;
        let conflicting = conflicting.unwrap_or_default();
        let took_credit_back =
            credit.is_none() && restated.is_some_and(|members| members.iter().any(|name| name == CREDIT));
        let hold = |reason, event_id| Self::Hold(Hold { resource: resource.clone(), event_id, reason });
        Ok(match event_type.as_str() {
            _ if event_type == CONFLICTING || !conflicting.is_empty() => hold(HoldReason::Conflicting(conflicting), id),
            _ if event_type == DUPLICATE || duplicate_of.is_some() => hold(HoldReason::Duplicate(duplicate_of), id),
            REVERSED => hold(HoldReason::Reversed, id),
            CONFIRMED => Self::Credit(Credit::new(resource, id, read(json)?.data)?),
            _ if took_credit_back => {
                let RestatedData { hold: fundhooks } = read(json)?.data;
                hold(HoldReason::Restated(fundhooks.map(|hold| hold.reason)), id)
            }
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
        let CreditData { form, net } = data.credit.ok_or(EventError::Missing(CREDIT))?;
        let network = match (form, data.amount) {
            (Form::InKind, Some(Amount { asset: Some(asset), network })) if asset == net.asset => network,
            (Form::InKind | Form::Converted, _) => None,
        };
        Ok(Self {
            resource,
            event_id,
            tenant: match data.tenant {
                Some(tenant) => key_part("tenant", tenant)?,
                None => ABSENT.to_owned(),
            },
            account: present("account", data.account.unwrap_or_default())?,
            asset: key_part("asset", net.asset)?,
            network: match network {
                Some(network) => key_part("network", network.slug)?,
                None => ABSENT.to_owned(),
            },
            value: net.value.parse()?,
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

    /// How many whole units of the asset are credited.
    pub fn value(&self) -> &PositiveDecimal {
        &self.value
    }

    /// The terms of the credit, named as in the ledger. They must be equal when the deposit is credited a second time.
    pub fn terms(&self) -> [(&'static str, &str); 5] {
        [
            ("tenant", &self.tenant),
            ("account", &self.account),
            ("asset", &self.asset),
            ("network", &self.network),
            ("value", self.value.as_str()),
        ]
    }

    /// The key of its balance: `<tenant>#<account>#<asset>#<network>`, with `-` for no tenant and for no network. Two
    /// organizations may use one name for different users. An account may contain a `#` and the other parts may not, so
    /// that no two balances have the same key.
    pub fn balance(&self) -> String {
        format!("{}#{}#{}#{}", self.tenant, self.account, self.asset, self.network)
    }
}

fn present(name: &'static str, value: String) -> Result<String, EventError> {
    if value.trim().is_empty() { Err(EventError::Missing(name)) } else { Ok(value) }
}

fn key_part(name: &'static str, value: String) -> Result<String, EventError> {
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
            Self::Reversed => f.write_str("reversed"),
            Self::Restated(None) => f.write_str("restated"),
            Self::Restated(Some(hold)) => write!(f, "restated: {hold}"),
        }
    }
}
