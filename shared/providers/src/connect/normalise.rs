//! What Connect's webhooks state.

use fundhook_domain::{
    DecimalValue, DepositStatus, Details, HoldReason, Kind, Network, Session, Source, Status, Timestamp, Transaction,
    TransferDetails, Units,
};

use super::{fees, wire};
use crate::accounts::{self, AccountSort, shown};
use crate::credit::{confirm, held};
use crate::draft::{Draft, NotUnderstood, Received};
use crate::ids::resource;
use crate::recovery::with_recovery;
use crate::wire::Fields;

/// What a webhook of Connect states.
pub(crate) fn drafts(received: &Received<'_>, mut members: Fields) -> Result<Vec<Draft>, NotUnderstood> {
    let event = members.text("event").map(str::to_owned);
    let status = event.as_deref().and_then(wire::status_of);
    let (Some(event), Some(status)) = (event.as_deref(), status) else {
        return about_account(received, event, members);
    };
    members.drop_repeated("event", event);
    let participant = participant(&members);
    let drafts = draft(received, event, status, members).map(|draft| match draft.resource.kind() {
        Kind::Deposit => with_recovery(draft, participant.as_deref(), &received.settings.id_key),
        // Connect's withdrawals never return unexpected money.
        Kind::Withdrawal
        | Kind::Fee
        | Kind::Exchange
        | Kind::Recovery
        | Kind::Participant
        | Kind::ExternalAccount
        | Kind::Balance
        | Kind::Unrecognized => vec![draft],
    });
    drafts.map_err(|reason| NotUnderstood { named: Some(event.to_owned()), reason })
}

/// What a webhook that is about no deposit or withdrawal states about a user or an account.
fn about_account(received: &Received<'_>, event: Option<String>, members: Fields) -> Result<Vec<Draft>, NotUnderstood> {
    let Some(sort) = AccountSort::of(&members) else {
        let reason = match &event {
            None => "the body has no text member `event`".to_owned(),
            Some(event) => format!("the event {:?} is not known", shown(event)),
        };
        return Err(NotUnderstood { named: event, reason });
    };
    let draft = accounts::draft(received, sort, members);
    draft.map(|draft| vec![draft]).map_err(|reason| NotUnderstood { named: event, reason })
}

/// What the webhook called `event` states, or a sentence about why it cannot be read.
fn draft(received: &Received<'_>, event: &str, status: Status, mut members: Fields) -> Result<Draft, String> {
    let (member, mut object) = wire::OBJECT_MEMBERS
        .into_iter()
        .find_map(|member| Some((member, members.take_object_present(member)?)))
        .ok_or_else(|| "the body has no object `deposit`".to_owned())?;
    let of_member = |why: String| why.replacen('`', &format!("`{member}."), 1);
    let id = object.required_text("id").map_err(of_member)?;
    let resource = resource(status.kind(), received.envelope.feed(), &format!("{member}.id"), &id)?;

    let quantity = object.take_quantity("amount", &Units::Major);
    let (transaction, value) = transaction(&mut object);
    let source = source(&mut object);
    let session = session(&mut members);
    let account = account(&mut members);
    let created_at = object.take_time("created_at");
    let updated_at = object.take_time("updated_at");
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
    let status = if status == Status::Deposit(DepositStatus::Confirmed) {
        let stated = [object.json("fees"), members.json("fees")];
        let credit = fees::credit(&details, stated, value.as_ref());
        Status::Deposit(confirm(&mut details, credit))
    } else if status == Status::Deposit(DepositStatus::Held) {
        // Money is in, and information about the sender is missing [connect-guide §6].
        Status::Deposit(held(&mut details, HoldReason::TravelRule.into()))
    } else {
        status
    };
    members.keep_rest_of(member, object);
    details.provider_data = members.into_rest();
    Ok(Draft {
        resource,
        event_type: event.to_owned(),
        status: Some(status),
        occurred_at,
        details: Details::Transfer(Box::new(details)),
    })
}

/// The transaction, and what it moved. A value of zero is none: the webhook was sent before the transaction.
fn transaction(object: &mut Fields) -> (Transaction, Option<DecimalValue>) {
    let Some(mut sent) = object.take_object("transaction") else {
        return (Transaction::default(), None);
    };
    let value = sent.decimal("value").filter(|value| *value != DecimalValue::zero());
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
    (transaction, value)
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

fn session(members: &mut Fields) -> Session {
    let Some(mut sent) = members.take_object("session") else {
        return Session::default();
    };
    let session = Session {
        id: sent.take_text("id"),
        metadata: sent.take_json("metadata"),
        created_at: sent.take_time("created_at"),
    };
    members.keep_rest_of("session", sent);
    session
}

/// zerohash's name of the user, if the webhook states it beside the platform's (`account.reference_id`). A recovery belongs
/// to it: zerohash's webhooks about the same coin, and about its return, name no other.
fn participant(members: &Fields) -> Option<String> {
    const NAME: &str = "participant_code";
    let inside = |object: &str| members.json(object)?.get(NAME)?.as_str().map(str::to_owned);
    let nested = ["account", "deposit"].into_iter().find_map(inside);
    members.text(NAME).map(str::to_owned).or(nested).map(|code| code.trim().to_owned()).filter(|code| !code.is_empty())
}

fn account(members: &mut Fields) -> Option<String> {
    let mut sent = members.take_object("account")?;
    let account = sent.take_text("reference_id");
    members.keep_rest_of("account", sent);
    account
}
