//! zerohash's names for payload types and statuses [zerohash-webhooks, zerohash-fund-update, zerohash-recovery,
//! zerohash-deposit-status].

use fundhook_domain::{DepositStatus, HoldReason, Status, WithdrawalStatus};

use crate::accounts::AccountSort;
use crate::wire::Fields;

/// The sorts of webhook that are recognized. Their bodies do not name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A fund transaction [zerohash-reference-id, zerohash-fund-update].
    Fund,
    /// A payment to a chain [zerohash-recovery §7].
    Payment,
    /// A payment by a bank: ACH, wire, RTP [zerohash-payments].
    BankPayment,
    /// A deposit's status [zerohash-deposit-status].
    Deposit,
    /// A user or an account.
    Account(AccountSort),
    /// A deposit outside the authorised flow: `DEPOSIT_FAILED` [zerohash-recovery §1].
    DepositFailed,
}

/// What the payload type header names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Sorts that are recognized. Payments of both forms have one name.
    Sorts(&'static [Sort]),
    /// A sort about a user or an account.
    Account(AccountSort),
    /// A payload type of the provider that is not supported.
    NotSupported,
    /// There is no header, or its name is not known: no page of the provider has the payload type of `DEPOSIT_FAILED`.
    Unknown,
}

impl Sort {
    /// Every sort but those about accounts, from the most specific form of body to the least.
    const MONEY: [Self; 4] = [Self::Fund, Self::Payment, Self::BankPayment, Self::Deposit];

    /// The payload type in facts and events.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Fund => "deposit_fund_complete",
            Self::Payment | Self::BankPayment => "payment_status_changed",
            Self::Deposit => "deposit.status_changed",
            Self::Account(sort) => sort.as_str(),
            Self::DepositFailed => "deposit_failed",
        }
    }

    /// Whether a body has the members that distinguish this sort from the others.
    fn fits(self, members: &Fields) -> bool {
        let all = |names: &[&str]| names.iter().all(|name| members.has(name));
        let any = |names: &[&str]| names.iter().any(|name| members.has(name));
        match self {
            Self::Fund => all(&["fund_id"]) && any(&["success", "notional", "fund_asset"]),
            Self::Payment => all(&["status"]) && any(&["payment_type", "payment_details"]),
            Self::BankPayment => all(&["payment_status", "transaction_id"]),
            Self::Deposit => all(&["deposit_id", "state"]),
            Self::Account(sort) => sort.fits(members),
            Self::DepositFailed => {
                all(&["participant_code", "asset", "quantity", "transaction_id", "success"]) && !members.has("fund_id")
            }
        }
    }

    /// The sort of a body: the one that the header names, if the body has its members; otherwise the one whose members
    /// the body has.
    ///
    /// The header is not signed. So it may select among the sorts that fit a body, and it cannot add one.
    pub(super) fn of(named: Named, members: &Fields) -> Option<Self> {
        let named = match named {
            Named::NotSupported => return None,
            Named::Sorts(sorts) => sorts.iter().copied().find(|sort| sort.fits(members)),
            Named::Account(sort) => Some(Self::Account(sort)).filter(|sort| sort.fits(members)),
            Named::Unknown => None,
        };
        named
            .or_else(|| Self::MONEY.into_iter().find(|sort| sort.fits(members)))
            .or_else(|| AccountSort::of(members).map(Self::Account))
            .or_else(|| Some(Self::DepositFailed).filter(|sort| sort.fits(members)))
    }
}

/// The meaning of a payload type. It is compared in lower case and with `_` for `.`: the provider spells it both ways
/// (`trade.status_changed`, `DEPOSIT_FUND_COMPLETE`).
pub(super) fn named(payload_type: Option<&str>) -> Named {
    let Some(name) = payload_type.map(|name| name.trim().to_ascii_lowercase().replace('.', "_")) else {
        return Named::Unknown;
    };
    match name.as_str() {
        "deposit_fund_complete" => Named::Sorts(&[Sort::Fund]),
        "payment_status_changed" => Named::Sorts(&[Sort::Payment, Sort::BankPayment]),
        "deposit_status_changed" => Named::Sorts(&[Sort::Deposit]),
        "deposit_failed" => Named::Sorts(&[Sort::DepositFailed]),
        "asset_mover_update" | "asset_mover_updated" | "crypto_pay_status_changed" | "trade_status_changed" => {
            Named::NotSupported
        }
        other => AccountSort::named(other).map_or(Named::Unknown, Named::Account),
    }
}

/// What a state of `deposit.status_changed` reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DepositState {
    /// A status that needs neither a credit nor a hold.
    Reached(DepositStatus),
    /// The deposit is credited in the asset that arrived.
    Credited,
    /// The deposit is in, and not credited.
    Held(HoldReason),
}

/// The meaning of a state [zerohash-deposit-status]. zerohash's `confirmed` describes the chain; a deposit may be credited
/// once it is `completed`, which an older page calls `credited` [zerohash-deposit-changelog]. A state that is not known
/// holds the deposit.
pub(super) fn deposit_state(state: &str) -> DepositState {
    match state.to_ascii_lowercase().as_str() {
        "initial" | "pending" => DepositState::Reached(DepositStatus::Pending),
        "confirmed" => DepositState::Reached(DepositStatus::Submitted),
        "pending_compliance_review" => DepositState::Held(HoldReason::ComplianceReview),
        "pending_approval" => DepositState::Held(HoldReason::ApprovalPending),
        "pending_settlement" => DepositState::Held(HoldReason::SettlementPending),
        "quarantined" => DepositState::Held(HoldReason::Quarantined),
        "completed" | "credited" => DepositState::Credited,
        "recovery_quarantine" => DepositState::Reached(DepositStatus::Unexpected),
        _ => DepositState::Held(HoldReason::StatusUnknown),
    }
}

/// The status that a payment reports [zerohash-payments, zerohash-openapi]. `posted` is in transit; only `settled` is paid,
/// and a bank may still return it [zerohash-ach-returns]. `Some(None)` is a word that says nothing about the money; `None`
/// is a word that is not known.
pub(super) fn payment_status(status: &str) -> Option<Option<Status>> {
    let status = match status.to_ascii_lowercase().as_str() {
        "initialized" | "pending_trade" => WithdrawalStatus::Initiated,
        "submitted" | "pending" => WithdrawalStatus::Submitted,
        "posted" => WithdrawalStatus::Broadcast,
        "settled" => WithdrawalStatus::Confirmed,
        "failed" | "rejected" => WithdrawalStatus::Failed,
        "abandoned" | "cancelled" | "canceled" => WithdrawalStatus::Abandoned,
        "returned" | "returned_settled" => WithdrawalStatus::Returned,
        "retried" | "unspecified" => return Some(None),
        _ => return None,
    };
    Some(Some(Status::Withdrawal(status)))
}
