//! Statuses and their order.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Course, Kind, UnknownName};

/// How far a deposit has come, in rank order; the last three share a rank and are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DepositStatus {
    /// It is announced, or seen on chain, and not confirmed.
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

/// How far a withdrawal has come, in rank order; the last three share a rank and are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
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

/// What became of a fee. Both are final: a charge stands until it is refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeeStatus {
    /// It was taken.
    Charged,
    /// It was given back.
    Refunded,
}

/// How far the return of unexpected money has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryStatus {
    /// Money is to be returned and nothing moves: the user must act.
    Required,
    /// Some of it is on its way back.
    InProgress,
    /// Nothing is left to return. A further unexpected deposit makes it `required` again.
    Resolved,
}

/// A user's standing with the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantStatus {
    /// Handed in, and given a code.
    Submitted,
    /// Waits for a person's approval.
    PendingApproval,
    /// May transact.
    Approved,
    /// Was refused.
    Rejected,
    /// May not transact for now.
    Locked,
    /// May not transact any more; balances may remain.
    Disabled,
    /// Has had its balances paid out.
    Divested,
    /// Was closed.
    Closed,
}

/// The standing of a user's account elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExternalAccountStatus {
    /// Waits for approval.
    Pending,
    /// May be used.
    Approved,
    /// Was refused.
    Rejected,
    /// May not be used for now.
    Locked,
    /// May not be used any more.
    Disabled,
    /// Was closed.
    Closed,
}

/// A status, and with it the kind of resource it can be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Of a deposit.
    Deposit(DepositStatus),
    /// Of a withdrawal.
    Withdrawal(WithdrawalStatus),
    /// Of a fee.
    Fee(FeeStatus),
    /// Of a recovery.
    Recovery(RecoveryStatus),
    /// Of a participant.
    Participant(ParticipantStatus),
    /// Of an external account.
    ExternalAccount(ExternalAccountStatus),
    /// Of a balance: it changed.
    Balance,
    /// Of a webhook that nothing claims: it was seen.
    Unrecognized,
}

impl Status {
    /// Every status of every kind.
    pub const ALL: [Self; 34] = [
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
        Self::Fee(FeeStatus::Charged),
        Self::Fee(FeeStatus::Refunded),
        Self::Recovery(RecoveryStatus::Required),
        Self::Recovery(RecoveryStatus::InProgress),
        Self::Recovery(RecoveryStatus::Resolved),
        Self::Participant(ParticipantStatus::Submitted),
        Self::Participant(ParticipantStatus::PendingApproval),
        Self::Participant(ParticipantStatus::Approved),
        Self::Participant(ParticipantStatus::Rejected),
        Self::Participant(ParticipantStatus::Locked),
        Self::Participant(ParticipantStatus::Disabled),
        Self::Participant(ParticipantStatus::Divested),
        Self::Participant(ParticipantStatus::Closed),
        Self::ExternalAccount(ExternalAccountStatus::Pending),
        Self::ExternalAccount(ExternalAccountStatus::Approved),
        Self::ExternalAccount(ExternalAccountStatus::Rejected),
        Self::ExternalAccount(ExternalAccountStatus::Locked),
        Self::ExternalAccount(ExternalAccountStatus::Disabled),
        Self::ExternalAccount(ExternalAccountStatus::Closed),
        Self::Balance,
        Self::Unrecognized,
    ];

    /// The kind of resource that can have this status.
    pub fn kind(self) -> Kind {
        match self {
            Self::Deposit(_) => Kind::Deposit,
            Self::Withdrawal(_) => Kind::Withdrawal,
            Self::Fee(_) => Kind::Fee,
            Self::Recovery(_) => Kind::Recovery,
            Self::Participant(_) => Kind::Participant,
            Self::ExternalAccount(_) => Kind::ExternalAccount,
            Self::Balance => Kind::Balance,
            Self::Unrecognized => Kind::Unrecognized,
        }
    }

    /// The name in events and attributes: `confirmed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deposit(status) => match status {
                DepositStatus::Pending => "pending",
                DepositStatus::Submitted => "submitted",
                DepositStatus::Held => "held",
                DepositStatus::Abandoned => "abandoned",
                DepositStatus::Confirmed => "confirmed",
                DepositStatus::Failed => "failed",
                DepositStatus::Unexpected => "unexpected",
            },
            Self::Withdrawal(status) => match status {
                WithdrawalStatus::Initiated => "initiated",
                WithdrawalStatus::Submitted => "submitted",
                WithdrawalStatus::Broadcast => "broadcast",
                WithdrawalStatus::Confirmed => "confirmed",
                WithdrawalStatus::Failed => "failed",
                WithdrawalStatus::Abandoned => "abandoned",
            },
            Self::Fee(status) => match status {
                FeeStatus::Charged => "charged",
                FeeStatus::Refunded => "refunded",
            },
            Self::Recovery(status) => match status {
                RecoveryStatus::Required => "required",
                RecoveryStatus::InProgress => "in_progress",
                RecoveryStatus::Resolved => "resolved",
            },
            Self::Participant(status) => match status {
                ParticipantStatus::Submitted => "submitted",
                ParticipantStatus::PendingApproval => "pending_approval",
                ParticipantStatus::Approved => "approved",
                ParticipantStatus::Rejected => "rejected",
                ParticipantStatus::Locked => "locked",
                ParticipantStatus::Disabled => "disabled",
                ParticipantStatus::Divested => "divested",
                ParticipantStatus::Closed => "closed",
            },
            Self::ExternalAccount(status) => match status {
                ExternalAccountStatus::Pending => "pending",
                ExternalAccountStatus::Approved => "approved",
                ExternalAccountStatus::Rejected => "rejected",
                ExternalAccountStatus::Locked => "locked",
                ExternalAccountStatus::Disabled => "disabled",
                ExternalAccountStatus::Closed => "closed",
            },
            Self::Balance => "changed",
            Self::Unrecognized => "seen",
        }
    }

    /// The status of `kind` that bears `name`.
    pub fn named(kind: Kind, name: &str) -> Result<Self, UnknownName> {
        let named = Self::ALL.into_iter().find(|status| status.kind() == kind && status.as_str() == name);
        named.ok_or_else(|| UnknownName(name.to_owned(), "status"))
    }

    /// How far along its kind's road the status lies. Statuses that exclude each other share a rank, and so do all of a
    /// kind whose latest one stands.
    pub fn rank(self) -> u8 {
        match self {
            Self::Deposit(status) => match status {
                DepositStatus::Pending => 0,
                DepositStatus::Submitted => 1,
                DepositStatus::Held => 2,
                DepositStatus::Abandoned => 3,
                DepositStatus::Confirmed | DepositStatus::Failed | DepositStatus::Unexpected => 4,
            },
            Self::Withdrawal(status) => match status {
                WithdrawalStatus::Initiated => 0,
                WithdrawalStatus::Submitted => 1,
                WithdrawalStatus::Broadcast => 2,
                WithdrawalStatus::Confirmed | WithdrawalStatus::Failed | WithdrawalStatus::Abandoned => 3,
            },
            Self::Fee(status) => match status {
                FeeStatus::Charged => 0,
                FeeStatus::Refunded => 1,
            },
            Self::Recovery(status) => match status {
                RecoveryStatus::Required => 0,
                RecoveryStatus::InProgress => 1,
                RecoveryStatus::Resolved => 2,
            },
            Self::Participant(_) | Self::ExternalAccount(_) | Self::Balance | Self::Unrecognized => 0,
        }
    }

    /// Whether nothing further is expected. Two different final statuses of one rank contradict each other.
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
            Self::Recovery(status) => match status {
                RecoveryStatus::Required | RecoveryStatus::InProgress => false,
                RecoveryStatus::Resolved => true,
            },
            Self::Fee(_) | Self::Unrecognized => true,
            Self::Participant(_) | Self::ExternalAccount(_) | Self::Balance => false,
        }
    }

    /// Whether somebody waits for a further status: not for one that is final, and not for kinds that have no end.
    pub fn is_awaited(self) -> bool {
        !self.is_final() && self.kind().course() != Course::Latest
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
    fn on_a_road_only_final_statuses_share_a_rank_and_none_ranks_below_one_that_is_not_final() {
        let on_a_road = |status: &Status| status.kind().course() == Course::Road;
        for a in Status::ALL.into_iter().filter(on_a_road) {
            for b in Status::ALL.into_iter().filter(|b| b.kind() == a.kind() && *b != a) {
                assert!(a.rank() != b.rank() || (a.is_final() && b.is_final()), "{a:?} and {b:?}");
                assert!(!a.is_final() || b.is_final() || a.rank() > b.rank(), "{a:?} is final and ranks below {b:?}");
            }
        }
    }

    #[test]
    fn where_the_latest_status_stands_nothing_ranks_and_nothing_is_awaited() {
        for status in Status::ALL.into_iter().filter(|status| status.kind().course() == Course::Latest) {
            assert_eq!((status.rank(), status.is_final(), status.is_awaited()), (0, false, false), "{status:?}");
        }
    }
}
