//! Statuses, their ranks, and which of them are final.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Kind, UnknownName};

/// The statuses of a deposit, in rank order. `confirmed`, `failed` and `unexpected` share a rank and are final; `reversed` is
/// final too, and undoes them. No provider states it.
///
/// Money that has arrived (`held`) outranks an abandoned session: a user may leave and pay later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DepositStatus {
    /// Announced or seen on chain, and not confirmed.
    Pending,
    /// Accepted by the sending exchange or wallet.
    Submitted,
    /// The user left before sending. Not final: a manual transfer to the displayed address may still arrive.
    Abandoned,
    /// The money has arrived, and may not be credited: `hold` says why and who must act.
    Held,
    /// Final, and may be credited: `credit` says with what.
    Confirmed,
    /// Will not arrive.
    Failed,
    /// Arrived outside the authorised flow and is to be returned.
    Unexpected,
    /// A person decided that it is not credited. What was booked for it is undone.
    Reversed,
}

/// The statuses of a withdrawal, in rank order. `confirmed`, `failed` and `abandoned` share a rank and are final;
/// `returned` is final too, and undoes `confirmed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawalStatus {
    /// Accepted by the provider.
    Initiated,
    /// Handed over for sending.
    Submitted,
    /// In transit on chain.
    Broadcast,
    /// Final on chain, or paid into the bank account.
    Confirmed,
    /// Will not be sent.
    Failed,
    /// Given up before it was sent.
    Abandoned,
    /// Paid, and sent back by the receiving bank: up to 60 days later [zerohash-ach-returns].
    Returned,
}

/// The statuses of a fee. Both are final: a charge holds until it is refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeeStatus {
    /// Charged to the account.
    Charged,
    /// Refunded to the account.
    Refunded,
}

/// The statuses of an exchange of one asset for another. The last two share a rank and are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeStatus {
    /// The asset that is sold has left the account.
    Pending,
    /// The asset that is bought has reached the account.
    Confirmed,
    /// The asset that was to be sold is back in the account.
    Refunded,
}

/// The statuses of a recovery, which returns unexpected money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryStatus {
    /// Money is to be returned and none is in transit: the user must act.
    Required,
    /// A payment that returns money is in transit.
    InProgress,
    /// Nothing may be returned before a person has reviewed it: another deposit reports the same coin as credited.
    Suspended,
    /// Nothing remains to be returned. Another unexpected deposit makes it `required` again.
    Resolved,
}

/// The statuses of a participant: a user of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantStatus {
    /// Registered and assigned a code.
    Submitted,
    /// Awaits manual approval.
    PendingApproval,
    /// May transact.
    Approved,
    /// Rejected by the provider.
    Rejected,
    /// May not transact at present.
    Locked,
    /// May no longer transact; balances may remain.
    Disabled,
    /// Balances were paid out.
    Divested,
    /// Closed for good.
    Closed,
}

/// The statuses of a user's account at another institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExternalAccountStatus {
    /// Awaits approval.
    Pending,
    /// May be used.
    Approved,
    /// Rejected by the provider.
    Rejected,
    /// May not be used at present.
    Locked,
    /// May no longer be used.
    Disabled,
    /// Closed for good.
    Closed,
}

/// A status, together with the kind of resource that can have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A deposit's status.
    Deposit(DepositStatus),
    /// A withdrawal's status.
    Withdrawal(WithdrawalStatus),
    /// A fee's status.
    Fee(FeeStatus),
    /// An exchange's status.
    Exchange(ExchangeStatus),
    /// A recovery's status.
    Recovery(RecoveryStatus),
    /// A participant's status.
    Participant(ParticipantStatus),
    /// An external account's status.
    ExternalAccount(ExternalAccountStatus),
    /// The only status of a balance: it changed.
    Balance,
    /// The only status of an unrecognized webhook: it was seen.
    Unrecognized,
}

impl Status {
    /// Every status of every kind.
    pub const ALL: [Self; 40] = [
        Self::Deposit(DepositStatus::Pending),
        Self::Deposit(DepositStatus::Submitted),
        Self::Deposit(DepositStatus::Abandoned),
        Self::Deposit(DepositStatus::Held),
        Self::Deposit(DepositStatus::Confirmed),
        Self::Deposit(DepositStatus::Failed),
        Self::Deposit(DepositStatus::Unexpected),
        Self::Deposit(DepositStatus::Reversed),
        Self::Withdrawal(WithdrawalStatus::Initiated),
        Self::Withdrawal(WithdrawalStatus::Submitted),
        Self::Withdrawal(WithdrawalStatus::Broadcast),
        Self::Withdrawal(WithdrawalStatus::Confirmed),
        Self::Withdrawal(WithdrawalStatus::Failed),
        Self::Withdrawal(WithdrawalStatus::Abandoned),
        Self::Withdrawal(WithdrawalStatus::Returned),
        Self::Fee(FeeStatus::Charged),
        Self::Fee(FeeStatus::Refunded),
        Self::Exchange(ExchangeStatus::Pending),
        Self::Exchange(ExchangeStatus::Confirmed),
        Self::Exchange(ExchangeStatus::Refunded),
        Self::Recovery(RecoveryStatus::Required),
        Self::Recovery(RecoveryStatus::InProgress),
        Self::Recovery(RecoveryStatus::Suspended),
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
            Self::Exchange(_) => Kind::Exchange,
            Self::Recovery(_) => Kind::Recovery,
            Self::Participant(_) => Kind::Participant,
            Self::ExternalAccount(_) => Kind::ExternalAccount,
            Self::Balance => Kind::Balance,
            Self::Unrecognized => Kind::Unrecognized,
        }
    }

    /// The name in events and event attributes: `confirmed`.
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
                DepositStatus::Reversed => "reversed",
            },
            Self::Withdrawal(status) => match status {
                WithdrawalStatus::Initiated => "initiated",
                WithdrawalStatus::Submitted => "submitted",
                WithdrawalStatus::Broadcast => "broadcast",
                WithdrawalStatus::Confirmed => "confirmed",
                WithdrawalStatus::Failed => "failed",
                WithdrawalStatus::Abandoned => "abandoned",
                WithdrawalStatus::Returned => "returned",
            },
            Self::Fee(status) => match status {
                FeeStatus::Charged => "charged",
                FeeStatus::Refunded => "refunded",
            },
            Self::Exchange(status) => match status {
                ExchangeStatus::Pending => "pending",
                ExchangeStatus::Confirmed => "confirmed",
                ExchangeStatus::Refunded => "refunded",
            },
            Self::Recovery(status) => match status {
                RecoveryStatus::Required => "required",
                RecoveryStatus::InProgress => "in_progress",
                RecoveryStatus::Suspended => "suspended",
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

    /// The status of `kind` that is called `name`.
    pub fn named(kind: Kind, name: &str) -> Result<Self, UnknownName> {
        let named = Self::ALL.into_iter().find(|status| status.kind() == kind && status.as_str() == name);
        named.ok_or_else(|| UnknownName { name: name.to_owned(), expected: "status" })
    }

    /// How far along its kind's lifecycle the status is. Statuses that exclude each other share a rank, and so do all
    /// statuses of a kind with the rule [`StatusRule::Latest`].
    pub fn rank(self) -> u8 {
        match self {
            Self::Deposit(status) => match status {
                DepositStatus::Pending => 0,
                DepositStatus::Submitted => 1,
                DepositStatus::Abandoned => 2,
                DepositStatus::Held => 3,
                DepositStatus::Confirmed | DepositStatus::Failed | DepositStatus::Unexpected => 4,
                DepositStatus::Reversed => 5,
            },
            Self::Withdrawal(status) => match status {
                WithdrawalStatus::Initiated => 0,
                WithdrawalStatus::Submitted => 1,
                WithdrawalStatus::Broadcast => 2,
                WithdrawalStatus::Confirmed | WithdrawalStatus::Failed | WithdrawalStatus::Abandoned => 3,
                WithdrawalStatus::Returned => 4,
            },
            Self::Fee(status) => match status {
                FeeStatus::Charged => 0,
                FeeStatus::Refunded => 1,
            },
            Self::Exchange(status) => match status {
                ExchangeStatus::Pending => 0,
                ExchangeStatus::Confirmed | ExchangeStatus::Refunded => 1,
            },
            Self::Recovery(status) => match status {
                RecoveryStatus::Required => 0,
                RecoveryStatus::InProgress => 1,
                RecoveryStatus::Suspended => 2,
                RecoveryStatus::Resolved => 3,
            },
            Self::Participant(_) | Self::ExternalAccount(_) | Self::Balance | Self::Unrecognized => 0,
        }
    }

    /// Whether no further status is expected. What a statement means beside a final one is in [`beside`](crate::beside).
    pub fn is_final(self) -> bool {
        match self {
            Self::Deposit(status) => match status {
                DepositStatus::Pending | DepositStatus::Submitted | DepositStatus::Abandoned | DepositStatus::Held => {
                    false
                }
                DepositStatus::Confirmed
                | DepositStatus::Failed
                | DepositStatus::Unexpected
                | DepositStatus::Reversed => true,
            },
            Self::Withdrawal(status) => match status {
                WithdrawalStatus::Initiated | WithdrawalStatus::Submitted | WithdrawalStatus::Broadcast => false,
                WithdrawalStatus::Confirmed
                | WithdrawalStatus::Failed
                | WithdrawalStatus::Abandoned
                | WithdrawalStatus::Returned => true,
            },
            Self::Exchange(status) => match status {
                ExchangeStatus::Pending => false,
                ExchangeStatus::Confirmed | ExchangeStatus::Refunded => true,
            },
            Self::Recovery(status) => match status {
                RecoveryStatus::Required | RecoveryStatus::InProgress | RecoveryStatus::Suspended => false,
                RecoveryStatus::Resolved => true,
            },
            Self::Fee(_) | Self::Unrecognized => true,
            Self::Participant(_) | Self::ExternalAccount(_) | Self::Balance => false,
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
    use crate::StatusRule;

    #[test]
    fn every_status_is_found_by_its_name() {
        for status in Status::ALL {
            assert_eq!(Status::named(status.kind(), status.as_str()), Ok(status));
        }
        assert!(Status::named(Kind::Withdrawal, "held").is_err());
    }

    #[test]
    fn only_final_statuses_of_a_lifecycle_share_a_rank_and_they_rank_above_all_others() {
        let has_lifecycle = |status: &Status| status.kind().status_rule() == StatusRule::Furthest;
        for a in Status::ALL.into_iter().filter(has_lifecycle) {
            for b in Status::ALL.into_iter().filter(|b| b.kind() == a.kind() && *b != a) {
                assert!(a.rank() != b.rank() || (a.is_final() && b.is_final()), "{a:?} and {b:?}");
                assert!(!a.is_final() || b.is_final() || a.rank() > b.rank(), "{a:?} is final and ranks below {b:?}");
            }
        }
    }

    #[test]
    fn statuses_of_kinds_without_an_end_have_no_rank_and_are_never_final() {
        for status in Status::ALL.into_iter().filter(|status| status.kind().status_rule() == StatusRule::Latest) {
            assert_eq!((status.rank(), status.is_final()), (0, false), "{status:?}");
        }
    }
}
