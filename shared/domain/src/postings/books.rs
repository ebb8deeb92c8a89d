//! Books: amounts by ledger account and asset, and the lines that change them.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{AddAssign, Sub};

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::{CoinId, DecimalValue, Feed, Network, ToldCoin};

/// An account of the platform's ledger. Each organization has its own ledger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LedgerAccount {
    /// What the provider holds for the platform and its customers. An asset: debits raise it.
    Provider(Feed),
    /// What left a customer's account and has not arrived yet. Credits raise it, until it arrives or comes back.
    InTransit(Feed),
    /// What the platform owes a customer. A liability: credits raise it.
    Customer(String),
    /// Fees that customers bore. Credits raise it: the provider keeps them, or pays them to the platform.
    Fees(Feed),
    /// Money that may not be credited yet: it is held, its statements conflict, or its owner is not known. A liability.
    Held(Feed),
    /// Money that arrived outside the authorised flow and is to be returned. A liability.
    Returns(Feed),
    /// The exchange of one asset for another: what was given up is credited, and what was received is debited.
    Conversion(Feed),
}

impl fmt::Display for LedgerAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider(feed) => write!(f, "provider:{feed}"),
            Self::InTransit(feed) => write!(f, "in_transit:{feed}"),
            Self::Customer(account) => write!(f, "customer:{account}"),
            Self::Fees(feed) => write!(f, "fees:{feed}"),
            Self::Held(feed) => write!(f, "held:{feed}"),
            Self::Returns(feed) => write!(f, "returns:{feed}"),
            Self::Conversion(feed) => write!(f, "conversion:{feed}"),
        }
    }
}

impl Serialize for LedgerAccount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The side of a ledger account on which a line is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Raises `provider` and lowers what is owed.
    Debit,
    /// Raises what is owed and lowers `provider`.
    Credit,
}

impl Direction {
    /// The name in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
        }
    }
}

/// One line of an event: an amount on one side of a ledger account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Posting {
    /// The ledger account: `provider:<feed>`, `in_transit:<feed>`, `customer:<account>`, `fees:<feed>`, `held:<feed>`,
    /// `returns:<feed>` or `conversion:<feed>`.
    #[schemars(with = "String", example = &"customer:CUST01")]
    pub ledger_account: LedgerAccount,
    /// Its side.
    pub direction: Direction,
    /// The amount in whole units, above zero.
    pub value: DecimalValue,
    /// The asset's code in upper case, or the currency.
    #[schemars(example = &"USDC")]
    pub asset: String,
}

/// Amounts by ledger account and asset. Debits are above zero, credits below, and no amount is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books(BTreeMap<(String, LedgerAccount), DecimalValue>);

impl Books {
    /// Books `amount` from the one account to the other.
    pub(super) fn book(&mut self, debit: LedgerAccount, credit: LedgerAccount, Booked { value, asset }: &Booked) {
        self.add(debit, asset, value.clone());
        self.add(credit, asset, DecimalValue::zero() - value);
    }

    fn add(&mut self, account: LedgerAccount, asset: &str, value: DecimalValue) {
        let key = (asset.to_owned(), account);
        let sum = self.0.remove(&key).unwrap_or_else(DecimalValue::zero) + &value;
        if sum != DecimalValue::zero() {
            self.0.insert(key, sum);
        }
    }

    /// The balances: the asset, the account, and the amount. Debits are above zero.
    pub fn balances(&self) -> impl Iterator<Item = (&str, &LedgerAccount, &DecimalValue)> {
        self.0.iter().map(|((asset, account), value)| (asset.as_str(), account, value))
    }

    /// The balances of the accounts for which `is_wanted` holds.
    #[must_use]
    pub fn only(&self, is_wanted: impl Fn(&LedgerAccount) -> bool) -> Self {
        let wanted = self.0.iter().filter(|((_, account), _)| is_wanted(account));
        Self(wanted.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// The lines that book this, by asset and ledger account.
    pub fn postings(&self) -> Vec<Posting> {
        let posting = |((asset, account), value): (&(String, LedgerAccount), &DecimalValue)| Posting {
            ledger_account: account.clone(),
            direction: if value.is_negative() { Direction::Credit } else { Direction::Debit },
            value: value.abs(),
            asset: asset.clone(),
        };
        self.0.iter().map(posting).collect()
    }
}

impl AddAssign<&Self> for Books {
    fn add_assign(&mut self, other: &Self) {
        other.0.iter().for_each(|((asset, account), value)| self.add(account.clone(), asset, value.clone()));
    }
}

impl Sub<&Self> for Books {
    type Output = Self;

    fn sub(mut self, other: &Self) -> Self {
        for ((asset, account), value) in &other.0 {
            self.add(account.clone(), asset, DecimalValue::zero() - value);
        }
        self
    }
}

/// An amount that can be booked: above zero, in one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Booked {
    pub(super) value: DecimalValue,
    pub(super) asset: String,
}

impl Booked {
    /// `value` whole units of the asset with this code. `None` when it cannot be booked: it is not above zero, or its asset
    /// is not known. The asset counts in canonical spelling, so that what one webhook books another one can undo.
    pub(super) fn of(value: Option<DecimalValue>, asset: Option<&str>, network: Option<&Network>) -> Option<Self> {
        let coin = CoinId::of(ToldCoin { asset, network, ..ToldCoin::default() });
        let (value, asset) = (value.filter(DecimalValue::is_positive)?, coin.asset()?.to_owned());
        Some(Self { value, asset })
    }

    /// What remains without `part`; `None` when nothing does.
    pub(super) fn less(&self, part: &DecimalValue) -> Option<Self> {
        let value = Some(self.value.clone() - part).filter(DecimalValue::is_positive)?;
        Some(Self { value, asset: self.asset.clone() })
    }

    /// A part of it; `None` when the part is not above zero.
    pub(super) fn part(&self, value: DecimalValue) -> Option<Self> {
        Some(Self { value: Some(value).filter(DecimalValue::is_positive)?, asset: self.asset.clone() })
    }
}
