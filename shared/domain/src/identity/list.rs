//! Lists: what a provider's API lists about one organization.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::feed::Feed;
use super::names::{Kind, Provider, UnknownName, named, serde_as_text};
use crate::Timestamp;

/// A list that a provider's API has, and that Fundhook reconciles with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListKind {
    /// Connect's `GET /transactions` [connect-guide §7]: money that arrived through Connect.
    ConnectTransactions,
    /// zerohash's `GET /fund/transactions` [zerohash-openapi]: deposits that are converted.
    FundTransactions,
    /// zerohash's `GET /deposits/crypto` [zerohash-openapi]: every deposit from a chain, with its state.
    Deposits,
    /// zerohash's `GET /payments` [zerohash-openapi]: withdrawals to a chain, and returns of unexpected deposits.
    Payments,
    /// zerohash's `GET /payments/status` [zerohash-openapi]: payments by a bank.
    BankPayments,
    /// zerohash's `GET /participants` [zerohash-openapi]: users and their statuses.
    Participants,
    /// zerohash's `GET /payments/external_accounts` [zerohash-openapi]: users' accounts at banks, and their statuses.
    ExternalAccounts,
    /// zerohash's `GET /accounts` [zerohash-openapi]: balances that are not zero.
    Accounts,
}

impl ListKind {
    /// Every list.
    pub const ALL: [Self; 8] = [
        Self::ConnectTransactions,
        Self::FundTransactions,
        Self::Deposits,
        Self::Payments,
        Self::BankPayments,
        Self::Participants,
        Self::ExternalAccounts,
        Self::Accounts,
    ];

    /// Its name in keys, logs and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectTransactions => "transactions",
            Self::FundTransactions => "fund_transactions",
            Self::Deposits => "deposits",
            Self::Payments => "payments",
            Self::BankPayments => "bank_payments",
            Self::Participants => "participants",
            Self::ExternalAccounts => "external_accounts",
            Self::Accounts => "accounts",
        }
    }

    /// The path at which the provider's documents have it.
    pub fn path(self) -> &'static str {
        match self {
            Self::ConnectTransactions => "/transactions",
            Self::FundTransactions => "/fund/transactions",
            Self::Deposits => "/deposits/crypto",
            Self::Payments => "/payments",
            Self::BankPayments => "/payments/status",
            Self::Participants => "/participants",
            Self::ExternalAccounts => "/payments/external_accounts",
            Self::Accounts => "/accounts",
        }
    }

    /// The provider whose API has it.
    pub fn provider(self) -> Provider {
        match self {
            Self::ConnectTransactions => Provider::Connect,
            Self::FundTransactions
            | Self::Deposits
            | Self::Payments
            | Self::BankPayments
            | Self::Participants
            | Self::ExternalAccounts
            | Self::Accounts => Provider::Zerohash,
        }
    }

    /// The kind of the resources that its rows are about.
    pub fn contains(self) -> Kind {
        match self {
            Self::ConnectTransactions | Self::FundTransactions | Self::Deposits => Kind::Deposit,
            Self::Payments | Self::BankPayments => Kind::Withdrawal,
            Self::Participants => Kind::Participant,
            Self::ExternalAccounts => Kind::ExternalAccount,
            Self::Accounts => Kind::Balance,
        }
    }

    /// Whether its rows can be asked for by date, as those of all lists of money that moved. The others have no filter by date:
    /// they are read whole, and have no control totals.
    pub fn is_dated(self) -> bool {
        matches!(self.contains(), Kind::Deposit | Kind::Withdrawal)
    }

    /// The lists of the provider's API.
    pub fn of(provider: Provider) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |list| list.provider() == provider)
    }
}

named!(ListKind, "list");
serde_as_text!(ListKind);

/// The date that a list is read by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedAt {
    /// The row states it.
    At(Timestamp),
    /// The provider does not document which of a row's dates it selects by, or the rows have none. A row belongs to the
    /// window that it was requested for.
    AsRequested,
    /// The row should state it, and does not.
    Missing,
}

/// One list of one organization. It is read from its own watermark, and has its own control totals.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListId {
    feed: Feed,
    kind: ListKind,
}

impl ListId {
    /// The list `kind` of the organization that `feed` belongs to.
    pub fn new(feed: &Feed, kind: ListKind) -> Self {
        Self { feed: feed.of(kind.provider()), kind }
    }

    /// The organization's feed of the provider whose list it is.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Which list it is.
    pub fn kind(&self) -> ListKind {
        self.kind
    }
}

impl fmt::Display for ListId {
    /// `connect:transactions`, or `zerohash/acme:payments` for the tenant `acme`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.feed, self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_named_and_belongs_to_one_provider() {
        for kind in ListKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert!(ListKind::of(kind.provider()).any(|of| of == kind));
        }
        assert_eq!(ListKind::of(Provider::Striga).count(), 0);
        assert!("transfers".parse::<ListKind>().is_err());
    }

    #[test]
    fn a_list_of_an_organization_has_the_feed_of_its_own_provider() {
        let feed: Feed = "connect/acme".parse().expect("a feed");
        let list = ListId::new(&feed, ListKind::Payments);
        assert_eq!(
            (list.to_string(), list.feed().to_string()),
            ("zerohash/acme:payments".into(), "zerohash/acme".into())
        );
    }
}
