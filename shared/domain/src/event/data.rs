//! The data of an event: the resource after the change.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::recovery::{LISTED_MAX, RecoveryBody};
use crate::{
    AccountDetails, Amount, BalanceDetails, Balances, Books, Conflict, Conversion, Credit, DecisionSummary,
    DepositStatus, Details, Evidence, Exchange, FeeQuantity, HistoryEntry, Hold, Network, Posting, Purpose, ResourceId,
    Session, Side, Source, Status, Timestamp, Transaction, TransferDetails, UnrecognizedDetails, View, WebhookFamily,
};

/// The resource after a change.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EventData {
    /// The resource's id, as in the event's `subject`.
    pub resource: ResourceId,
    /// The kind of resource.
    pub kind: &'static str,
    /// The provider that reports it.
    pub provider: &'static str,
    /// The organization, when a deployment serves several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The provider's own id; when the provider gives none, an id made of what it states.
    pub provider_id: String,
    /// The status; missing while no webhook has reported one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// The status before this change, when it was a different one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_status: Option<&'static str>,
    /// Whether no further status is expected.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// Whether the webhook behind this event arrived after one that supersedes it.
    pub late: bool,
    /// Whether the statement behind this event was read from the provider's list, because its webhook had not arrived.
    pub reconciled: bool,
    /// Whether a backfill of a past period read that statement: the event may tell what happened long ago. Missing when it is
    /// not so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub backfilled: bool,
    /// The statuses of statements that exclude each other: the resource needs review. A single status when all state
    /// the same status and different money.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicting: Vec<&'static str>,
    /// What those statements state differently: `status`, `amount`, `purpose`, `asset`, `account`, `credit`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflict_about: Vec<String>,
    /// The other resources whose statements exclude those of this one. Missing when its own statements exclude each other.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub conflict_with: BTreeSet<ResourceId>,
    /// What this event changes although no new webhook arrived: the members of `data` that differ, because a webhook
    /// that was known was read again with other settings or by a newer version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restated: Vec<String>,
    /// The resource that counts in place of this one, which must not be booked: the deposit that is credited with the same
    /// coin, or the withdrawal that the provider names by another id too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<ResourceId>,
    /// The deposit that books the coin of this one: another webhook family reported the same coin as to be returned, or in
    /// quarantine, before. So this deposit books nothing, and asks for nothing else than the other one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked_by: Option<ResourceId>,
    /// The deposit that this one may be: the same user, asset and amount, within days, reported by another webhook family, and
    /// not both name their transactions. It is held until a person decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resembles: Option<ResourceId>,
    /// What a person decided about the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionSummary>,
    /// What this event books: balanced lines of double-entry bookkeeping. They are the difference between what the resource
    /// books after the event and before it, so the lines of all its events add up to what it books. Empty when nothing
    /// changes.
    pub postings: Vec<Posting>,
    /// What the opening balance of the resource and the lines of all its events up to this one add up to. It is not a part of
    /// the event.
    #[serde(skip)]
    #[schemars(skip)]
    pub booked: Books,
    /// The part that depends on the kind.
    #[serde(flatten)]
    #[schemars(skip)]
    pub body: EventBody,
    /// The different statements of the provider so far; each supersedes those before it. The latest 100, and of a
    /// participant, external account or balance, the latest 64.
    pub history: Vec<HistoryEntry>,
    /// How many earlier statements are not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_omitted: Option<usize>,
    /// The evidence for the status.
    pub evidence: Evidence,
}

/// The part of an event's data that depends on the kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum EventBody {
    /// A deposit, a withdrawal or a fee.
    Transfer(Box<TransferBody>),
    /// A recovery.
    Recovery(Box<RecoveryBody>),
    /// A participant or an external account.
    Account(Box<AccountDetails>),
    /// A balance.
    Balance(Box<BalanceBody>),
    /// An unrecognized webhook.
    Unrecognized(UnrecognizedDetails),
}

/// The data of a deposit, a withdrawal or a fee.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TransferBody {
    /// The amount, with its asset and network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// The fee in addition to the amount. It may be in another asset than the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<Amount>,
    /// The amount that leaves or reaches the account in all: as the provider states it, or amount plus a fee in the
    /// same asset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Amount>,
    /// The amount that was refunded after a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refunded: Option<Amount>,
    /// The asset's code; present only while the amount is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// The network; present only while the amount is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// The on-chain transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Transaction>,
    /// The source of the money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The session of the provider's SDK in which it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// The conversion on arrival.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversion: Option<Conversion>,
    /// The user's identifier, which provider and platform share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The user's account at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_account: Option<String>,
    /// The balances of that account before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balances: Option<Balances>,
    /// Whether the account was debited or credited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// What the payment is for, when it is none to a chain on behalf of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// The platform's identifier of the funding attempt. Several deposits may have the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_id: Option<String>,
    /// The status in the provider's wording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_status: Option<String>,
    /// What the platform may book for a deposit. Present exactly when the deposit is confirmed, conflicts with nothing
    /// and duplicates no other deposit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit: Option<Credit>,
    /// Why a deposit that is in may not be credited. Present exactly when the deposit is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// The two sides of an exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
    /// The reason for the status, in the provider's wording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// The provider's stable code of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason_code: Option<String>,
    /// The webhook family that reports it, such as `zerohash.fund`.
    #[serde(rename = "stream", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub family: Option<WebhookFamily>,
    /// The other names of the withdrawal: the provider names it by several ids, and this is the one that counts.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub also_named: BTreeSet<ResourceId>,
    /// Related resources, such as a withdrawal and its fee.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub related: BTreeSet<ResourceId>,
    /// When the provider created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When the provider last changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything that has no field above, under the provider's names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub provider_data: Map<String, Value>,
}

/// The data of a balance.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct BalanceBody {
    /// The amount in the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// The user's identifier, which provider and platform share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The user's account at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_account: Option<String>,
    /// When the provider last changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything that has no field above, under the provider's names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub provider_data: Map<String, Value>,
}

/// How the statement behind an event reached Fundhook.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// After a statement that supersedes it.
    pub(super) late: bool,
    /// From the provider's list instead of a webhook.
    pub(super) reconciled: bool,
    /// By a backfill.
    pub(super) backfilled: bool,
}

impl EventData {
    pub(super) fn of(id: &ResourceId, view: View, before: Option<&View>, arrival: Arrival) -> Self {
        let Arrival { late, reconciled, backfilled } = arrival;
        let previous = before.and_then(|view| view.status).filter(|status| Some(*status) != view.status);
        let booked = view.books(id);
        let postings = (booked.clone() - &before.map(|view| view.books(id)).unwrap_or_default()).postings();
        let is_final = view.is_final();
        let View {
            status,
            details,
            duplicate_of,
            booked_by,
            resembles,
            conflict,
            surplus: _,
            mut history,
            evidence,
            decision,
            occurred_at: _,
            fact: _,
            reading: _,
        } = view;
        let omitted = history.len().saturating_sub(LISTED_MAX);
        history.drain(..omitted);
        let Conflict { statuses: conflicting, about: conflict_about, with: conflict_with } =
            conflict.unwrap_or_default();
        let confirmed = Status::Deposit(DepositStatus::Confirmed);
        let mut body = EventBody::from(details);
        if let EventBody::Transfer(transfer) = &mut body {
            transfer.also_named.remove(id);
            let may_be_booked = status == Some(confirmed) && duplicate_of.is_none() && conflicting.is_empty();
            transfer.credit = transfer.credit.take().filter(|_| may_be_booked);
            let is_held = status == Some(Status::Deposit(DepositStatus::Held));
            transfer.hold = transfer.hold.take().filter(|_| is_held);
        }
        Self {
            resource: id.clone(),
            kind: id.kind().as_str(),
            provider: id.feed().provider().as_str(),
            tenant: id.feed().tenant().map(ToString::to_string),
            provider_id: id.native().to_owned(),
            status: status.map(Status::as_str),
            previous_status: previous.map(Status::as_str),
            is_final,
            late,
            reconciled,
            backfilled,
            conflicting: conflicting.into_iter().map(Status::as_str).collect(),
            conflict_about,
            conflict_with,
            restated: Vec::new(),
            duplicate_of,
            booked_by,
            resembles,
            decision,
            postings,
            booked,
            body,
            history,
            history_omitted: (omitted > 0).then_some(omitted),
            evidence,
        }
    }
}

impl From<Details> for EventBody {
    fn from(details: Details) -> Self {
        match details {
            Details::Transfer(details) => Self::Transfer(Box::new((*details).into())),
            Details::Recovery(details) => Self::Recovery(Box::new((*details).into())),
            Details::Account(details) => Self::Account(details),
            Details::Balance(details) => Self::Balance(Box::new((*details).into())),
            Details::Unrecognized(details) => Self::Unrecognized(details),
        }
    }
}

impl From<TransferDetails> for TransferBody {
    fn from(details: TransferDetails) -> Self {
        let outflow = details.outflow();
        // Destructured, so that the compiler reports a new field that no event carries.
        let TransferDetails {
            quantity: _,
            fee,
            total: _,
            refunded,
            asset,
            network,
            transaction,
            source,
            session,
            conversion,
            account,
            sub_account,
            balances,
            side,
            purpose,
            reference_id,
            provider_status,
            status_reason,
            status_reason_code,
            credit,
            hold,
            exchange,
            family,
            names,
            related,
            created_at,
            updated_at,
            provider_data,
        } = details;
        let (quantity, total) = (outflow.amount(), outflow.total());
        let amount_of = |quantity| Amount::of(quantity, asset.clone(), network.clone());
        let fee = fee.map(|FeeQuantity { quantity, asset: of_fee, network: on }| match of_fee {
            Some(of_fee) => Amount::of(quantity, Some(of_fee), on),
            None => amount_of(quantity),
        });
        let (amount, total, refunded) = (quantity.map(amount_of), total.map(amount_of), refunded.map(amount_of));
        let is_separate = amount.is_none();
        Self {
            amount,
            fee,
            total,
            refunded,
            asset: asset.filter(|_| is_separate),
            network: network.filter(|_| is_separate),
            transaction: known(transaction),
            source: known(source),
            session: known(session),
            conversion: known(conversion),
            account,
            sub_account,
            balances: known(balances),
            side,
            purpose,
            reference_id,
            provider_status,
            credit,
            hold,
            exchange: known(exchange),
            status_reason,
            status_reason_code,
            family,
            also_named: names,
            related,
            created_at,
            updated_at,
            provider_data,
        }
    }
}

/// `value`, unless none of its fields is known.
fn known<T: Default + PartialEq>(value: T) -> Option<T> {
    (value != T::default()).then_some(value)
}

impl From<BalanceDetails> for BalanceBody {
    fn from(details: BalanceDetails) -> Self {
        let BalanceDetails { quantity, asset, network, account, sub_account, updated_at, provider_data } = details;
        let amount = quantity.map(|quantity| Amount::of(quantity, asset, network));
        Self { amount, account, sub_account, updated_at, provider_data }
    }
}
