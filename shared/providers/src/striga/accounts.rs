//! What Striga's webhooks about people, businesses and their accounts state [striga-kyc, striga-accounts].

use fundhook_domain::{AccountDetails, Details, ExternalAccountStatus, Kind, Status};

use super::wire::{self, AboutAccount};
use crate::accounts::unknown;
use crate::draft::{Draft, Received};
use crate::ids::resource;
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

/// A person or a business. Only newer webhooks have a time; without one, the last received counts.
fn owner(received: &Received<'_>, member: &str, name: &str, mut members: Fields) -> Result<Draft, String> {
    let id = members.required_text(member)?;
    let resource = resource(Kind::Participant, received.envelope.feed(), member, &id)?;
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
        occurred_at: updated_at,
        details: Details::Account(Box::new(details)),
    })
}

/// An account that has got, or is getting, an address to receive money at.
fn account(received: &Received<'_>, name: &str, mut members: Fields) -> Result<Draft, String> {
    let id = members.required_text("accountId")?;
    let resource = resource(Kind::ExternalAccount, received.envelope.feed(), "accountId", &id)?;
    let word = members.take_first_text(&["status"])?;
    let status = match word.as_deref() {
        _ if name.starts_with("PENDING") => ExternalAccountStatus::Pending,
        Some(word) if !word.eq_ignore_ascii_case("ACTIVE") => return Err(unknown("status", word)),
        Some(_) | None => ExternalAccountStatus::Approved,
    };
    let updated_at = ["timestamp", "ts"].into_iter().find_map(|name| members.take_time(name));
    let account = ["syncedOwnerId", "ownerId"].into_iter().find_map(|name| members.take_text(name));
    let details = AccountDetails {
        account,
        provider_status: word.or_else(|| Some(name.to_owned()).filter(|name| !name.is_empty())),
        updated_at,
        provider_data: members.into_rest(),
        ..AccountDetails::default()
    };
    Ok(Draft {
        resource,
        event_type: name.to_owned(),
        status: Some(Status::ExternalAccount(status)),
        occurred_at: updated_at,
        details: Details::Account(Box::new(details)),
    })
}
