//! What events about a recovery carry.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    Amount, DecimalValue, Network, Quantity, RecoveryDetails, RecoveryStatus, RecoverySums, ResourceId, ReturnPayment,
    Status, Timestamp, UnexpectedDeposit, WebhookFamily, WithdrawalStatus,
};

/// The data of a recovery.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RecoveryBody {
    /// The user who owns the money, and who must act while the status is `required`.
    pub account: String,
    /// What remains to be returned. Never below zero.
    pub outstanding: Amount,
    /// What arrived unexpectedly in all. A coin that several webhooks report counts once.
    pub expected: Amount,
    /// What is in transit. A payment that the provider calls `posted` is in transit and not yet returned.
    pub moving: Amount,
    /// What was returned and settled.
    pub returned: Amount,
    /// What of that was returned beyond what had arrived before: it needs review. Missing when there is none. It never
    /// offsets a deposit that arrives later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surplus: Option<Amount>,
    /// The listed deposits that count for nothing above, because another deposit reports their coin as credited. They are not to be
    /// returned before a person has reviewed them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub suspended: BTreeSet<ResourceId>,
    /// The deposits to return, as each webhook family reported them: the newest 100. The amounts above count all.
    pub deposits: Vec<RecoveryDeposit>,
    /// How many older deposits are not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deposits_omitted: Option<usize>,
    /// The payments that return them: the newest 100.
    pub payments: Vec<RecoveryPayment>,
    /// How many older payments are not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payments_omitted: Option<usize>,
    /// The request that starts the provider's recovery flow for the user. Missing while the recovery is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_request: Option<RecoveryRequest>,
    /// The older form of the same, for a platform whose provider still takes it. Send one of the two. Missing while the
    /// recovery is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_request_older: Option<RecoveryRequest>,
    /// The ids of the deposits and payments that are listed.
    pub related: BTreeSet<ResourceId>,
}

/// A request that starts the provider's recovery flow for the user. The token in its response is for the provider's SDK.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RecoveryRequest {
    /// The API that takes it: `connect`, where an access token and the organization's signature authorise it, or `zerohash`,
    /// the platform's API, where its API key does.
    pub api: &'static str,
    /// Method and path of the call.
    pub call: &'static str,
    /// The body of the request.
    pub body: Value,
}

impl RecoveryRequest {
    /// A session of Connect [zerohash-recovery-2]. A user's code there is the `participant_code`.
    fn session(participant_code: &str) -> Self {
        let body = json!({ "account": { "reference_id": participant_code }, "scopes": ["user:recovery:send"] });
        Self { api: "connect", call: "POST /sessions", body }
    }

    /// A token for the Auth SDK [zerohash-recovery §2]. `"true"` is a string.
    fn client_auth_token(participant_code: &str) -> Self {
        let body = json!({ "participant_code": participant_code, "permissions": ["auth"], "recovery": "true" });
        Self { api: "zerohash", call: "POST /client_auth_token", body }
    }
}

/// How many deposits and how many payments of a recovery an event lists, and how many entries of a history. With at most 1 KB
/// each, they fit into an SNS message (256 KiB).
pub(super) const LISTED_MAX: usize = 100;

/// A deposit to return.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RecoveryDeposit {
    /// The deposit.
    pub resource: ResourceId,
    /// The amount in whole coins.
    pub value: DecimalValue,
    /// The hash of its transaction, as the provider spells it.
    pub transaction: String,
    /// The network, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// The webhook family that reported it. Deposits that different families report in one transaction are the same
    /// coins.
    #[serde(rename = "stream")]
    #[schemars(with = "String")]
    pub family: WebhookFamily,
    /// When it arrived, according to the provider; when it was first sent, if the provider gives no date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
}

/// A payment that returns money.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RecoveryPayment {
    /// The withdrawal.
    pub resource: ResourceId,
    /// The other names of the withdrawal, when the provider names it by several ids.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub also_named: BTreeSet<ResourceId>,
    /// How far it has progressed.
    #[schemars(with = "WithdrawalStatus")]
    pub status: &'static str,
    /// The amount that leaves the account, with the network's fee, in whole coins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<DecimalValue>,
    /// The network, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// When the payment began. It returns only what had arrived by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
}

impl From<RecoveryDetails> for RecoveryBody {
    fn from(details: RecoveryDetails) -> Self {
        let (sums, network) = (details.sums(), details.network());
        let is_suspended = details.status_with(&sums) == Status::Recovery(RecoveryStatus::Suspended);
        let request = |make: fn(&str) -> RecoveryRequest| (!is_suspended).then(|| make(&details.account));
        let auth_request = request(RecoveryRequest::session);
        let auth_request_older = request(RecoveryRequest::client_auth_token);
        let amount = |value| Amount::of(Quantity::major(value), Some(details.asset.clone()), network.cloned());
        let deposit = |(id, deposit): (&ResourceId, &UnexpectedDeposit)| RecoveryDeposit {
            resource: id.clone(),
            value: deposit.value.clone(),
            transaction: deposit.transaction.clone(),
            network: deposit.network.clone(),
            family: deposit.family,
            occurred_at: deposit.occurred_at,
        };
        let payment = |(id, payment): (&ResourceId, &ReturnPayment)| RecoveryPayment {
            resource: id.clone(),
            also_named: payment.also_named.clone(),
            status: Status::Withdrawal(payment.status()).as_str(),
            value: payment.value(),
            network: payment.network.clone(),
            began_at: payment.began_at(),
        };
        let RecoverySums { outstanding, expected, moving, returned, surplus } = sums;
        let (deposits, deposits_omitted) =
            newest(details.deposits.iter().map(deposit).collect(), |deposit| deposit.occurred_at);
        let is_listed = |id: &&ResourceId| deposits.iter().any(|deposit| deposit.resource == **id);
        let suspended = details.suspended.iter().filter(is_listed).cloned().collect();
        let (payments, payments_omitted) =
            newest(details.payments.iter().map(payment).collect(), |payment| payment.began_at);
        Self {
            account: details.account.clone(),
            outstanding: amount(outstanding),
            expected: amount(expected),
            moving: amount(moving),
            returned: amount(returned),
            surplus: surplus.is_positive().then(|| amount(surplus)),
            related: related(&deposits, &payments),
            deposits,
            deposits_omitted,
            payments,
            payments_omitted,
            auth_request,
            auth_request_older,
            suspended,
        }
    }
}

/// The newest [`LISTED_MAX`] of `all` in their own order, and how many are omitted, if any are.
fn newest<T>(all: Vec<T>, date: impl Fn(&T) -> Option<Timestamp>) -> (Vec<T>, Option<usize>) {
    let omitted = all.len().saturating_sub(LISTED_MAX);
    if omitted == 0 {
        return (all, None);
    }
    let mut by_date: Vec<(Option<Timestamp>, usize)> = all.iter().map(date).zip(0..).collect();
    by_date.sort_unstable();
    let listed: BTreeSet<usize> = by_date.into_iter().skip(omitted).map(|(_, at)| at).collect();
    let listed = all.into_iter().enumerate().filter(|(at, _)| listed.contains(at));
    (listed.map(|(_, item)| item).collect(), Some(omitted))
}

fn related(deposits: &[RecoveryDeposit], payments: &[RecoveryPayment]) -> BTreeSet<ResourceId> {
    let names = payments.iter().flat_map(|payment| payment.also_named.iter().chain([&payment.resource]));
    deposits.iter().map(|deposit| &deposit.resource).chain(names).cloned().collect()
}
