//! Webhook families: which of a provider's notifications describe one lifecycle.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::names::{UnknownName, named, serde_as_text};

/// A set of one provider's webhooks that together describe one lifecycle.
///
/// One family reports each on-chain coin once. Two families of a provider may report the same coin, so the family
/// decides whether two deposits can be the same coin (see [`Claim`](crate::Claim)). Events carry its name as `stream`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebhookFamily {
    /// Connect's deposit webhooks.
    ConnectDeposits,
    /// Connect's withdrawal webhooks. The provider writes the name in the singular.
    ConnectWithdrawals,
    /// The rows of Connect's `GET /transactions`, when they report deposits of a Connect feed.
    ConnectTransactions,
    /// zerohash's fund transactions, as webhooks and as rows of `GET /transactions`.
    ZerohashFund,
    /// zerohash's deposit status webhooks.
    ZerohashDepositStatus,
    /// zerohash's `DEPOSIT_FAILED` webhooks: deposits outside the authorised flow.
    ZerohashDepositFailed,
    /// zerohash's payment webhooks.
    ZerohashPayments,
    /// All of Striga's transaction webhooks.
    StrigaTransactions,
}

impl WebhookFamily {
    /// Every family.
    pub const ALL: [Self; 8] = [
        Self::ConnectDeposits,
        Self::ConnectWithdrawals,
        Self::ConnectTransactions,
        Self::ZerohashFund,
        Self::ZerohashDepositStatus,
        Self::ZerohashDepositFailed,
        Self::ZerohashPayments,
        Self::StrigaTransactions,
    ];

    /// The name in events and in the table: `connect.deposits`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectDeposits => "connect.deposits",
            Self::ConnectWithdrawals => "connect.withdrawal",
            Self::ConnectTransactions => "connect.transactions",
            Self::ZerohashFund => "zerohash.fund",
            Self::ZerohashDepositStatus => "zerohash.deposit",
            Self::ZerohashDepositFailed => "zerohash.deposit_failed",
            Self::ZerohashPayments => "zerohash.payment",
            Self::StrigaTransactions => "striga.tx",
        }
    }
}

named!(WebhookFamily, "webhook family");
serde_as_text!(WebhookFamily);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_found_by_its_name() {
        for family in WebhookFamily::ALL {
            assert_eq!(family.to_string().parse(), Ok(family));
        }
        assert!("connect.withdrawals".parse::<WebhookFamily>().is_err());
    }
}
