//! What the fourth provider's webhooks state.

use fundhook_domain::{Details, Network, Quantity, ResourceId, Transaction, TransferDetails, WebhookFamily};

use super::wire;
use crate::draft::{Draft, NotUnderstood, Received};
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
    let resource = ResourceId::new(status.kind(), received.envelope.feed().clone(), &reference)
        .map_err(|error| format!("`ref` cannot name a resource: {error}"))?;
    let sum = members.required_text("sum")?;
    let (amount, asset) = wire::amount_and_asset(&sum).ok_or("`sum` is not an amount of an asset, such as 1.5 ETH")?;
    let happened_at = members.take_time("at")?;
    let details = TransferDetails {
        quantity: Some(Quantity::major(amount)),
        asset: Some(asset.to_owned()),
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
    Ok(Draft {
        resource,
        event_type: kind.to_owned(),
        status,
        occurred_at: happened_at.unwrap_or(received.sent_at),
        details: Details::Transfer(Box::new(details)),
    })
}
