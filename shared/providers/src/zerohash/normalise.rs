//! What zerohash's webhooks state.

use fundhook_domain::{
    DepositStatus, Details, FeeQuantity, Kind, Network, Purpose, Quantity, ResourceId, Side, Status, Timestamp,
    Transaction, TransferDetails, Units, WebhookFamily, split_asset_code,
};

use super::fund::{FundContext, fund_draft};
use super::wire::{self, DepositState, Named, Sort};
use crate::accounts::{self, unknown};
use crate::credit::{confirm, held, in_kind};
use crate::draft::{Draft, NotUnderstood, Received};
use crate::ids::resource;
use crate::recovery::with_recovery;
use crate::wire::Fields;

/// What a webhook of zerohash states.
pub(crate) fn drafts(received: &Received<'_>, members: Fields) -> Result<Vec<Draft>, NotUnderstood> {
    let named = wire::named(received.payload_type);
    let Some(sort) = Sort::of(named, &members) else {
        let reason = match (received.payload_type, named) {
            (Some(name), Named::Sorts(_) | Named::Account(_)) => {
                format!("the body does not have the members of the payload type {name:?}")
            }
            (Some(name), Named::NotSupported | Named::Unknown) => format!("the payload type {name:?} is not supported"),
            (None, _) => "no header names a payload type, and the body has the members of no known one".to_owned(),
        };
        return Err(NotUnderstood { named: None, reason });
    };
    let about = About { received, event_type: sort.as_str() };
    let ids = &received.settings.id_key;
    let drafts = match sort {
        Sort::Fund => fund_draft(&about.fund_context(), members).map(|draft| vec![draft]),
        Sort::DepositFailed => about.deposit_failed(members).map(|draft| with_recovery(draft, None, ids)),
        Sort::Deposit => about.deposit(members).map(|draft| with_recovery(draft, None, ids)),
        Sort::Payment => about.payment(members),
        Sort::BankPayment => about.bank_payment(members).map(|draft| vec![draft]),
        Sort::Account(sort) => accounts::draft(received, sort, members).map(|draft| vec![draft]),
    };
    drafts.map_err(|reason| NotUnderstood { named: None, reason })
}

/// What is known about a webhook or a row before its members are read.
pub(super) struct About<'a> {
    pub(super) received: &'a Received<'a>,
    pub(super) event_type: &'static str,
}

impl About<'_> {
    fn fund_context(&self) -> FundContext<'_> {
        FundContext {
            feed: self.received.envelope.feed(),
            event_type: self.event_type,
            family: WebhookFamily::ZerohashFund,
            settings: self.received.settings,
        }
    }

    fn resource(&self, kind: Kind, member: &str, native: &str) -> Result<ResourceId, String> {
        resource(kind, self.received.envelope.feed(), member, native)
    }

    fn draft(
        &self,
        resource: ResourceId,
        status: Option<Status>,
        occurred_at: Option<Timestamp>,
        details: TransferDetails,
    ) -> Draft {
        let details = Details::Transfer(Box::new(details));
        Draft { resource, event_type: self.event_type.to_owned(), status, occurred_at, details }
    }

    /// A deposit outside the authorised flow. It has neither an id nor a date, so a digest of its members identifies it.
    fn deposit_failed(&self, mut members: Fields) -> Result<Draft, String> {
        if members.flag("success") != Some(false) {
            return Err("`success` is not false, as DEPOSIT_FAILED requires".to_owned());
        }
        let account = members.required_text("participant_code")?;
        let hash = members.required_text("transaction_id")?;
        let code = members.required_text("asset")?;
        let stated = members.json("quantity").map(ToString::to_string).unwrap_or_default();
        let value = members.take_decimal("quantity");
        let amount = value.as_ref().map_or(stated, ToString::to_string);
        let native = self.received.settings.id_key.name(&[&hash, &account, &code, &amount]);
        let resource = self.resource(Kind::Deposit, "transaction_id", &native)?;
        let (asset, network) = split_asset_code(&code);
        let details = TransferDetails {
            quantity: value.map(Quantity::major),
            asset: Some(asset),
            network,
            transaction: Transaction { hash: Some(hash), ..Transaction::default() },
            account: Some(account),
            family: Some(WebhookFamily::ZerohashDepositFailed),
            provider_data: members.into_rest(),
            ..TransferDetails::default()
        };
        Ok(self.draft(resource, Some(Status::Deposit(DepositStatus::Unexpected)), None, details))
    }

    pub(super) fn deposit(&self, mut members: Fields) -> Result<Draft, String> {
        let id = members.required_text("deposit_id")?;
        let resource = self.resource(Kind::Deposit, "deposit_id", &id)?;
        let state = members.take_text("state").unwrap_or_default();
        let updated_at = members.take_time("timestamp");
        let quantity = members.take_quantity("amount", &Units::Major);
        let (asset, network) = members.take_asset("asset");
        let mut details = TransferDetails {
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
            provider_status: Some(state.clone()).filter(|state| !state.is_empty()),
            status_reason: members.take_text("state_reason"),
            family: Some(WebhookFamily::ZerohashDepositStatus),
            updated_at,
            ..TransferDetails::default()
        };
        let status = match wire::deposit_state(&state) {
            DepositState::Reached(status) => status,
            DepositState::Credited => {
                let credit = in_kind(&details);
                confirm(&mut details, credit)
            }
            DepositState::Held(reason) => held(&mut details, reason.into()),
        };
        details.provider_data = members.into_rest();
        Ok(self.draft(resource, Some(Status::Deposit(status)), updated_at, details))
    }

    /// A payment to a chain. One that returns unexpected money (`auth_withdrawal`) is a statement about the recovery too.
    pub(super) fn payment(&self, mut members: Fields) -> Result<Vec<Draft>, String> {
        let is_return = members.text("payment_type").is_some_and(|name| name.eq_ignore_ascii_case("auth_withdrawal"));
        let mut payment = members.take_object("payment_details").unwrap_or_default();
        let word = members.required_text("status")?;
        let status = wire::payment_status(&word).ok_or_else(|| unknown("status", &word))?;
        // Newer payloads have the payment's own id [zerohash-payments], and the request's may be empty at first. The
        // samples of [zerohash-recovery §7] have the request's id only. A webhook with both joins the two.
        let request_id = payment.take_text("withdrawal_request_id");
        let id = members.take_first_text(&["payment_id"])?.or_else(|| request_id.clone());
        let id = id.ok_or("neither `payment_id` nor `payment_details.withdrawal_request_id` names the payment")?;
        let resource = self.resource(Kind::Withdrawal, "payment_id", &id)?;
        let request = request_id.as_ref().filter(|request_id| **request_id != id);
        let request = request.and_then(|id| self.resource(Kind::Withdrawal, "withdrawal_request_id", id).ok());
        let names = request.into_iter().flat_map(|request| [resource.clone(), request]).collect();

        let total = members.take_quantity("total", &Units::Major);
        // Empty in all samples of [zerohash-recovery §7], where only the total states the amount.
        let quantity = members.take_quantity("quantity", &Units::Major);
        let (created_at, updated_at) = (members.take_time("created_at"), members.take_time("updated_at"));
        let external = self.external_account(&members);
        let code = members.take_text("asset");
        let (asset, implied) = code.as_deref().map(split_asset_code).unzip();
        let implied = implied.flatten();
        let network = members.take_text("network").as_deref().map(Network::named);
        // When the asset's code contains another network than the one that is named, both are carried.
        if let (Some(code), Some(network), Some(implied)) = (code, &network, &implied)
            && asset.as_ref() != Some(&code)
            && network.name() != implied.name()
        {
            members.keep_text("asset", code);
        }
        let fee = payment.take_quantity("network_fee_quantity", &Units::Major);
        let mut details = TransferDetails {
            quantity,
            fee: fee.map(|quantity| FeeQuantity { quantity, asset: None, network: None }),
            total,
            asset,
            network: network.or(implied),
            transaction: Transaction {
                hash: payment.take_text("on_chain_transaction_id"),
                to: payment.take_text("destination_address"),
                ..Transaction::default()
            },
            account: take_account(&mut members),
            purpose: is_return.then_some(Purpose::Return),
            reference_id: members.take_text("reference_id"),
            status_reason: members.take_text("failure_reason"),
            provider_status: Some(word),
            family: Some(WebhookFamily::ZerohashPayments),
            names,
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
        let draft = self.draft(resource, status, updated_at.max(created_at), details);
        Ok(if is_return { with_recovery(draft, None, &self.received.settings.id_key) } else { vec![draft] })
    }

    /// A payment by a bank. `type` is `debit` when the money is drawn from the user's bank account, and `credit` when it is
    /// paid into it [zerohash-payments].
    pub(super) fn bank_payment(&self, mut members: Fields) -> Result<Draft, String> {
        let id = members.required_text("transaction_id")?;
        let resource = self.resource(Kind::Withdrawal, "transaction_id", &id)?;
        let word = members.required_text("payment_status")?;
        let status = wire::payment_status(&word).ok_or_else(|| unknown("payment_status", &word))?;
        let side = members.text("type").and_then(|word| match word.to_ascii_lowercase().as_str() {
            "debit" => Some(Side::Debit),
            "credit" => Some(Side::Credit),
            _ => None,
        });
        if side.is_some() {
            members.take_text("type");
        }
        let updated_at = ["timestamp", "updated_at"].into_iter().find_map(|name| members.take_time(name));
        let external = self.external_account(&members);
        let (asset, network) = members.take_asset("asset");
        let currency = members.take_text("currency").or_else(|| members.take_text("quoted_asset"));
        let details = TransferDetails {
            quantity: members.take_quantity("amount", &Units::Major),
            asset: asset.or(currency),
            network,
            account: take_account(&mut members),
            side,
            purpose: Some(match side {
                Some(Side::Debit) => Purpose::BankDebit,
                Some(Side::Credit) => Purpose::BankCredit,
                None => Purpose::BankTransfer,
            }),
            reference_id: members.take_text("reference_id"),
            provider_status: Some(word),
            status_reason: members.take_text("reason_description"),
            status_reason_code: members.take_text("reason_code"),
            family: Some(WebhookFamily::ZerohashPayments),
            related: external.into_iter().collect(),
            created_at: members.take_time("created_at"),
            updated_at,
            provider_data: members.into_rest(),
            ..TransferDetails::default()
        };
        Ok(self.draft(resource, status, updated_at, details))
    }

    fn external_account(&self, members: &Fields) -> Option<ResourceId> {
        let id = members.text("external_account_id")?;
        ResourceId::new(Kind::ExternalAccount, self.received.envelope.feed().clone(), id).ok()
    }
}

/// The user's code. A payment on behalf of another participant may name only that one [zerohash-withdraw-sdk].
fn take_account(members: &mut Fields) -> Option<String> {
    let own = members.take_text("participant_code");
    let mut other = members.take_object_present("obo_participant");
    // A code that cannot be read must not be replaced by another one.
    let is_stated = members.has("participant_code");
    let account = own.or_else(|| other.as_mut().filter(|_| !is_stated)?.take_text("participant_code"));
    if let Some(rest) = other {
        members.keep_rest_of("obo_participant", rest);
    }
    account
}
