//! Providers, and the kinds of resource: names that are the same in code, ids, events and settings.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A provider that sends webhooks. Its name is the path segment that its webhooks arrive at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// zerohash Connect (Account Funding): deposits and withdrawals.
    Connect,
    /// The zerohash platform: fund transactions, payments, deposits, participants, external accounts, balances.
    Zerohash,
    /// Striga: on-chain deposits and withdrawals, fees and their refunds.
    Striga,
}

impl Provider {
    /// Every provider, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Connect, Self::Zerohash, Self::Striga];

    /// The name in paths, settings and event attributes: `connect`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Zerohash => "zerohash",
            Self::Striga => "striga",
        }
    }
}

/// What sort of thing a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Money on its way into a user's account.
    Deposit,
    /// Money on its way out of a user's account.
    Withdrawal,
    /// A charge for moving money.
    Fee,
    /// One asset exchanged for another within a user's accounts.
    Exchange,
    /// Money that arrived outside the authorised flow, and its return.
    Recovery,
    /// A user, as the provider knows them.
    Participant,
    /// A user's account at another institution, as the provider knows it.
    ExternalAccount,
    /// The amount of one asset in one account.
    Balance,
    /// A verified webhook that no other kind covers.
    Unrecognized,
}

/// How a resource's status follows from its facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusRule {
    /// The resource has a lifecycle with an end: its status is the furthest one stated.
    Furthest,
    /// The resource changes back and forth without an end: its status is the latest one stated, and only the newest
    /// facts are kept.
    Latest,
    /// The status is computed from the sum of all facts.
    Sum,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Deposit,
        Self::Withdrawal,
        Self::Fee,
        Self::Exchange,
        Self::Recovery,
        Self::Participant,
        Self::ExternalAccount,
        Self::Balance,
        Self::Unrecognized,
    ];

    /// The name in ids, event types and event attributes: `deposit`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::Fee => "fee",
            Self::Exchange => "exchange",
            Self::Recovery => "recovery",
            Self::Participant => "participant",
            Self::ExternalAccount => "external_account",
            Self::Balance => "balance",
            Self::Unrecognized => "unrecognized",
        }
    }

    /// Whether resources of this kind move money. Their statements have their own queue, so that a burst of
    /// account updates cannot delay a deposit.
    pub fn moves_money(self) -> bool {
        match self {
            Self::Deposit | Self::Withdrawal | Self::Fee | Self::Exchange | Self::Recovery => true,
            Self::Participant | Self::ExternalAccount | Self::Balance | Self::Unrecognized => false,
        }
    }

    /// How the status of a resource of this kind follows from its facts.
    pub fn status_rule(self) -> StatusRule {
        match self {
            Self::Deposit | Self::Withdrawal | Self::Fee | Self::Exchange | Self::Unrecognized => StatusRule::Furthest,
            Self::Recovery => StatusRule::Sum,
            Self::Participant | Self::ExternalAccount | Self::Balance => StatusRule::Latest,
        }
    }
}

/// A text that is not one of the names expected in its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a known {expected}")]
pub struct UnknownName {
    /// The text.
    pub name: String,
    /// What it should have named: `provider`.
    pub expected: &'static str,
}

/// Implements the text form of a type that has `as_str` and a list of all its values.
macro_rules! named {
    ($type:ty, $expected:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let named = Self::ALL.into_iter().find(|value| value.as_str() == text);
                named.ok_or_else(|| UnknownName { name: text.to_owned(), expected: $expected })
            }
        }
    };
}
pub(super) use named;

/// Implements serde as text for a type that is written by `Display` and read by `FromStr`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}
pub(super) use serde_as_text;

named!(Provider, "provider");
named!(Kind, "kind");
serde_as_text!(Provider);
serde_as_text!(Kind);
