//! Names of things that are the same in code, ids, events and settings: providers and kinds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Who reports. Its name is the path segment its webhooks come in on.
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

    /// The path segment, setting name and attribute value: `connect`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Zerohash => "zerohash",
            Self::Striga => "striga",
        }
    }
}

/// What a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Crypto on its way to a user's account.
    Deposit,
    /// Crypto on its way out of a user's account.
    Withdrawal,
    /// What a provider charges for moving money.
    Fee,
    /// Money that came in outside the authorised flow, and its way back.
    Recovery,
    /// A user, as the provider knows them.
    Participant,
    /// A user's account elsewhere, as the provider knows it.
    ExternalAccount,
    /// How much of an asset an account holds.
    Balance,
    /// A verified webhook that nothing else claims.
    Unrecognized,
}

/// How a resource's status follows from its facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It moves along a road: the furthest status stands.
    Road,
    /// It changes to and fro without an end: the latest status stands, and old facts are let go.
    Latest,
    /// It is a sum over all facts.
    Sum,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Deposit,
        Self::Withdrawal,
        Self::Fee,
        Self::Recovery,
        Self::Participant,
        Self::ExternalAccount,
        Self::Balance,
        Self::Unrecognized,
    ];

    /// The name in ids, event types and attributes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::Fee => "fee",
            Self::Recovery => "recovery",
            Self::Participant => "participant",
            Self::ExternalAccount => "external_account",
            Self::Balance => "balance",
            Self::Unrecognized => "unrecognized",
        }
    }

    /// Whether the kind moves money, and so takes the queue that a flood of anything else cannot delay.
    pub fn moves_money(self) -> bool {
        match self {
            Self::Deposit | Self::Withdrawal | Self::Fee | Self::Recovery => true,
            Self::Participant | Self::ExternalAccount | Self::Balance | Self::Unrecognized => false,
        }
    }

    /// How its status follows from its facts.
    pub fn course(self) -> Course {
        match self {
            Self::Deposit | Self::Withdrawal | Self::Fee | Self::Unrecognized => Course::Road,
            Self::Recovery => Course::Sum,
            Self::Participant | Self::ExternalAccount | Self::Balance => Course::Latest,
        }
    }
}

/// A name that nothing of its sort bears.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a known {1}")]
pub struct UnknownName(pub String, pub &'static str);

/// Text forms for types that have `as_str` and a list of all their values.
macro_rules! named {
    ($type:ty, $what:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let named = Self::ALL.into_iter().find(|value| value.as_str() == text);
                named.ok_or_else(|| UnknownName(text.to_owned(), $what))
            }
        }
    };
}

/// Serde as text for types that are read and written through `FromStr` and `Display`.
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
pub(crate) use serde_as_text;

named!(Provider, "provider");
named!(Kind, "kind");
serde_as_text!(Provider);
serde_as_text!(Kind);
