//! What zerohash's webhooks state.

use fundhook_domain::{
    AccountDetails, BalanceDetails, DepositStatus, Details, Feed, Kind, Network, Quantity, ResourceId, Status,
    Timestamp, Transaction, TransferDetails, Units, WebhookFamily,
};

use super::fund::{FundContext, fund_draft};
use super::wire::{self, Named, Sort};
use crate::draft::{Draft, NotUnderstood, Received};
use crate::recovery::with_recovery;
use crate::wire::{Fields, split_asset};

/// What a webhook of zerohash states.
pub(crate) fn drafts(received: &Received<'_>, members: Fields) -> Result<Vec<Draft>, NotUnderstood> {
    let named = wire::named(received.payload_type);
    let Some(sort) = Sort::of(named, &members) else {
        let reason = match (received.payload_type, named) {
            (Some(name), Named::Sort(_)) => format!("the body does not have the members of the payload type {name:?}"),
            (Some(name), Named::NotSupported | Named::Unknown) => format!("the payload type {name:?} is not supported"),
            (None, _) => "no header names a payload type, and the body has the members of no known one".to_owned(),
        };
        return Err(NotUnderstood { named: None, reason });
    };
    let about = About { feed: received.envelope.feed(), sort, sent_at: received.sent_at };
    let drafts = match sort {
        Sort::Fund => fund_draft(&about.fund_context(), members).map(|draft| vec![draft]),
        Sort::DepositFailed => about.deposit_failed(members).map(with_recovery),
        Sort::Deposit => about.deposit(members).map(with_recovery),
        Sort::Payment => about.payment(members),
        Sort::Participant => about.participant(members).map(|draft| vec![draft]),
        Sort::ExternalAccount => about.external_account(members).map(|draft| vec![draft]),
        Sort::Balance => about.balance(members).map(|draft| vec![draft]),
    };
    drafts.map_err(|reason| NotUnderstood { named: None, reason })
}

/// What is known about a webhook before its members are read.
struct About<'a> {
    feed: &'a Feed,
    sort: Sort,
    sent_at: Timestamp,
}

impl About<'_> {
    fn fund_context(&self) -> FundContext<'_> {
        let family = WebhookFamily::ZerohashFund;
        FundContext { feed: self.feed, event_type: self.sort.as_str(), family, sent_at: self.sent_at }
    }

    fn resource(&self, kind: Kind, member: &str, native: &str) -> Result<ResourceId, String> {
        let named = ResourceId::new(kind, self.feed.clone(), native);
        named.map_err(|error| format!("`{member}` cannot name a resource: {error}"))
    }

    fn draft(&self, resource: ResourceId, status: Status, occurred_at: Option<Timestamp>, details: Details) -> Draft {
        let occurred_at = occurred_at.unwrap_or(self.sent_at);
        Draft { resource, event_type: self.sort.as_str().to_owned(), status, occurred_at, details }
    }

    /// A deposit outside the authorised flow. It has neither an id nor a date, so all its members together identify it.
    fn deposit_failed(&self, mut members: Fields) -> Result<Draft, String> {
        if members.flag("success") != Some(false) {
            return Err("`success` is not false, as DEPOSIT_FAILED requires".to_owned());
        }
        let account = members.required_text("participant_code")?;
        let hash = members.required_text("transaction_id")?;
        let code = members.required_text("asset")?;
        let value = members.take_decimal("quantity")?.ok_or("`quantity` is missing")?;
        let resource = self.resource(Kind::Deposit, "transaction_id", &format!("{hash}:{account}:{code}:{value}"))?;
        let (asset, network) = split_asset(&code);
        let details = TransferDetails {
            quantity: Some(Quantity::major(value)),
            asset: Some(asset),
            network,
            transaction: Transaction { hash: Some(hash), ..Transaction::default() },
            account: Some(account),
            family: Some(WebhookFamily::ZerohashDepositFailed),
            provider_data: members.into_rest(),
            ..TransferDetails::default()
        };
        let status = Status::Deposit(DepositStatus::Unexpected);
        Ok(self.draft(resource, status, None, Details::Transfer(Box::new(details))))
    }

    fn deposit(&self, mut members: Fields) -> Result<Draft, String> {
        let id = members.required_text("deposit_id")?;
        let resource = self.resource(Kind::Deposit, "deposit_id", &id)?;
        let state = members.required_text("state")?;
        let status = wire::deposit_state(&state).ok_or_else(|| unknown("state", &state))?;
        let updated_at = members.take_time("timestamp")?;
        let quantity = members.take_quantity("amount", &Units::Major)?;
        let (asset, network) = members.take_asset("asset");
        let details = TransferDetails {
            quantity,
            asset,
            network,
            transaction: Transaction {
                hash: members.take_text("transaction_hash"),
                from: members.take_text("source_address"),
                to: members.take_text("received_address"),
                ..Transaction::default()
            },
            account: members.take_text("participant_code"),
            sub_account: members.take_text("account_id"),
            provider_status: Some(state),
            family: Some(WebhookFamily::ZerohashDepositStatus),
            updated_at,
            provider_data: members.into_rest(),
            ..TransferDetails::default()
        };
        Ok(self.draft(resource, status, updated_at, Details::Transfer(Box::new(details))))
    }

    /// A payment. One that returns unexpected money (`auth_withdrawal`) is a statement about the recovery too.
    fn payment(&self, mut members: Fields) -> Result<Vec<Draft>, String> {
        let payment_type = members.text("payment_type").unwrap_or_default().to_owned();
        if !payment_type.ends_with("withdrawal") {
            return Err(format!("the payment type {:?} is not a withdrawal", shown(&payment_type)));
        }
        let mut payment = members.take_object("payment_details").ok_or("`payment_details` is not an object")?;
        let status_word = members.required_text("status")?;
        let status = wire::payment_status(&status_word).ok_or_else(|| unknown("status", &status_word))?;
        // Newer payloads have the payment's own id [zerohash-payments], and the request's may be empty at first. The
        // samples of [zerohash-recovery §7] have the request's id only.
        let request_id = payment.take_text("withdrawal_request_id");
        let id = members.take_text("payment_id").or_else(|| request_id.clone());
        let id = id.ok_or("neither `payment_id` nor `payment_details.withdrawal_request_id` names the payment")?;
        let resource = self.resource(Kind::Withdrawal, "payment_id", &id)?;

        let total = members.take_quantity("total", &Units::Major)?;
        // Empty in all samples of [zerohash-recovery §7], where only the total states the amount.
        let quantity = members.take_quantity("quantity", &Units::Major)?;
        let (created_at, updated_at) = (members.take_time("created_at")?, members.take_time("updated_at")?);
        let external = members.text("external_account_id").map(str::to_owned);
        let external = external.and_then(|id| ResourceId::new(Kind::ExternalAccount, self.feed.clone(), &id).ok());
        let code = members.take_text("asset");
        let (asset, implied) = code.as_deref().map(split_asset).unzip();
        let implied = implied.flatten();
        let network = members.take_text("network").as_deref().map(Network::named);
        // When the asset's code contains another network than the one that is named, both are carried.
        if let (Some(code), Some(network), Some(implied)) = (code, &network, &implied)
            && asset.as_ref() != Some(&code)
            && network.name() != implied.name()
        {
            members.keep_text("asset", code);
        }
        let mut details = TransferDetails {
            quantity,
            fee: payment.take_quantity("network_fee_quantity", &Units::Major)?,
            total,
            asset,
            network: network.or(implied),
            transaction: Transaction {
                hash: payment.take_text("on_chain_transaction_id"),
                to: payment.take_text("destination_address"),
                ..Transaction::default()
            },
            account: members.take_text("participant_code"),
            provider_status: Some(status_word),
            family: Some(WebhookFamily::ZerohashPayments),
            related: external.into_iter().collect(),
            created_at,
            updated_at,
            ..TransferDetails::default()
        };
        if let Some(request_id) = request_id.filter(|request_id| *request_id != id) {
            payment.keep_text("withdrawal_request_id", request_id);
        }
        members.keep_rest_of("payment_details", payment);
        details.provider_data = members.into_rest();
        let draft = self.draft(resource, status, updated_at.max(created_at), Details::Transfer(Box::new(details)));
        Ok(if payment_type == "auth_withdrawal" { with_recovery(draft) } else { vec![draft] })
    }

    fn participant(&self, mut members: Fields) -> Result<Draft, String> {
        let account = members.required_text("participant_code")?;
        let resource = self.resource(Kind::Participant, "participant_code", &account)?;
        let word = members.required_text("participant_status")?;
        let status = wire::participant_status(&word).ok_or_else(|| unknown("participant_status", &word))?;
        let updated_at = members.take_time("timestamp")?;
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

    fn external_account(&self, mut members: Fields) -> Result<Draft, String> {
        let id = members.required_text("external_account_id")?;
        let resource = self.resource(Kind::ExternalAccount, "external_account_id", &id)?;
        let word = members.required_text("external_account_status")?;
        let status = wire::external_account_status(&word).ok_or_else(|| unknown("external_account_status", &word))?;
        let updated_at = members.take_time("timestamp")?;
        let details = AccountDetails {
            account: members.take_text("participant_code"),
            nickname: members.take_text("account_nickname"),
            provider_status: Some(word),
            status_reason: members.take_text("reason_code"),
            updated_at,
            provider_data: members.into_rest(),
        };
        Ok(self.draft(resource, status, updated_at, Details::Account(Box::new(details))))
    }

    /// A balance. It has no id, so it is named by its user, account and asset.
    fn balance(&self, mut members: Fields) -> Result<Draft, String> {
        let names = ["participant_code", "account_group", "account_label", "account_type", "asset"];
        let mut named = Vec::new();
        for name in names {
            let part = members.take_text(name);
            if part.is_none() && members.has(name) {
                // Taking it as missing would merge two balances into one.
                return Err(format!("`{name}` is not a plain string"));
            }
            let part = part.inspect(|part| members.keep_text(name, part.clone()));
            named.push(part.unwrap_or_else(|| "-".to_owned()));
        }
        let resource = self.resource(Kind::Balance, "account_label", &named.join(":"))?;
        let updated_at = members.take_time("timestamp")?;
        let quantity = members.take_quantity("balance", &Units::Major)?;
        let (asset, network) = members.take_asset("asset");
        let details = BalanceDetails {
            quantity: Some(quantity.ok_or("`balance` is empty")?),
            asset,
            network,
            account: members.take_text("participant_code"),
            sub_account: members.take_text("account_label"),
            updated_at,
            provider_data: members.into_rest(),
        };
        Ok(self.draft(resource, Status::Balance, updated_at, Details::Balance(Box::new(details))))
    }
}

fn unknown(member: &str, word: &str) -> String {
    format!("`{member}` is {:?}, which is not known", shown(word))
}

/// The part of a webhook's text that a reason quotes.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}
