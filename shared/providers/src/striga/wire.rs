//! Striga's names [striga-transactions].

use fundhook_domain::{DepositStatus, ExchangeStatus, FeeStatus, Kind, Side, Status, WithdrawalStatus};

use crate::wire::Fields;

/// What a webhook reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// A deposit or a withdrawal on a chain or by Lightning, and its status.
    Transfer(Status),
    /// A bank transfer in euros, and its status.
    Sepa(Status),
    /// One leg of a transfer between two of Striga's accounts.
    LedgerTransfer,
    /// One leg of an exchange, and the status of the exchange.
    Exchange(ExchangeStatus),
    /// The network's fee for a withdrawal, and its status.
    NetworkFee(FeeStatus),
    /// The fee for opening an account, and its status.
    AccountFee(FeeStatus),
    /// A leg of the platform's own fee.
    ApplicationFee,
}

/// The names that a webhook gives itself. They are equal but for exchanges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    /// `type`.
    pub(super) name: &'a str,
    /// `txType`.
    pub(super) leg: Option<&'a str>,
    /// `txSubType`.
    pub(super) sub_type: Option<&'a str>,
}

/// The meaning of a webhook's names [striga-transactions, striga-bank-transfers, striga-swaps, striga-lightning].
/// `ON_CHAIN_WITHDRAWAL_DENIED` and `LN_INCOMING_EXPIRED` are documented by integrators only [striga-clients].
pub(super) fn report(names: Names<'_>) -> Option<Report> {
    let deposit = |status| Report::Transfer(Status::Deposit(status));
    let withdrawal = |status| Report::Transfer(Status::Withdrawal(status));
    let sepa_out = |status| Report::Sepa(Status::Withdrawal(status));
    Some(match names.name {
        "ON_CHAIN_DEPOSIT_PENDING" => deposit(DepositStatus::Pending),
        "ON_CHAIN_DEPOSIT_CONFIRMED" | "LN_INCOMING_CONFIRMED" => deposit(DepositStatus::Confirmed),
        "LN_INCOMING_EXPIRED" => deposit(DepositStatus::Abandoned),
        "ON_CHAIN_WITHDRAWAL_INITIATED" | "LN_OUTGOING_INITIATED" => withdrawal(WithdrawalStatus::Initiated),
        "ON_CHAIN_WITHDRAWAL_PENDING" | "LN_OUTGOING_PENDING" => withdrawal(WithdrawalStatus::Broadcast),
        "ON_CHAIN_WITHDRAWAL_CONFIRMED" | "LN_OUTGOING_CONFIRMED" => withdrawal(WithdrawalStatus::Confirmed),
        "ON_CHAIN_WITHDRAWAL_FAILED" | "ON_CHAIN_WITHDRAWAL_DENIED" | "LN_OUTGOING_FAILED" | "LN_OUTGOING_DENIED" => {
            withdrawal(WithdrawalStatus::Failed)
        }
        "SEPA_PAYIN_COMPLETED" => Report::Sepa(Status::Deposit(DepositStatus::Confirmed)),
        "SEPA_PAYOUT_INITIATED" => sepa_out(WithdrawalStatus::Initiated),
        "SEPA_PAYOUT_COMPLETED" => sepa_out(WithdrawalStatus::Confirmed),
        "SEPA_PAYOUT_FAILED" | "SEPA_PAYOUT_DENIED" => sepa_out(WithdrawalStatus::Failed),
        "INTRA_LEDGER_SEND" | "INTER_LEDGER_SEND" => Report::LedgerTransfer,
        "CURRENCY_EXCHANGE" | "EXCHANGE_DEBIT" | "EXCHANGE_CREDIT" => Report::Exchange(exchange_status(names)?),
        "NETWORK_FEE" => Report::NetworkFee(FeeStatus::Charged),
        "FEE_REFUND" => Report::NetworkFee(FeeStatus::Refunded),
        "ACCOUNT_CREATION_FEE" => Report::AccountFee(FeeStatus::Charged),
        "REFUND_ACCOUNT_CREATION_FEE" => Report::AccountFee(FeeStatus::Refunded),
        "APPLICATION_FEE" => Report::ApplicationFee,
        _ => return None,
    })
}

/// The status of an exchange: its sub-type names it, and otherwise its leg does [striga-swaps].
fn exchange_status(names: Names<'_>) -> Option<ExchangeStatus> {
    match names.sub_type {
        Some("CURRENCY_EXCHANGE_PENDING") => Some(ExchangeStatus::Pending),
        Some("CURRENCY_EXCHANGE_CONFIRMED") => Some(ExchangeStatus::Confirmed),
        Some("CURRENCY_EXCHANGE_REFUND") => Some(ExchangeStatus::Refunded),
        Some(_) => None,
        None => match names.leg.unwrap_or(names.name) {
            "EXCHANGE_DEBIT" => Some(ExchangeStatus::Pending),
            "EXCHANGE_CREDIT" => Some(ExchangeStatus::Confirmed),
            _ => None,
        },
    }
}

/// The member with the amount seen on chain.
pub(super) const ON_CHAIN_AMOUNT: &str = "blockchainTransactionAmount";

/// The sub-type of a fee for an on-chain withdrawal.
pub(super) const WITHDRAWAL_FEE: &str = "TOTAL_WITHDRAWAL_FEE";

/// SEPA transfers are in euros, and their webhooks name no currency [striga-bank-transfers].
pub(super) const SEPA_CURRENCY: &str = "EUR";

/// The id of a network fee's resource. The fee has the `id` of its withdrawal, so a suffix distinguishes them.
pub(super) fn network_fee_id(id: &str) -> String {
    format!("{id}:network")
}

/// The id of an account fee's resource.
pub(super) fn account_fee_id(id: &str) -> String {
    format!("{id}:account")
}

/// The id of the resource of one leg of an application fee. Both legs have the same `id`, so the side is added.
pub(super) fn application_fee_id(id: &str, side: Side) -> String {
    let side = match side {
        Side::Debit => "debit",
        Side::Credit => "credit",
    };
    format!("{id}:application:{side}")
}

/// The types of webhooks about an account that got an address [striga-accounts]. No other type is about an account.
const ENRICHMENTS: [&str; 2] = ["ACCOUNT_ENRICHED", "PENDING_ACCOUNT_ENRICHMENT"];

/// What a webhook about a person, a business or an account is about [striga-kyc, striga-accounts].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AboutAccount {
    /// A person (`userId`) or a business (`businessId`), and its status.
    Owner(&'static str),
    /// An account that got a bank's or a chain's address.
    Account,
}

impl AboutAccount {
    /// What the webhook called `name` with `members` is about. Those about people name themselves nothing, so the names of
    /// their members decide.
    pub(super) fn of(name: Option<&str>, members: &Fields) -> Option<Self> {
        let addresses = ["iban", "blockchainDepositAddress", "blockchainNetworks"];
        let owner = ["userId", "businessId"].into_iter().find(|name| members.has(name) && members.has("status"));
        let is_account = members.has("accountId") && addresses.into_iter().any(|name| members.has(name));
        // A card has a `status` and a user too.
        if members.has("cardId") || name.is_some_and(|name| !ENRICHMENTS.contains(&name)) {
            return None;
        }
        match (owner, is_account) {
            (_, true) => Some(Self::Account),
            (Some(owner), false) if name.is_none() => Some(Self::Owner(owner)),
            (Some(_) | None, false) => None,
        }
    }
}

/// The name of a person's or a business's status among the statuses of participants [striga-kyc].
pub(super) fn participant_status(word: &str) -> Option<Status> {
    let name = match word.to_ascii_uppercase().as_str() {
        "NOT_STARTED" | "INITIATED" => "submitted",
        "PENDING_REVIEW" | "ON_HOLD" => "pending_approval",
        "APPROVED" => "approved",
        "REJECTED" | "REJECTED_FINAL" => "rejected",
        _ => return None,
    };
    Status::named(Kind::Participant, name).ok()
}
