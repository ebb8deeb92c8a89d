//! What an event carries: the resource as it stands after the change.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    AccountDetails, Amount, BalanceDetails, Balances, Conversion, DecimalValue, DepositStatus, Details, Evidence,
    HistoryEntry, Network, Ownership, Quantity, RecoveryDetails, Resource, ResourceId, ReturnPayment, Session, Side,
    Source, Status, Timestamp, Transaction, TransferDetails, UnexpectedDeposit, UnrecognizedDetails, View,
    WithdrawalStatus,
};

/// The resource as it stands after a change.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EventData {
    /// The resource's id; the event's `subject` too.
    pub resource: ResourceId,
    /// What it is.
    pub kind: &'static str,
    /// Who reports it.
    pub provider: &'static str,
    /// The organization it is reported for, where a deployment serves several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The provider's own id for it, or one made of what the provider says when it gives none.
    pub provider_id: String,
    /// Its status.
    pub status: &'static str,
    /// Its status before this change, when that was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_status: Option<&'static str>,
    /// Whether nothing further is expected.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// Whether the webhook behind this event came after one that stands over it.
    pub late: bool,
    /// Whether the statement behind this event was read from the provider's list, because its webhook had not come.
    pub reconciled: bool,
    /// Final statuses that contradict each other: a person must look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicting: Vec<&'static str>,
    /// The deposit that the same coin is credited under: this one must not be credited too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<ResourceId>,
    /// What is known beside the status.
    #[serde(flatten)]
    #[schemars(skip)]
    pub body: EventBody,
    /// Every statement of the provider so far, in the order in which they stand over each other; of a kind without an end,
    /// the latest 64.
    pub history: Vec<HistoryEntry>,
    /// Why the status is believed.
    pub evidence: Evidence,
}

/// The part of the data that depends on the kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum EventBody {
    /// Of a deposit, a withdrawal or a fee.
    Transfer(Box<TransferBody>),
    /// Of a recovery.
    Recovery(Box<RecoveryBody>),
    /// Of a participant or an external account.
    Account(Box<AccountDetails>),
    /// Of a balance.
    Balance(Box<BalanceBody>),
    /// Of a webhook that nothing claims.
    Unrecognized(UnrecognizedDetails),
}

/// What subscribers read about a deposit, a withdrawal or a fee.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TransferBody {
    /// How much, of which asset, on which network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// What it costs beside the amount, in the same asset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<Amount>,
    /// What leaves or reaches the account in all: as the provider says it, else amount plus fee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Amount>,
    /// What was given back when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refunded: Option<Amount>,
    /// The asset's code; here only as long as the amount is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// The network that it moves on; here only as long as the amount is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// The transaction on chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Transaction>,
    /// Where the money comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The session of the provider's SDK in which it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// What it was converted into on arrival.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversion: Option<Conversion>,
    /// The user, by the identifier that provider and platform share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Which of the user's accounts at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_account: Option<String>,
    /// What that account held before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balances: Option<Balances>,
    /// Whether the account was debited or credited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// The platform's own identifier of the funding attempt. Several deposits may carry the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_id: Option<String>,
    /// The status in the provider's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_status: Option<String>,
    /// Why it has that status, in the provider's words. A confirmed deposit may carry an exception here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// Which of the provider's streams of webhooks tells of it: `zerohash.fund`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Resources that are part of the same matter, such as a withdrawal and its fee.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub related: BTreeSet<ResourceId>,
    /// When the provider created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When the provider last changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// All that has no field above, under the provider's own names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub provider_data: Map<String, Value>,
}

/// What subscribers read about a recovery.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RecoveryBody {
    /// The user whose money it is: whom to show a banner and to write to.
    pub account: String,
    /// What is left to return. Below zero when more went back than is known to have come.
    pub outstanding: Amount,
    /// What came in unexpectedly in all; each coin once, however many webhooks announce it.
    pub expected: Amount,
    /// What is on its way back. A payment that the provider calls `posted` is on its way, and not there.
    pub moving: Amount,
    /// What went back for good.
    pub returned: Amount,
    /// The deposits that are to be returned, as each stream of webhooks announced them.
    pub deposits: Vec<RecoveryDeposit>,
    /// The payments that return them.
    pub payments: Vec<RecoveryPayment>,
    /// The request (`POST /client_auth_token`) whose answer opens the provider's recovery flow for the user.
    pub auth_request: Value,
    /// The deposits and payments, by their ids.
    pub related: BTreeSet<ResourceId>,
}

/// A deposit that is to be returned.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RecoveryDeposit {
    /// The deposit.
    pub resource: ResourceId,
    /// How much, in whole coins.
    pub value: DecimalValue,
    /// The hash of its transaction, as the provider spells it.
    pub transaction: String,
    /// Which stream of webhooks announced it. Deposits of different streams in one transaction are the same coins.
    pub stream: String,
    /// When the provider says it came.
    pub occurred_at: Timestamp,
}

/// A payment that returns money.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RecoveryPayment {
    /// The withdrawal.
    pub resource: ResourceId,
    /// How far it has come.
    #[schemars(with = "WithdrawalStatus")]
    pub status: &'static str,
    /// How much leaves the account, in whole coins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<DecimalValue>,
}

/// What subscribers read about a balance.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct BalanceBody {
    /// How much the account holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// The user, by the identifier that provider and platform share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Which of the user's accounts at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_account: Option<String>,
    /// When the provider last changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// All that has no field above, under the provider's own names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub provider_data: Map<String, Value>,
}

/// How the statement behind an event came to be heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Telling {
    /// After one that stands over it.
    pub(super) late: bool,
    /// From the provider's list.
    pub(super) reconciled: bool,
}

impl EventData {
    pub(super) fn of(resource: &Resource, view: View, previous: Option<Status>, telling: Telling) -> Self {
        let Telling { late, reconciled } = telling;
        let View { status, details, conflicting, history, evidence, occurred_at: _, fact: _ } = view;
        let id = resource.id();
        let confirmed = Status::Deposit(DepositStatus::Confirmed);
        let is_confirmed = status == confirmed || conflicting.contains(&confirmed);
        let duplicate_of = match resource.ownership() {
            Ownership::DuplicateOf { owner, after } if is_confirmed && resource.version() > *after => {
                Some(owner.clone())
            }
            Ownership::DuplicateOf { .. } | Ownership::Owner | Ownership::Unclaimed => None,
        };
        Self {
            resource: id.clone(),
            kind: id.kind().as_str(),
            provider: id.feed().provider().as_str(),
            tenant: id.feed().tenant().map(ToString::to_string),
            provider_id: id.native().to_owned(),
            status: status.as_str(),
            previous_status: previous.map(Status::as_str),
            is_final: status.is_final(),
            late,
            reconciled,
            conflicting: conflicting.into_iter().map(Status::as_str).collect(),
            duplicate_of,
            body: details.into(),
            history,
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
        // Destructured, so that nothing that is known is left unsaid.
        let TransferDetails {
            quantity,
            fee,
            total,
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
            reference_id,
            provider_status,
            status_reason,
            stream,
            related,
            created_at,
            updated_at,
            provider_data,
        } = details;
        // Where a provider states the total alone (seed 002), it is the amount too.
        let quantity = quantity.or_else(|| total.clone());
        let total = total.or_else(|| quantity.as_ref()?.plus(fee.as_ref()?));
        let of_it = |quantity| Amount::of(quantity, asset.clone(), network.clone());
        let (amount, fee, total, refunded) =
            (quantity.map(of_it), fee.map(of_it), total.map(of_it), refunded.map(of_it));
        let named_apart = amount.is_none();
        Self {
            amount,
            fee,
            total,
            refunded,
            asset: asset.filter(|_| named_apart),
            network: network.filter(|_| named_apart),
            transaction: said(transaction),
            source: said(source),
            session: said(session),
            conversion: said(conversion),
            account,
            sub_account,
            balances: said(balances),
            side,
            reference_id,
            provider_status,
            status_reason,
            stream,
            related,
            created_at,
            updated_at,
            provider_data,
        }
    }
}

/// `value`, unless nothing of it is known.
fn said<T: Default + PartialEq>(value: T) -> Option<T> {
    (value != T::default()).then_some(value)
}

impl From<RecoveryDetails> for RecoveryBody {
    fn from(details: RecoveryDetails) -> Self {
        let amount = |value| Amount::of(Quantity::major(value), Some(details.asset.clone()), details.network.clone());
        let deposit = |(id, deposit): (&ResourceId, &UnexpectedDeposit)| RecoveryDeposit {
            resource: id.clone(),
            value: deposit.value.clone(),
            transaction: deposit.transaction.clone(),
            stream: deposit.stream.clone(),
            occurred_at: deposit.occurred_at,
        };
        let payment = |(id, payment): (&ResourceId, &ReturnPayment)| RecoveryPayment {
            resource: id.clone(),
            status: Status::Withdrawal(payment.status).as_str(),
            value: payment.value.clone(),
        };
        Self {
            account: details.account.clone(),
            outstanding: amount(details.outstanding()),
            expected: amount(details.expected()),
            moving: amount(details.moving()),
            returned: amount(details.returned()),
            deposits: details.deposits.iter().map(deposit).collect(),
            payments: details.payments.iter().map(payment).collect(),
            // Seed 002, "Invoke Auth SDK".
            auth_request: json!({
                "participant_code": details.account,
                "permissions": ["auth"],
                "recovery": "true",
            }),
            related: details.related(),
        }
    }
}

impl From<BalanceDetails> for BalanceBody {
    fn from(details: BalanceDetails) -> Self {
        let BalanceDetails { quantity, asset, network, account, sub_account, updated_at, provider_data } = details;
        let amount = quantity.map(|quantity| Amount::of(quantity, asset, network));
        Self { amount, account, sub_account, updated_at, provider_data }
    }
}
