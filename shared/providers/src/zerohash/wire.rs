//! zerohash's names for payload types and statuses [zerohash-webhooks, zerohash-fund-update, zerohash-recovery,
//! zerohash-deposit-status].

use fundhook_domain::{DepositStatus, Kind, Status, WithdrawalStatus};

use crate::wire::Fields;

/// The sorts of webhook that are recognized. Their bodies do not name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A fund transaction [zerohash-reference-id, zerohash-fund-update].
    Fund,
    /// A payment [zerohash-recovery §7].
    Payment,
    /// A deposit's status [zerohash-deposit-status].
    Deposit,
    /// An account's balance [zerohash-balances].
    Balance,
    /// An external account's status [zerohash-external-accounts].
    ExternalAccount,
    /// A participant's status [zerohash-participants].
    Participant,
    /// A deposit outside the authorised flow: `DEPOSIT_FAILED` [zerohash-recovery §1].
    DepositFailed,
}

/// What the payload type header names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A sort that is recognized.
    Sort(Sort),
    /// A payload type of the provider that is not supported.
    NotSupported,
    /// There is no header, or its name is not known: no page of the provider has the payload type of `DEPOSIT_FAILED`.
    Unknown,
}

impl Sort {
    /// Every sort, from the most specific form of body to the least.
    const ALL: [Self; 7] = [
        Self::Fund,
        Self::Payment,
        Self::Deposit,
        Self::Balance,
        Self::ExternalAccount,
        Self::Participant,
        Self::DepositFailed,
    ];

    /// The payload type in facts and events.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Fund => "deposit_fund_complete",
            Self::Payment => "payment_status_changed",
            Self::Deposit => "deposit.status_changed",
            Self::Balance => "account_balance.changed",
            Self::ExternalAccount => "external_account_status_changed",
            Self::Participant => "participant_status_changed",
            Self::DepositFailed => "deposit_failed",
        }
    }

    /// Whether a body has the members that distinguish this sort from the others.
    fn fits(self, members: &Fields) -> bool {
        let all = |names: &[&str]| names.iter().all(|name| members.has(name));
        match self {
            Self::Fund => all(&["fund_id", "success"]),
            Self::Payment => all(&["payment_type", "status"]),
            Self::Deposit => all(&["deposit_id", "state"]),
            Self::Balance => all(&["balance", "account_label", "asset"]),
            Self::ExternalAccount => all(&["external_account_id", "external_account_status"]),
            Self::Participant => all(&["participant_code", "participant_status"]),
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
            Named::Sort(sort) => Some(sort).filter(|sort| sort.fits(members)),
            Named::Unknown => None,
        };
        named.or_else(|| Self::ALL.into_iter().find(|sort| sort.fits(members)))
    }
}

/// The meaning of a payload type, which is spelled with `.` or `_` (`trade.status_changed`, `trade_status_changed`).
pub(super) fn named(payload_type: Option<&str>) -> Named {
    let name = payload_type.map(|name| name.to_ascii_lowercase().replace('.', "_"));
    match name.as_deref() {
        Some("deposit_fund_complete") => Named::Sort(Sort::Fund),
        Some("payment_status_changed") => Named::Sort(Sort::Payment),
        Some("deposit_status_changed") => Named::Sort(Sort::Deposit),
        Some("account_balance_changed") => Named::Sort(Sort::Balance),
        Some("external_account_status_changed") => Named::Sort(Sort::ExternalAccount),
        Some("participant_status_changed" | "participant_updated") => Named::Sort(Sort::Participant),
        Some("deposit_failed") => Named::Sort(Sort::DepositFailed),
        Some("asset_mover_update" | "crypto_pay_status_changed" | "trade_status_changed") => Named::NotSupported,
        Some(_) | None => Named::Unknown,
    }
}

/// The status that a state of `deposit.status_changed` reports. zerohash's `confirmed` describes the chain; a deposit
/// may be credited once it is `completed` [zerohash-deposit-status].
pub(super) fn deposit_state(state: &str) -> Option<Status> {
    Some(Status::Deposit(match state {
        "initial" => DepositStatus::Pending,
        "confirmed" => DepositStatus::Submitted,
        "pending_compliance_review" | "pending_approval" | "pending_settlement" | "quarantined" => DepositStatus::Held,
        "completed" => DepositStatus::Confirmed,
        "recovery_quarantine" => DepositStatus::Unexpected,
        _ => return None,
    }))
}

/// The status that a payment reports. `posted` is in transit on chain; only `settled` is final [zerohash-payments].
pub(super) fn payment_status(status: &str) -> Option<Status> {
    Some(Status::Withdrawal(match status {
        "initialized" | "pending" => WithdrawalStatus::Initiated,
        "submitted" => WithdrawalStatus::Submitted,
        "posted" => WithdrawalStatus::Broadcast,
        "settled" => WithdrawalStatus::Confirmed,
        "failed" => WithdrawalStatus::Failed,
        "abandoned" => WithdrawalStatus::Abandoned,
        _ => return None,
    }))
}

/// A participant's status, in the provider's words.
pub(super) fn participant_status(status: &str) -> Option<Status> {
    Status::named(Kind::Participant, status).ok()
}

/// An external account's status, in the provider's words.
pub(super) fn external_account_status(status: &str) -> Option<Status> {
    Status::named(Kind::ExternalAccount, status).ok()
}
