//! What Striga's webhooks about people, businesses and their accounts state [striga-kyc, striga-accounts].

use fundhook_domain::{AccountDetails, Details, Kind, ResourceId, Status};

use super::wire::{self, AboutAccount};
use crate::accounts::unknown;
use crate::draft::{Draft, Received};
use crate::wire::Fields;

/// What a webhook called `name` states about an owner or an account.
pub(super) fn draft(
    received: &Received<'_>,
    about: AboutAccount,
    name: &str,
    members: Fields,
) -> Result<Draft, String> {
    match about {
        AboutAccount::Owner(member) => owner(received, member, name, members),
        AboutAccount::Account => account(received, name, members),
    }
}

fn resource(received: &Received<'_>, kind: Kind, member: &str, native: &str) -> Result<ResourceId, String> {
    let named = ResourceId::new(kind, received.envelope.feed().clone(), native);
    named.map_err(|error| format!("`{member}` cannot name a resource: {error}"))
}

/// A person or a business. Only newer webhooks have a time; without one, the last received counts.
fn owner(received: &Received<'_>, member: &str, name: &str, mut members: Fields) -> Result<Draft, String> {
    let id = members.required_text(member)?;
    let resource = resource(received, Kind::Participant, member, &id)?;
    let word = members.required_text("status")?;
    let status = wire::participant_status(&word).ok_or_else(|| unknown("status", &word))?;
    let updated_at = members.take_time("ts");
    let details = AccountDetails {
        account: Some(id),
        provider_status: Some(word),
        updated_at,
        provider_data: members.into_rest(),
        ..AccountDetails::default()
    };
    Ok(Draft {
        resource,
        event_type: name.to_owned(),
        status: Some(status),
        occurred_at: updated_at.unwrap_or(received.sent_at),
        details: Details::Account(Box::new(details)),
    })
}

/// An account that has got, or is getting, an address to receive money at.
fn account(received: &Received<'_>, name: &str, mut members: Fields) -> Result<Draft, String> {
    let id = members.required_text("accountId")?;
    let resource = resource(received, Kind::ExternalAccount, "accountId", &id)?;
    let is_pending = name.starts_with("PENDING");
    let status = Status::named(Kind::ExternalAccount, if is_pending { "pending" } else { "approved" });
    let updated_at = ["timestamp", "ts"].into_iter().find_map(|name| members.take_time(name));
    let account = ["syncedOwnerId", "ownerId"].into_iter().find_map(|name| members.take_text(name));
    let details = AccountDetails {
        account,
        provider_status: members.take_text("status").or_else(|| Some(name.to_owned()).filter(|name| !name.is_empty())),
        updated_at,
        provider_data: members.into_rest(),
        ..AccountDetails::default()
    };
    Ok(Draft {
        resource,
        event_type: name.to_owned(),
        status: status.ok(),
        occurred_at: updated_at.unwrap_or(received.sent_at),
        details: Details::Account(Box::new(details)),
    })
}
