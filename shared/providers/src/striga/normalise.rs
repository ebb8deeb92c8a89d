//! What Striga's webhooks state.

use std::collections::BTreeSet;

use fundhook_domain::{
    Balances, Details, FeeStatus, Kind, Network, Quantity, ResourceId, Side, Status, Timestamp, Transaction,
    TransferDetails, Units, WebhookFamily, WithdrawalStatus,
};
use serde_json::Value;

use super::wire::{self, Sort};
use crate::draft::{Draft, NotUnderstood, Received};
use crate::wire::Fields;

/// What a webhook of Striga states.
pub(crate) fn drafts(received: &Received<'_>, mut members: Fields) -> Result<Vec<Draft>, NotUnderstood> {
    let mut name = members.take_text("type");
    if name.is_none() && !members.has("type") {
        name = members.take_text("txType");
    }
    let Some(name) = name else {
        return Err(NotUnderstood { named: None, reason: "the body has no text member `type`".to_owned() });
    };
    members.drop_repeated("txType", &name);
    let Some(sort) = wire::sort(&name) else {
        let reason = format!("the type {:?} is not supported", shown(&name));
        return Err(NotUnderstood { named: Some(name), reason });
    };
    let drafts = Webhook::read(received, &name, members).and_then(|webhook| match sort {
        Sort::Transfer(status) => webhook.transfer(status),
        Sort::NetworkFee(status) => webhook.network_fee(status),
        Sort::ApplicationFee => webhook.application_fee(),
    });
    drafts.map_err(|reason| NotUnderstood { named: Some(name), reason })
}

/// The parts that all of Striga's webhooks have.
struct Webhook<'a> {
    received: &'a Received<'a>,
    name: &'a str,
    id: String,
    sub_type: Option<String>,
    timestamp: Timestamp,
    debit: Option<Quantity>,
    credit: Option<Quantity>,
    on_chain: Option<Quantity>,
    details: TransferDetails,
}

impl<'a> Webhook<'a> {
    fn read(received: &'a Received<'a>, name: &'a str, mut members: Fields) -> Result<Self, String> {
        let id = members.required_text("id")?;
        let timestamp = members.take_time("timestamp")?.ok_or("`timestamp` is missing")?;
        let (before, units_before) = take_balance(&mut members, "balanceBefore")?;
        let (after, units_after) = take_balance(&mut members, "balanceAfter")?;
        if let (Some(before), Some(after)) = (&units_before, &units_after)
            && before != after
        {
            let (before, after) = (shown(before.as_str()), shown(after.as_str()));
            return Err(format!(
                "the balances are in {before:?} and {after:?}, so the unit of the amounts is not known"
            ));
        }
        // Amounts are in the unit that the balances name. DENIED has been seen without balances; then the unit is
        // unknown.
        let units = units_before.or(units_after).unwrap_or_else(|| Units::Other("unstated".to_owned()));
        let debit = members.take_quantity("debit", &units)?;
        let credit = members.take_quantity("credit", &units)?;
        let on_chain = members.take_quantity(wire::ON_CHAIN_AMOUNT, &units)?;
        let side = match (&debit, &credit) {
            (Some(_), None) => Some(Side::Debit),
            (None, Some(_)) => Some(Side::Credit),
            (Some(_), Some(_)) => return Err("both `debit` and `credit` are stated".to_owned()),
            (None, None) => None,
        };
        let details = TransferDetails {
            asset: members.take_text("currency"),
            network: members.take_text("blockchainNetwork").as_deref().map(Network::named),
            transaction: Transaction {
                hash: members.take_text("txHash"),
                from: members.take_text("blockchainSourceAddress"),
                to: members.take_text("blockchainDepositAddress"),
                confirmations: members
                    .take_text_if("blockchainConfirmations", |text| text.bytes().all(|byte| byte.is_ascii_digit())),
                ..Transaction::default()
            },
            account: members.take_text("syncedOwnerId"),
            sub_account: members.take_text("accountId"),
            balances: Balances { before, after },
            side,
            provider_status: Some(name.to_owned()),
            family: Some(WebhookFamily::StrigaTransactions),
            updated_at: Some(timestamp),
            ..TransferDetails::default()
        };
        let sub_type = members.text("txSubType").map(str::to_owned);
        let details = TransferDetails { provider_data: members.into_rest(), ..details };
        Ok(Self { received, name, id, sub_type, timestamp, debit, credit, on_chain, details })
    }

    fn resource(&self, kind: Kind, native: &str) -> Result<ResourceId, String> {
        let named = ResourceId::new(kind, self.received.envelope.feed().clone(), native);
        named.map_err(|error| format!("`id` cannot name a resource: {error}"))
    }

    fn draft(&self, resource: ResourceId, status: Status, details: TransferDetails) -> Draft {
        Draft {
            resource,
            event_type: self.name.to_owned(),
            status,
            occurred_at: self.timestamp,
            details: Details::Transfer(Box::new(details)),
        }
    }

    /// Keeps the amounts that are in no field under the provider's names: nothing that a provider states is dropped.
    fn keep_other_amounts(&mut self, details: &mut TransferDetails) {
        // A confirmed deposit states its amount twice.
        let on_chain = self.on_chain.take().filter(|amount| Some(amount) != details.quantity.as_ref());
        for (name, amount) in
            [("debit", self.debit.take()), ("credit", self.credit.take()), (wire::ON_CHAIN_AMOUNT, on_chain)]
        {
            let amount = amount.map(|amount| (name.to_owned(), Value::String(amount.value.to_string())));
            details.provider_data.extend(amount);
        }
    }

    /// A deposit or a withdrawal. For a withdrawal, only INITIATED states the amount; PENDING and CONFIRMED do not.
    fn transfer(mut self, status: Status) -> Result<Vec<Draft>, String> {
        let mut details = std::mem::take(&mut self.details);
        if status.kind() == Kind::Deposit {
            // The credited amount, or before that the amount seen on chain.
            details.quantity = self.credit.take().or_else(|| self.on_chain.take());
        } else {
            // FAILED credits the debited amount back. The two amounts may differ.
            (details.quantity, details.refunded) = (self.debit.take(), self.credit.take());
        }
        self.keep_other_amounts(&mut details);
        let resource = self.resource(status.kind(), &self.id)?;
        Ok(vec![self.draft(resource, status, details)])
    }

    /// The network's fee for a withdrawal, or its refund: a statement about the fee, and one about the withdrawal.
    fn network_fee(mut self, status: FeeStatus) -> Result<Vec<Draft>, String> {
        let fee = self.resource(Kind::Fee, &wire::network_fee_id(&self.id))?;
        let withdrawal = self.resource(Kind::Withdrawal, &self.id)?;
        let mut details = std::mem::take(&mut self.details);
        let TransferDetails { asset, network, account, sub_account, family, .. } = details.clone();
        (details.quantity, details.refunded) = match status {
            FeeStatus::Charged => (self.debit.take(), None),
            FeeStatus::Refunded => (None, self.credit.take()),
        };
        self.keep_other_amounts(&mut details);
        if self.sub_type.as_deref() != Some(wire::WITHDRAWAL_FEE) {
            return Ok(vec![self.draft(fee, Status::Fee(status), details)]);
        }
        let of_withdrawal = TransferDetails {
            fee: details.quantity.clone(),
            asset,
            network,
            account,
            sub_account,
            family,
            related: BTreeSet::from([fee.clone()]),
            ..TransferDetails::default()
        };
        details.related = BTreeSet::from([withdrawal.clone()]);
        // A fee is charged once the withdrawal is initiated. It proves no further status.
        let initiated = Status::Withdrawal(WithdrawalStatus::Initiated);
        Ok(vec![self.draft(fee, Status::Fee(status), details), self.draft(withdrawal, initiated, of_withdrawal)])
    }

    /// A leg of the platform's fee: the user's debit or the platform's credit.
    fn application_fee(mut self) -> Result<Vec<Draft>, String> {
        let mut details = std::mem::take(&mut self.details);
        let side = details.side.ok_or("neither `debit` nor `credit` is stated, so the leg of the fee is not known")?;
        let other = match side {
            Side::Debit => Side::Credit,
            Side::Credit => Side::Debit,
        };
        let leg = |side| self.resource(Kind::Fee, &wire::application_fee_id(&self.id, side));
        let (leg, other_leg) = (leg(side)?, leg(other)?);
        details.quantity = self.debit.take().or_else(|| self.credit.take());
        self.keep_other_amounts(&mut details);
        details.related = BTreeSet::from([other_leg]);
        Ok(vec![self.draft(leg, Status::Fee(FeeStatus::Charged), details)])
    }
}

/// Takes a balance: its amount, and the unit of this and all other amounts.
fn take_balance(members: &mut Fields, name: &str) -> Result<(Option<Quantity>, Option<Units>), String> {
    let Some(mut balance) = members.take_object_present(name) else {
        return Ok((None, None));
    };
    let units = balance.take_text("currency").map(|unit| Units::named(&unit));
    if units.is_none() && balance.has("currency") {
        return Err(format!("{name}: `currency` is not a plain string"));
    }
    let stated = units.clone().unwrap_or_else(|| Units::Other("unstated".to_owned()));
    let amount = balance.take_quantity("amount", &stated).map_err(|why| format!("{name}: {why}"))?;
    // Every sample states the balance twice [striga-transactions].
    if let Some(amount) = &amount {
        balance.drop_repeated("balance", &amount.value.to_string());
    }
    members.keep_rest_of(name, balance);
    Ok((amount, units))
}

/// The part of a webhook's text that a reason quotes.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}
