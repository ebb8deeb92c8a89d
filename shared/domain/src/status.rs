//! Statuses and their order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Kind, UnknownName};

/// How far a deposit has come. Declared in rank order; the last three share a rank and are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DepositStatus {
    /// The user asked for it; nothing has moved.
    Pending,
    /// The sending exchange or wallet took it on.
    Submitted,
    /// The money is in; information is missing (travel rule, name match).
    Held,
    /// The user left before sending. Not final: a manual transfer to the shown address may still arrive.
    Abandoned,
    /// Final on chain and creditable.
    Confirmed,
    /// It will not arrive.
    Failed,
    /// It arrived outside the authorised flow and is to be returned.
    Unexpected,
}

/// How far a withdrawal has come. Declared in rank order; the last three share a rank and are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawalStatus {
    /// The provider has taken it on.
    Initiated,
    /// It was handed over for sending.
    Submitted,
    /// It is on its way on chain.
    Broadcast,
    /// Final on chain.
    Confirmed,
    /// It will not go out.
    Failed,
    /// It was given up before it went out.
    Abandoned,
}

/// A status, and with it the kind of resource it can be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Of a deposit.
    Deposit(DepositStatus),
    /// Of a withdrawal.
    Withdrawal(WithdrawalStatus),
    /// Of a webhook that nothing claims: it was seen.
    Unrecognized,
}

impl Status {
    /// Every status of every kind.
    pub const ALL: [Self; 14] = [
        Self::Deposit(DepositStatus::Pending),
        Self::Deposit(DepositStatus::Submitted),
        Self::Deposit(DepositStatus::Held),
        Self::Deposit(DepositStatus::Abandoned),
        Self::Deposit(DepositStatus::Confirmed),
        Self::Deposit(DepositStatus::Failed),
        Self::Deposit(DepositStatus::Unexpected),
        Self::Withdrawal(WithdrawalStatus::Initiated),
        Self::Withdrawal(WithdrawalStatus::Submitted),
        Self::Withdrawal(WithdrawalStatus::Broadcast),
        Self::Withdrawal(WithdrawalStatus::Confirmed),
        Self::Withdrawal(WithdrawalStatus::Failed),
        Self::Withdrawal(WithdrawalStatus::Abandoned),
        Self::Unrecognized,
    ];

    /// The kind of resource that can have this status.
    pub fn kind(self) -> Kind {
        match self {
            Self::Deposit(_) => Kind::Deposit,
            Self::Withdrawal(_) => Kind::Withdrawal,
            Self::Unrecognized => Kind::Unrecognized,
        }
    }

    /// The name in events and attributes: `confirmed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deposit(DepositStatus::Pending) => "pending",
            Self::Deposit(DepositStatus::Held) => "held",
            Self::Deposit(DepositStatus::Unexpected) => "unexpected",
            Self::Withdrawal(WithdrawalStatus::Initiated) => "initiated",
            Self::Withdrawal(WithdrawalStatus::Broadcast) => "broadcast",
            Self::Deposit(DepositStatus::Submitted) | Self::Withdrawal(WithdrawalStatus::Submitted) => "submitted",
            Self::Deposit(DepositStatus::Abandoned) | Self::Withdrawal(WithdrawalStatus::Abandoned) => "abandoned",
            Self::Deposit(DepositStatus::Confirmed) | Self::Withdrawal(WithdrawalStatus::Confirmed) => "confirmed",
            Self::Deposit(DepositStatus::Failed) | Self::Withdrawal(WithdrawalStatus::Failed) => "failed",
            Self::Unrecognized => "seen",
        }
    }

    /// The status of `kind` that bears `name`.
    pub fn named(kind: Kind, name: &str) -> Result<Self, UnknownName> {
        let named = Self::ALL.into_iter().find(|status| status.kind() == kind && status.as_str() == name);
        named.ok_or_else(|| UnknownName(name.to_owned(), "status"))
    }

    /// How far along its kind's road the status lies. Statuses that exclude each other share a rank.
    pub fn rank(self) -> u8 {
        match self {
            Self::Deposit(DepositStatus::Pending) | Self::Withdrawal(WithdrawalStatus::Initiated) => 0,
            Self::Deposit(DepositStatus::Submitted) | Self::Withdrawal(WithdrawalStatus::Submitted) => 1,
            Self::Deposit(DepositStatus::Held) | Self::Withdrawal(WithdrawalStatus::Broadcast) => 2,
            Self::Deposit(DepositStatus::Abandoned) => 3,
            Self::Deposit(DepositStatus::Confirmed | DepositStatus::Failed | DepositStatus::Unexpected)
            | Self::Withdrawal(WithdrawalStatus::Confirmed | WithdrawalStatus::Failed | WithdrawalStatus::Abandoned) => {
                4
            }
            Self::Unrecognized => 0,
        }
    }

    /// Whether nothing further is expected. Two different final statuses of one resource contradict each other.
    pub fn is_final(self) -> bool {
        match self {
            Self::Deposit(status) => match status {
                DepositStatus::Pending | DepositStatus::Submitted | DepositStatus::Held | DepositStatus::Abandoned => {
                    false
                }
                DepositStatus::Confirmed | DepositStatus::Failed | DepositStatus::Unexpected => true,
            },
            Self::Withdrawal(status) => match status {
                WithdrawalStatus::Initiated | WithdrawalStatus::Submitted | WithdrawalStatus::Broadcast => false,
                WithdrawalStatus::Confirmed | WithdrawalStatus::Failed | WithdrawalStatus::Abandoned => true,
            },
            Self::Unrecognized => true,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_found_again_by_its_name() {
        for status in Status::ALL {
            assert_eq!(Status::named(status.kind(), status.as_str()), Ok(status));
        }
        assert!(Status::named(Kind::Withdrawal, "held").is_err());
    }

    #[test]
    fn within_a_kind_final_statuses_alone_share_the_highest_rank() {
        for a in Status::ALL {
            for b in Status::ALL.into_iter().filter(|b| b.kind() == a.kind() && *b != a) {
                assert_eq!(a.rank() == b.rank(), a.is_final() && b.is_final(), "{a:?} and {b:?}");
                assert!(!a.is_final() || a.rank() >= b.rank(), "{a:?} is final and ranks below {b:?}");
            }
        }
    }
}
