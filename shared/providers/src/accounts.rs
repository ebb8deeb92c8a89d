//! Webhooks about users, their external accounts and their balances.
//!
//! zerohash's platform sends them [zerohash-participants, zerohash-external-accounts, zerohash-balances]. Connect's guide
//! names a webhook for a user's status and one for a balance and shows neither [connect-guide §O5]; newer pages know only
//! the platform's. So both feeds understand both forms: the platform's bodies, and bodies with an `event` as Connect's
//! other webhooks have.

use fundhook_domain::{AccountDetails, BalanceDetails, Details, Kind, ResourceId, Status, Timestamp, Units};

use crate::draft::{Draft, Received};
use crate::ids::resource;
use crate::wire::Fields;

/// The sorts of webhook about accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountSort {
    /// A participant's status.
    Participant,
    /// What else is known about a participant: no status.
    ParticipantUpdated,
    /// An external account's status.
    ExternalAccount,
    /// An account's balance.
    Balance,
}

/// The members that may hold an external account's status. Older pages have `status` [zerohash-external-accounts].
const EXTERNAL_STATUSES: [&str; 2] = ["external_account_status", "status"];

impl AccountSort {
    /// Every sort, from the most specific form of body to the least.
    pub(crate) const ALL: [Self; 4] =
        [Self::Balance, Self::ExternalAccount, Self::Participant, Self::ParticipantUpdated];

    /// The payload type in facts and events.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Balance => "account_balance.changed",
            Self::ExternalAccount => "external_account_status_changed",
            Self::Participant => "participant_status_changed",
            Self::ParticipantUpdated => "participant_updated",
        }
    }

    /// Whether a body has the members that distinguish this sort from the others.
    pub(crate) fn fits(self, members: &Fields) -> bool {
        let has = |name: &str| members.has(name);
        match self {
            Self::Balance => has("balance") && has("asset") && (has("participant_code") || has("account_label")),
            // A payment has an external account and a `status` too.
            Self::ExternalAccount => {
                let is_payment = has("payment_type") || has("payment_details");
                has("external_account_id") && EXTERNAL_STATUSES.into_iter().any(has) && !is_payment
            }
            Self::Participant => has("participant_code") && has("participant_status"),
            Self::ParticipantUpdated => {
                let is_about_status = has("participant_status");
                !is_about_status
                    && has("participant_code")
                    && ["edd_required", "edd", "tax_id", "idv", "liveness_check"].into_iter().any(has)
            }
        }
    }

    /// The sort that a payload type names, in lower case and with `_` for `.`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str().replace('.', "_") == name)
    }

    /// The sort of a body in either form: the platform's, or one with an `event` about a user or a balance.
    pub(crate) fn of(members: &Fields) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.fits(members)).or_else(|| {
            let event = members.text("event")?.to_ascii_lowercase();
            let names = |word: &str| event.split(['.', '_']).any(|part| part == word || part == format!("{word}s"));
            if names("balance") {
                Some(Self::Balance)
            } else if names("user") || names("participant") {
                Some(Self::Participant)
            } else {
                None
            }
        })
    }
}

/// What a webhook of this sort states.
pub(crate) fn draft(received: &Received<'_>, sort: AccountSort, mut members: Fields) -> Result<Draft, String> {
    let event = members.text("event").map(str::to_owned);
    if let Some(event) = &event {
        members.drop_repeated("event", event);
    }
    About { received, event_type: event.as_deref().unwrap_or(sort.as_str()) }.of_sort(sort, members)
}

/// What a row of a provider's list of such accounts states. It has the members of the webhook.
pub(crate) fn account_row(
    received: &Received<'_>,
    event_type: &'static str,
    sort: AccountSort,
    members: Fields,
) -> Result<Vec<Draft>, String> {
    About { received, event_type }.of_sort(sort, members).map(|draft| vec![draft])
}

/// What is known about a webhook or a row before its members are read.
struct About<'a> {
    received: &'a Received<'a>,
    event_type: &'a str,
}

impl About<'_> {
    fn of_sort(&self, sort: AccountSort, members: Fields) -> Result<Draft, String> {
        match sort {
            AccountSort::Participant => self.participant(members),
            AccountSort::ParticipantUpdated => self.participant_updated(members),
            AccountSort::ExternalAccount => self.external_account(members),
            AccountSort::Balance => self.balance(members),
        }
    }

    fn resource(&self, kind: Kind, member: &str, native: &str) -> Result<ResourceId, String> {
        resource(kind, self.received.envelope.feed(), member, native)
    }

    fn draft(&self, resource: ResourceId, status: Option<Status>, at: Option<Timestamp>, details: Details) -> Draft {
        Draft { resource, event_type: self.event_type.to_owned(), status, occurred_at: at, details }
    }

    fn participant(&self, mut members: Fields) -> Result<Draft, String> {
        let names = ["participant_code", "reference_id", "user_id", "id"];
        let mut account = members.take_first_text(&names[..1])?;
        // In a body with an event, the user is an object of its own. Its id comes before one of the body's.
        for name in ["user", "participant"] {
            if let Some(mut user) = members.take_object_present(name) {
                if account.is_none() {
                    account = user.take_first_text(&names)?;
                }
                members.unfold(name, user);
            }
        }
        let mut reference = members.take_object_present("account");
        if let (None, Some(reference)) = (&account, &mut reference) {
            account = reference.take_first_text(&["reference_id"])?;
        }
        if let Some(rest) = reference {
            members.keep_rest_of("account", rest);
        }
        if account.is_none() {
            account = members.take_first_text(&names)?;
        }
        let account = account.ok_or("`participant_code` is missing, or not a plain string")?;
        let resource = self.resource(Kind::Participant, "participant_code", &account)?;
        let word = members.take_first_text(&["participant_status", "user_status", "status"])?;
        // A name such as `connect.users.approved` states the status itself.
        let word = word.or_else(|| self.event_type.rsplit('.').next().map(str::to_owned)).unwrap_or_default();
        let status = participant_status(&word)?;
        let updated_at = take_updated_at(&mut members);
        let details = AccountDetails {
            account: Some(account),
            nickname: None,
            provider_status: Some(word),
            status_reason: members.take_text("reason_code"),
            updated_at,
            provider_data: members.into_rest(),
        };
        Ok(self.draft(resource, status, updated_at, Details::Account(Box::new(details))))
    }

    fn participant_updated(&self, mut members: Fields) -> Result<Draft, String> {
        let account = members.required_text("participant_code")?;
        let resource = self.resource(Kind::Participant, "participant_code", &account)?;
        let updated_at = take_updated_at(&mut members);
        let details = AccountDetails {
            account: Some(account),
            updated_at,
            provider_data: members.into_rest(),
            ..AccountDetails::default()
        };
        Ok(self.draft(resource, None, updated_at, Details::Account(Box::new(details))))
    }

    fn external_account(&self, mut members: Fields) -> Result<Draft, String> {
        let id = members.required_text("external_account_id")?;
        let resource = self.resource(Kind::ExternalAccount, "external_account_id", &id)?;
        let word = members.take_first_text(&EXTERNAL_STATUSES)?.unwrap_or_default();
        let status = external_account_status(&word)?;
        let updated_at = take_updated_at(&mut members);
        let details = AccountDetails {
            account: members.take_text("participant_code"),
            nickname: members.take_text("account_nickname"),
            provider_status: Some(word),
            status_reason: members.take_text("status_reason").or_else(|| members.take_text("reason_code")),
            updated_at,
            provider_data: members.into_rest(),
        };
        Ok(self.draft(resource, Some(status), updated_at, Details::Account(Box::new(details))))
    }

    /// A balance. It has no id of the provider's, so it is named by a digest of its user, account and asset.
    fn balance(&self, mut members: Fields) -> Result<Draft, String> {
        if let Some(balance) = members.take_object_present("balance") {
            members.unfold("balance", balance);
        }
        if let Some(mut account) = members.take_object_present("account") {
            if !members.states("participant_code")
                && let Some(reference) = account.take_text("reference_id")
            {
                members.keep_text("participant_code", reference);
            }
            members.keep_rest_of("account", account);
        }
        let mut named = Vec::new();
        for name in ["participant_code", "account_group", "account_label", "account_type", "asset"] {
            let part = members.take_text(name);
            if part.is_none() && members.has(name) {
                // Taking it as missing would merge two balances into one.
                return Err(format!("`{name}` is not a plain string"));
            }
            if part.as_ref().is_some_and(|part| part.contains(char::REPLACEMENT_CHARACTER)) {
                return Err(format!("`{name}` contains what is not a character, so it cannot name a resource"));
            }
            named.push(part.clone().unwrap_or_default());
            part.into_iter().for_each(|part| members.keep_text(name, part));
        }
        if members.text("participant_code").is_none() || members.text("asset").is_none() {
            return Err("`participant_code` or `asset` is missing, so the balance cannot be named".to_owned());
        }
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        let native = self.received.settings.id_key.name(&named);
        let resource = self.resource(Kind::Balance, "account_label", &native)?;
        let stated_at = take_updated_at(&mut members);
        // Movements are dated to the millisecond, balances often to the second only, so movements give the order.
        let updated_at = latest_movement(&members).or(stated_at);
        let amount = ["balance", "amount"].into_iter().find(|name| members.has(name)).unwrap_or("balance");
        let quantity = members.take_quantity(amount, &Units::Major);
        let (asset, network) = members.take_asset("asset");
        let details = BalanceDetails {
            quantity: Some(quantity.ok_or("`balance` is not a number")?),
            asset,
            network,
            account: members.take_text("participant_code"),
            sub_account: members.take_text("account_label"),
            updated_at,
            provider_data: members.into_rest(),
        };
        Ok(self.draft(resource, Some(Status::Balance), updated_at, Details::Balance(Box::new(details))))
    }
}

fn take_updated_at(members: &mut Fields) -> Option<Timestamp> {
    ["timestamp", "updated_at"].into_iter().find_map(|name| members.take_time(name))
}

/// The latest `movement_timestamp` of the movements [zerohash-balances].
fn latest_movement(members: &Fields) -> Option<Timestamp> {
    let movements = members.json("movements")?.as_array()?;
    let objects = movements.iter().filter_map(|movement| movement.as_object().cloned());
    objects.filter_map(|movement| Fields::new(movement).time("movement_timestamp")).max()
}

/// A participant's status. `pending_disable` and `pending_unlock` announce one, and are none themselves
/// [zerohash-statuses].
fn participant_status(word: &str) -> Result<Option<Status>, String> {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "pending_disable" | "pending_unlock" => Ok(None),
        known => {
            let status = Status::named(Kind::Participant, known);
            status.map(Some).map_err(|_| unknown("participant_status", word))
        }
    }
}

/// An external account's status. The API has more words than the webhook [zerohash-openapi].
fn external_account_status(word: &str) -> Result<Status, String> {
    let lower = word.to_ascii_lowercase();
    let named = match lower.as_str() {
        "submitted" => "pending",
        "deleted" | "revoked" => "closed",
        "failed" => "rejected",
        other => other,
    };
    Status::named(Kind::ExternalAccount, named).map_err(|_| unknown("external_account_status", word))
}

/// The reason for a word that is not known.
pub(crate) fn unknown(member: &str, word: &str) -> String {
    format!("`{member}` is {:?}, which is not known", shown(word))
}

/// The part of a webhook's text that a reason quotes.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}
