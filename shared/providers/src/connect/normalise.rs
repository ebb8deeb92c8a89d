//! What Connect's webhooks state.

use fundhook_domain::{
    Details, Kind, Network, ResourceId, Session, Source, Timestamp, Transaction, TransferDetails, Units,
};

use super::wire;
use crate::draft::{Draft, NotUnderstood, Received};
use crate::recovery::with_recovery;
use crate::wire::Fields;

/// What a webhook of Connect states.
pub(crate) fn drafts(received: &Received<'_>, mut members: Fields) -> Result<Vec<Draft>, NotUnderstood> {
    let Some(event) = members.text("event").map(str::to_owned) else {
        return Err(NotUnderstood { named: None, reason: "the body has no text member `event`".to_owned() });
    };
    members.drop_repeated("event", &event);
    let drafts = draft(received, &event, members).map(with_recovery_of_deposit);
    drafts.map_err(|reason| NotUnderstood { named: Some(event), reason })
}

/// Adds the statement about the recovery of a deposit. Connect's withdrawals never return unexpected money.
fn with_recovery_of_deposit(draft: Draft) -> Vec<Draft> {
    match draft.resource.kind() {
        Kind::Deposit => with_recovery(draft),
        Kind::Withdrawal
        | Kind::Fee
        | Kind::Recovery
        | Kind::Participant
        | Kind::ExternalAccount
        | Kind::Balance
        | Kind::Unrecognized => vec![draft],
    }
}

/// What the webhook called `event` states, or a sentence about why it cannot be read.
fn draft(received: &Received<'_>, event: &str, mut members: Fields) -> Result<Draft, String> {
    let shown = event.chars().take(64).collect::<String>();
    let status = wire::status_of(event).ok_or_else(|| format!("the event {shown:?} is not known"))?;
    let (member, mut object) = wire::OBJECT_MEMBERS
        .into_iter()
        .find_map(|member| Some((member, members.take_object_present(member)?)))
        .ok_or_else(|| "the body has no object `deposit`".to_owned())?;
    let of_member = |why: String| why.replacen('`', &format!("`{member}."), 1);
    let id = object.required_text("id").map_err(of_member)?;
    let resource = ResourceId::new(status.kind(), received.envelope.feed().clone(), &id)
        .map_err(|error| format!("`{member}.id` cannot name a resource: {error}"))?;

    let quantity = object.take_quantity("amount", &Units::Major).map_err(of_member)?;
    let transaction = transaction(&mut object);
    let source = source(&mut object);
    let session = session(&mut members)?;
    let account = account(&mut members);
    let created_at = object.take_time("created_at").map_err(of_member)?;
    let updated_at = object.take_time("updated_at").map_err(of_member)?;
    // A confirmed withdrawal in [connect-guide §W4] has an `updated_at` seven minutes before its `created_at`. Nothing
    // happens to a resource before it exists, so the later of the two times counts.
    let occurred_at: Option<Timestamp> = updated_at.max(created_at);
    let mut details = TransferDetails {
        quantity,
        asset: object.take_text("asset"),
        network: object.take_text("network").as_deref().map(Network::named),
        transaction,
        source,
        session,
        account,
        provider_status: object.take_text("status"),
        family: Some(wire::family_of(status.kind())),
        created_at,
        updated_at,
        ..TransferDetails::default()
    };
    members.keep_rest_of(member, object);
    details.provider_data = members.into_rest();
    Ok(Draft {
        resource,
        event_type: event.to_owned(),
        status,
        occurred_at: occurred_at.unwrap_or(received.sent_at),
        details: Details::Transfer(Box::new(details)),
    })
}

fn transaction(object: &mut Fields) -> Transaction {
    let Some(mut sent) = object.take_object("transaction") else {
        return Transaction::default();
    };
    let transaction = Transaction {
        hash: sent.take_text("hash"),
        from: sent.take_text("from"),
        to: sent.take_text("to"),
        // A sample of a withdrawal has a date-time here and one of an unexpected deposit has 0; neither is a block
        // number.
        block_number: sent.take_text_if("block_number", |text| {
            text.bytes().all(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte != b'0')
        }),
        confirmations: None,
    };
    object.keep_rest_of("transaction", sent);
    transaction
}

fn source(object: &mut Fields) -> Source {
    // A withdrawal's source is a string (`"XYZ"`), which is kept in the provider's data.
    let Some(mut sent) = object.take_object("source") else {
        return Source::default();
    };
    let source = Source { source_type: sent.take_text("type"), integration: sent.take_text("integration") };
    object.keep_rest_of("source", sent);
    source
}

fn session(members: &mut Fields) -> Result<Session, String> {
    let Some(mut sent) = members.take_object("session") else {
        return Ok(Session::default());
    };
    let session = Session {
        id: sent.take_text("id"),
        metadata: sent.take_json("metadata"),
        created_at: sent.take_time("created_at").map_err(|why| format!("session: {why}"))?,
    };
    members.keep_rest_of("session", sent);
    Ok(session)
}

fn account(members: &mut Fields) -> Option<String> {
    let mut sent = members.take_object("account")?;
    let account = sent.take_text("reference_id");
    members.keep_rest_of("account", sent);
    account
}
