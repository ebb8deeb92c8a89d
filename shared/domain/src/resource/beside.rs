//! What a statement means beside a final one: one table, for each kind, webhook family, status and reason.
//!
//! Guarantees:
//!
//! - Every combination has an entry: the matches have no default arm.
//! - The entry does not depend on which of the two arrived first.

use super::statement::StatementContent;
use crate::{DepositStatus, ExchangeStatus, FeeStatus, HoldReason, Status, WebhookFamily, WithdrawalStatus};

/// A status, and the reason when it is `held`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The status.
    pub status: Status,
    /// Why the deposit is held.
    pub hold: Option<HoldReason>,
}

/// What a statement means beside a final one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beside {
    /// It belongs before the final one: the history grows, and nothing changes.
    Late,
    /// The final one undoes it: a documented course of the family.
    Reversed,
    /// The same status again: one occurrence, if both state the same money; otherwise the two conflict.
    LateIfAmountsAgree,
    /// It belongs before the final one if the provider sent it before; otherwise the two conflict.
    LateIfSentBefore,
    /// The two exclude each other: the resource needs review.
    Conflicting,
}

impl Beside {
    /// The name in the documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Reversed => "reversed",
            Self::LateIfAmountsAgree => "late if the amounts agree, else conflicting",
            Self::LateIfSentBefore => "late if sent before, else conflicting",
            Self::Conflicting => "conflicting",
        }
    }
}

/// What `other`, reported by `family`, means beside the final status `last`. `None` when `last` is not final, or when
/// the two are statuses of different kinds.
pub fn beside(last: Status, other: Reported, family: Option<WebhookFamily>) -> Option<Beside> {
    Some(match (last, other.status) {
        (Status::Deposit(last), Status::Deposit(status)) => deposit(last, status, other.hold, family)?,
        (Status::Withdrawal(last), Status::Withdrawal(status)) => withdrawal(last, status)?,
        (Status::Fee(last), Status::Fee(status)) => fee(last, status),
        (Status::Exchange(last), Status::Exchange(status)) => exchange(last, status)?,
        (Status::Unrecognized, Status::Unrecognized) => Beside::Late,
        (
            Status::Deposit(_)
            | Status::Withdrawal(_)
            | Status::Fee(_)
            | Status::Exchange(_)
            | Status::Recovery(_)
            | Status::Participant(_)
            | Status::ExternalAccount(_)
            | Status::Balance
            | Status::Unrecognized,
            _,
        ) => return None,
    })
}

fn deposit(
    last: DepositStatus,
    other: DepositStatus,
    hold: Option<HoldReason>,
    family: Option<WebhookFamily>,
) -> Option<Beside> {
    use DepositStatus::{Abandoned, Confirmed, Failed, Held, Pending, Reversed, Submitted, Unexpected};
    Some(match (last, other) {
        (Pending | Submitted | Abandoned | Held, _) => return None,
        (Confirmed | Failed | Unexpected, Pending | Submitted | Abandoned) => Beside::Late,
        (Confirmed, Held) => held_beside_confirmed(hold, family),
        (Failed | Unexpected, Held) => held_beside_rejected(hold),
        (Confirmed, Confirmed) => Beside::LateIfAmountsAgree,
        (Failed, Failed) | (Unexpected, Unexpected) => Beside::Late,
        (Confirmed, Failed | Unexpected) | (Failed, Confirmed | Unexpected) | (Unexpected, Confirmed | Failed) => {
            Beside::Conflicting
        }
        // A person decided, and knew what had been reported.
        (Confirmed | Failed | Unexpected, Reversed) | (Reversed, Confirmed | Failed | Unexpected) => Beside::Reversed,
        (Reversed, Pending | Submitted | Abandoned | Held | Reversed) => Beside::Late,
    })
}

/// A hold beside a confirmation.
fn held_beside_confirmed(hold: Option<HoldReason>, family: Option<WebhookFamily>) -> Beside {
    let Some(hold) = hold else {
        return Beside::LateIfSentBefore;
    };
    match hold {
        // A match that is pending, missing information and an approval end in a confirmation [zerohash-name-match].
        HoldReason::AccountMatchPending
        | HoldReason::TravelRule
        | HoldReason::ApprovalPending
        | HoldReason::SettlementPending => Beside::Late,
        HoldReason::ComplianceReview => match family {
            // `pending_compliance_review` comes before `completed`, which is terminal [zerohash-deposit-status].
            Some(WebhookFamily::ZerohashDepositStatus) => Beside::Late,
            // A fund transaction that compliance holds waits for a person, who may release it [zerohash-fund-webhooks].
            // The other way round, the provider takes back what it credited.
            Some(
                WebhookFamily::ConnectDeposits
                | WebhookFamily::ConnectWithdrawals
                | WebhookFamily::ConnectTransactions
                | WebhookFamily::ZerohashFund
                | WebhookFamily::ZerohashDepositFailed
                | WebhookFamily::ZerohashPayments
                | WebhookFamily::StrigaTransactions,
            )
            | None => Beside::LateIfSentBefore,
        },
        HoldReason::StatusUnknown | HoldReason::UnknownReason => Beside::LateIfSentBefore,
        // The provider said that it credited the deposit, and Fundhook could not tell with what.
        HoldReason::AccountUnknown
        | HoldReason::AmountMissing
        | HoldReason::UnitUnknown
        | HoldReason::FeesUnreadable
        | HoldReason::FeeBearerUnknown
        | HoldReason::Corroborates => Beside::LateIfAmountsAgree,
        // No statement says so: it follows from what another deposit says.
        HoldReason::MayBeCredited => Beside::Late,
        HoldReason::AmountNotPositive
        | HoldReason::AmountsDisagree
        | HoldReason::NotConverted
        | HoldReason::AccountMatchFailed
        | HoldReason::Quarantined => Beside::Conflicting,
    }
}

/// A hold beside a status that says that the deposit is not credited.
fn held_beside_rejected(hold: Option<HoldReason>) -> Beside {
    let Some(hold) = hold else {
        return Beside::LateIfSentBefore;
    };
    match hold {
        HoldReason::AccountMatchPending
        | HoldReason::TravelRule
        | HoldReason::ApprovalPending
        | HoldReason::SettlementPending
        | HoldReason::ComplianceReview => Beside::Late,
        HoldReason::StatusUnknown | HoldReason::UnknownReason => Beside::LateIfSentBefore,
        // The provider said that it credited the deposit, or where it put the money instead.
        HoldReason::AccountUnknown
        | HoldReason::AmountMissing
        | HoldReason::UnitUnknown
        | HoldReason::FeesUnreadable
        | HoldReason::FeeBearerUnknown
        | HoldReason::Corroborates
        | HoldReason::AmountNotPositive
        | HoldReason::AmountsDisagree
        | HoldReason::NotConverted
        | HoldReason::AccountMatchFailed
        | HoldReason::Quarantined => Beside::Conflicting,
        // No statement says so: it follows from what another deposit says.
        HoldReason::MayBeCredited => Beside::Late,
    }
}

fn withdrawal(last: WithdrawalStatus, other: WithdrawalStatus) -> Option<Beside> {
    use WithdrawalStatus::{Abandoned, Broadcast, Confirmed, Failed, Initiated, Returned, Submitted};
    Some(match (last, other) {
        (Initiated | Submitted | Broadcast, _) => return None,
        (Confirmed | Failed | Abandoned | Returned, Initiated | Submitted) => Beside::Late,
        // `posted` and then `failed` is documented [zerohash-releasing-funds].
        (Confirmed | Failed | Returned, Broadcast) => Beside::Late,
        // What was given up before it was sent cannot have been sent.
        (Abandoned, Broadcast) => Beside::Conflicting,
        (Confirmed, Confirmed) => Beside::LateIfAmountsAgree,
        (Failed, Failed) | (Abandoned, Abandoned) => Beside::Late,
        (Returned, Returned) => Beside::LateIfAmountsAgree,
        // A settled bank payment may be returned up to 60 days later [zerohash-ach-returns].
        (Returned, Confirmed) | (Confirmed, Returned) => Beside::Reversed,
        (Returned, Failed | Abandoned)
        | (Confirmed, Failed | Abandoned)
        | (Failed, Confirmed | Abandoned | Returned)
        | (Abandoned, Confirmed | Failed | Returned) => Beside::Conflicting,
    })
}

fn fee(last: FeeStatus, other: FeeStatus) -> Beside {
    use FeeStatus::{Charged, Refunded};
    match (last, other) {
        (Charged, Charged) | (Refunded, Refunded) => Beside::LateIfAmountsAgree,
        (Refunded, Charged) | (Charged, Refunded) => Beside::Reversed,
    }
}

fn exchange(last: ExchangeStatus, other: ExchangeStatus) -> Option<Beside> {
    use ExchangeStatus::{Confirmed, Pending, Refunded};
    Some(match (last, other) {
        (Pending, _) => return None,
        (Confirmed | Refunded, Pending) => Beside::Late,
        (Confirmed, Confirmed) | (Refunded, Refunded) => Beside::LateIfAmountsAgree,
        (Confirmed, Refunded) | (Refunded, Confirmed) => Beside::Conflicting,
    })
}

/// What makes `other` conflict with `last`, the statement with the final status: `status`, or the names of what both
/// state and state differently. Empty when they do not conflict.
///
/// `was_sent_before` is whether the provider sent `other` before `last`.
pub(super) fn conflict_between(
    last: &StatementContent,
    other: &StatementContent,
    was_sent_before: impl FnOnce() -> bool,
) -> Vec<&'static str> {
    let (Some(status), Some(reported)) = (last.status, other.reported()) else {
        return Vec::new();
    };
    let Some(beside) = beside(status, reported, other.family()) else {
        return Vec::new();
    };
    match beside {
        Beside::Late | Beside::Reversed => Vec::new(),
        Beside::LateIfAmountsAgree => last.different_money(other),
        Beside::LateIfSentBefore if was_sent_before() => Vec::new(),
        Beside::LateIfSentBefore | Beside::Conflicting => vec!["status"],
    }
}
