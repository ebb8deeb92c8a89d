//! zerohash's names for things, as in seeds 001 to 003 and on its public pages.

use fundhook_domain::{DepositStatus, Kind, Status, WithdrawalStatus};

use crate::wire::Fields;

/// The sorts of webhook that are understood. Their bodies carry no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A fund transaction (seeds 001 and 003).
    Fund,
    /// A payment (seed 002).
    Payment,
    /// A deposit's status.
    Deposit,
    /// An account's balance.
    Balance,
    /// An external account's status.
    ExternalAccount,
    /// A participant's status.
    Participant,
    /// A deposit outside the authorised flow (seed 002, `DEPOSIT_FAILED`).
    DepositFailed,
}

/// What the payload type header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A sort that is understood.
    Sort(Sort),
    /// A payload type of the provider's that nothing here claims.
    Unclaimed,
    /// No header, or a name that is not known: the name of `DEPOSIT_FAILED` is published nowhere.
    Nothing,
}

impl Sort {
    /// From the most particular shape to the least.
    const ALL: [Self; 7] = [
        Self::Fund,
        Self::Payment,
        Self::Deposit,
        Self::Balance,
        Self::ExternalAccount,
        Self::Participant,
        Self::DepositFailed,
    ];

    /// The payload type, as facts and events have it.
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

    /// Whether a body has the members that tell this sort from the others.
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

    /// The sort of a body: the one that the header names if the body has its members, else the one whose members it has.
    ///
    /// The header is not signed, so it may choose among what a body can mean and cannot make it mean anything else.
    pub(super) fn of(named: Named, members: &Fields) -> Option<Self> {
        let named = match named {
            Named::Unclaimed => return None,
            Named::Sort(sort) => Some(sort).filter(|sort| sort.fits(members)),
            Named::Nothing => None,
        };
        named.or_else(|| Self::ALL.into_iter().find(|sort| sort.fits(members)))
    }
}

/// What a payload type means. It is spelled with `.` or `_` (`trade.status_changed`, `trade_status_changed`).
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
        Some("asset_mover_update" | "crypto_pay_status_changed" | "trade_status_changed") => Named::Unclaimed,
        Some(_) | None => Named::Nothing,
    }
}

/// What the states of `deposit.status_changed` say. zerohash's `confirmed` is about the chain; creditable is `completed`.
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

/// What the statuses of a payment say. `posted` is on its way on chain; only `settled` is there.
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

/// A participant's standing; the provider's words are Fundhook's.
pub(super) fn participant_status(status: &str) -> Option<Status> {
    Status::named(Kind::Participant, status).ok()
}

/// An external account's standing; the provider's words are Fundhook's.
pub(super) fn external_account_status(status: &str) -> Option<Status> {
    Status::named(Kind::ExternalAccount, status).ok()
}
