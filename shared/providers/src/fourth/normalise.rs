//! What the fourth provider's webhooks state.

use fundhook_domain::{DepositStatus, Details, Network, Quantity, Status, Transaction, TransferDetails, WebhookFamily};

use super::wire;
use crate::credit::{confirm, in_kind};
use crate::draft::{Draft, NotUnderstood, Received};
use crate::ids::resource;
use crate::wire::Fields;

/// What a webhook of the fourth provider states.
pub(crate) fn drafts(received: &Received<'_>, mut members: Fields) -> Result<Vec<Draft>, NotUnderstood> {
    let Some(kind) = members.take_text("kind") else {
        return Err(NotUnderstood { named: None, reason: "the body has no text member `kind`".to_owned() });
    };
    match draft(received, &kind, members) {
        Ok(draft) => Ok(vec![draft]),
        Err(reason) => Err(NotUnderstood { named: Some(kind), reason }),
    }
}

fn draft(received: &Received<'_>, kind: &str, mut members: Fields) -> Result<Draft, String> {
    let shown = kind.chars().take(64).collect::<String>();
    let status = wire::status_of(kind).ok_or_else(|| format!("the kind {shown:?} is not supported"))?;
    let reference = members.required_text("ref")?;
    let resource = resource(status.kind(), received.envelope.feed(), "ref", &reference)?;
    let (amount, asset) = members.text("sum").and_then(wire::amount_and_asset).unzip();
    match &amount {
        Some(_) => drop(members.take_text("sum")),
        None => members.note("`sum` is not an amount of an asset, such as 1.5 ETH".to_owned()),
    }
    let happened_at = members.take_time("at");
    let mut details = TransferDetails {
        quantity: amount.map(Quantity::major),
        asset,
        network: members.take_text("on").as_deref().map(Network::named),
        transaction: Transaction {
            hash: members.take_text("tx"),
            to: members.take_text("to"),
            ..Transaction::default()
        },
        account: members.take_text("user"),
        provider_status: Some(kind.to_owned()),
        // A family of its own in a real provider: a variant that a test cannot add.
        family: Some(WebhookFamily::StrigaTransactions),
        updated_at: happened_at,
        provider_data: members.into_rest(),
        ..TransferDetails::default()
    };
    let status = if status == Status::Deposit(DepositStatus::Confirmed) {
        let credit = in_kind(&details);
        Status::Deposit(confirm(&mut details, credit))
    } else {
        status
    };
    Ok(Draft {
        resource,
        event_type: kind.to_owned(),
        status: Some(status),
        occurred_at: happened_at,
        details: Details::Transfer(Box::new(details)),
    })
}
