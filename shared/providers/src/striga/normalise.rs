//! What Striga's webhooks state.

use std::collections::BTreeSet;

use fundhook_domain::{
    Amount, Balances, Credit, DecimalValue, DepositStatus, Details, Exchange, ExchangeStatus, FeeQuantity, FeeStatus,
    Hold, HoldReason, Kind, Network, Quantity, ResourceId, Side, Status, Timestamp, Transaction, TransferDetails,
    Units, WebhookFamily, WithdrawalStatus,
};
use serde_json::Value;

use super::wire::{self, AboutAccount, Names, Report};
use super::{PING, accounts};
use crate::accounts::shown;
use crate::credit::{confirm, in_kind};
use crate::draft::{Draft, NotUnderstood, Received};
use crate::ids::resource;
use crate::wire::Fields;

/// What a webhook of Striga states.
pub(crate) fn drafts(received: &Received<'_>, mut members: Fields) -> Result<Vec<Draft>, NotUnderstood> {
    if received.envelope.url().trim_end_matches('/').ends_with("/ping") {
        let reason = "a test webhook from the provider's dashboard".to_owned();
        return Err(NotUnderstood { named: Some(PING.to_owned()), reason });
    }
    // A `type` that is stated and is not a text must not be replaced by another name.
    let other = members.text("txType").filter(|_| !members.states("type"));
    let name = members.text("type").or(other).map(str::to_owned);
    let of_account = AboutAccount::of(name.as_deref(), &members).filter(|_| name.is_some() || !members.states("type"));
    let Some(name) = name else {
        return match of_account {
            Some(about) => {
                let draft = accounts::draft(received, about, "", members);
                draft.map(|draft| vec![draft]).map_err(|reason| NotUnderstood { named: None, reason })
            }
            None => Err(NotUnderstood { named: None, reason: "the body has no text member `type`".to_owned() }),
        };
    };
    let (leg, sub_type) = (members.text("txType"), members.text("txSubType"));
    let report = wire::report(Names { name: &name, leg, sub_type });
    let drafts = match (report, of_account) {
        (Some(report), _) => {
            ["type", "txType"].into_iter().for_each(|member| members.drop_repeated(member, &name));
            Webhook::read(received, &name, members).and_then(|webhook| webhook.drafts(report))
        }
        (None, Some(about)) => accounts::draft(received, about, &name, members).map(|draft| vec![draft]),
        (None, None) => Err(format!("the type {:?} is not supported", shown(&name))),
    };
    drafts.map_err(|reason| NotUnderstood { named: Some(name), reason })
}

/// The parts that all of Striga's webhooks about money have.
struct Webhook<'a> {
    received: &'a Received<'a>,
    name: &'a str,
    id: String,
    sub_type: Option<String>,
    timestamp: Option<Timestamp>,
    debit: Option<Quantity>,
    credit: Option<Quantity>,
    on_chain: Option<Quantity>,
    details: TransferDetails,
}

impl<'a> Webhook<'a> {
    /// Only `id` is required: whatever else cannot be read is noted, and holds a deposit if it is its amount.
    fn read(received: &'a Received<'a>, name: &'a str, mut members: Fields) -> Result<Self, String> {
        let id = members.required_text("id")?;
        let timestamp = members.take_time("timestamp");
        let (before, units_before) = take_balance(&mut members, "balanceBefore");
        let (after, units_after) = take_balance(&mut members, "balanceAfter");
        // Amounts are in the unit that the balances name. If they name none, or two, it is unknown.
        let units = match (units_before, units_after) {
            (Some(before), Some(after)) if before != after => {
                members.note(format!(
                    "the balances are in {:?} and {:?}, so the unit of the amounts is not known",
                    shown(before.as_str()),
                    shown(after.as_str())
                ));
                None
            }
            (before, after) => before.or(after),
        };
        let units = units.unwrap_or_else(|| Units::Other("unstated".to_owned()));
        let debit = members.take_quantity("debit", &units);
        let credit = members.take_quantity("credit", &units);
        let on_chain = members.take_quantity(wire::ON_CHAIN_AMOUNT, &units);
        // A payout states both, one of them or both as zero, which stands for a missing amount [striga-bank-transfers].
        // A deposit of zero is one.
        let is_zero_none = (debit.is_some() && credit.is_some()) || name.starts_with("SEPA_PAYOUT");
        let is_deposit = ["DEPOSIT", "PAYIN", "INCOMING"].into_iter().any(|word| name.contains(word));
        let debit = if is_zero_none { without_zero(&mut members, "debit", debit) } else { debit };
        let credit = if is_zero_none && !is_deposit { without_zero(&mut members, "credit", credit) } else { credit };
        let side = match (&debit, &credit) {
            (Some(_), None) => Some(Side::Debit),
            (None, Some(_)) => Some(Side::Credit),
            (Some(_), Some(_)) => {
                members.note("both `debit` and `credit` are stated".to_owned());
                None
            }
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
            exchange: exchange(&members),
            provider_status: Some(name.to_owned()),
            family: Some(WebhookFamily::StrigaTransactions),
            updated_at: timestamp,
            ..TransferDetails::default()
        };
        let sub_type = members.text("txSubType").map(str::to_owned);
        let details = TransferDetails { provider_data: members.into_rest(), ..details };
        Ok(Self { received, name, id, sub_type, timestamp, debit, credit, on_chain, details })
    }

    fn drafts(self, report: Report) -> Result<Vec<Draft>, String> {
        match report {
            Report::Transfer(status) => self.transfer(status),
            Report::Sepa(status) => self.sepa(status),
            Report::LedgerTransfer => self.ledger_transfer(),
            Report::Exchange(status) => self.exchange(status),
            Report::NetworkFee(status) => self.network_fee(status),
            Report::AccountFee(status) => self.account_fee(status),
            Report::ApplicationFee => self.application_fee(),
        }
    }

    fn resource(&self, kind: Kind, native: &str) -> Result<ResourceId, String> {
        resource(kind, self.received.envelope.feed(), "id", native)
    }

    fn draft(&self, resource: ResourceId, status: Option<Status>, details: TransferDetails) -> Draft {
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
        let status = if status == Status::Deposit(DepositStatus::Confirmed) {
            let credit = self.credited(&mut details);
            self.credit.take_if(|credit| details.quantity.as_ref() == Some(credit));
            Status::Deposit(confirm(&mut details, credit))
        } else if status.kind() == Kind::Deposit {
            // The credited amount, or before that the amount seen on chain.
            details.quantity = self.credit.take().or_else(|| self.on_chain.take());
            status
        } else {
            // FAILED credits the debited amount back. The two amounts may differ.
            (details.quantity, details.refunded) = (self.debit.take(), self.credit.take());
            if self.name.starts_with("LN_") {
                take_lightning_fee(&mut details);
            }
            status
        };
        self.keep_other_amounts(&mut details);
        let resource = self.resource(status.kind(), &self.id)?;
        Ok(vec![self.draft(resource, Some(status), details)])
    }

    /// The credit of a confirmed deposit. Striga states the credited amount, and for a chain also the amount that
    /// arrived.
    fn credited(&self, details: &mut TransferDetails) -> Result<Credit, Hold> {
        details.quantity = self.credit.clone().or_else(|| self.on_chain.clone());
        let disagree = |explanation: String| Err(Hold::from(HoldReason::AmountsDisagree).because(explanation));
        if let Some(other) = details.provider_data.get("txType").and_then(Value::as_str).filter(|name| is_known(name)) {
            let explanation = format!("The type is {:?} and the `txType` {:?}.", self.name, shown(other));
            return Err(Hold::from(HoldReason::StatusUnknown).because(explanation));
        }
        if details.provider_data.contains_key("credit") {
            // The amount that arrived must not replace a credit that cannot be read.
            details.quantity = None;
        }
        if let Some(debit) = &self.debit {
            return disagree(format!("A debit of {} is stated for a deposit.", debit.value));
        }
        match (&self.credit, &self.on_chain) {
            (Some(credit), Some(on_chain)) if credit.value != on_chain.value => {
                let explanation = format!("{} is credited, and {} arrived.", credit.value, on_chain.value);
                disagree(explanation)
            }
            _ => in_kind(details),
        }
    }

    /// A bank transfer in euros. It moves no coin.
    fn sepa(mut self, status: Status) -> Result<Vec<Draft>, String> {
        if self.details.asset.is_none() && !self.details.provider_data.contains_key("currency") {
            self.details.asset = Some(wire::SEPA_CURRENCY.to_owned());
        }
        self.transfer(status)
    }

    /// One leg of a transfer between two of Striga's accounts: a withdrawal of the one, or a deposit of the other.
    fn ledger_transfer(mut self) -> Result<Vec<Draft>, String> {
        let (kind, other, status) = match self.details.side {
            Some(Side::Debit) => (Kind::Withdrawal, Kind::Deposit, Status::Withdrawal(WithdrawalStatus::Confirmed)),
            Some(Side::Credit) => (Kind::Deposit, Kind::Withdrawal, Status::Deposit(DepositStatus::Confirmed)),
            None => return Err("neither `debit` nor `credit` is stated, so the leg is not known".to_owned()),
        };
        debug_assert_eq!(status.kind(), kind);
        self.details.related = BTreeSet::from([self.resource(other, &self.id)?]);
        self.transfer(status)
    }

    /// One leg of an exchange.
    fn exchange(mut self, status: ExchangeStatus) -> Result<Vec<Draft>, String> {
        let mut details = std::mem::take(&mut self.details);
        // The legs are in different assets; each side of the exchange names its own.
        let (asset, network) = (details.asset.take(), details.network.take());
        let (sold, bought, refunded) = match status {
            ExchangeStatus::Refunded => (None, None, self.credit.take()),
            ExchangeStatus::Pending | ExchangeStatus::Confirmed => (self.debit.take(), self.credit.take(), None),
        };
        if [&sold, &bought, &refunded].iter().all(|amount| amount.is_none()) {
            let network = network.as_ref().map(Network::name);
            for (name, text) in [("currency", asset.as_deref()), ("blockchainNetwork", network)] {
                details.provider_data.extend(text.map(|text| (name.to_owned(), Value::from(text))));
            }
        }
        let amount = |quantity| Amount::of(quantity, asset.clone(), network.clone());
        details.exchange.sold = sold.map(amount).or(details.exchange.sold);
        details.exchange.bought = bought.map(amount).or(details.exchange.bought);
        details.exchange.refunded = refunded.map(amount);
        self.keep_other_amounts(&mut details);
        let resource = self.resource(Kind::Exchange, &self.id)?;
        Ok(vec![self.draft(resource, Some(Status::Exchange(status)), details)])
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
            return Ok(vec![self.draft(fee, Some(Status::Fee(status)), details)]);
        }
        let charged = details.quantity.clone();
        let of_withdrawal = TransferDetails {
            // The fee may be in the chain's own coin, and the withdrawal in a token.
            fee: charged.map(|quantity| FeeQuantity { quantity, asset, network }),
            account,
            sub_account,
            family,
            related: BTreeSet::from([fee.clone()]),
            ..TransferDetails::default()
        };
        details.related = BTreeSet::from([withdrawal.clone()]);
        // The fee says nothing about the status of its withdrawal.
        Ok(vec![self.draft(fee, Some(Status::Fee(status)), details), self.draft(withdrawal, None, of_withdrawal)])
    }

    /// The fee for opening an account, or its refund, which may be a part of it.
    fn account_fee(mut self, status: FeeStatus) -> Result<Vec<Draft>, String> {
        let fee = self.resource(Kind::Fee, &wire::account_fee_id(&self.id))?;
        let mut details = std::mem::take(&mut self.details);
        (details.quantity, details.refunded) = match status {
            FeeStatus::Charged => (self.debit.take(), None),
            FeeStatus::Refunded => (None, self.credit.take()),
        };
        self.keep_other_amounts(&mut details);
        Ok(vec![self.draft(fee, Some(Status::Fee(status)), details)])
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
        Ok(vec![self.draft(leg, Some(Status::Fee(FeeStatus::Charged)), details)])
    }
}

/// The amount that the member `name` states. A zero, which is stated beside the real amount or in its place, stays
/// there.
fn without_zero(members: &mut Fields, name: &str, amount: Option<Quantity>) -> Option<Quantity> {
    let amount = amount?;
    if amount.value != DecimalValue::zero() {
        return Some(amount);
    }
    members.keep_text(name, amount.value.to_string());
    None
}

/// Whether a webhook may have this name.
fn is_known(name: &str) -> bool {
    wire::report(Names { name, leg: None, sub_type: None }).is_some()
}

/// Splits what leaves the account for a Lightning payment, which includes Striga's fee [striga-lightning].
fn take_lightning_fee(details: &mut TransferDetails) {
    let stated = details.provider_data.get("strigaFee").and_then(|fee| match fee {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_str().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    let stated = stated.filter(|fee: &DecimalValue| !fee.is_negative());
    if let (Some(total), Some(fee)) = (details.quantity.clone(), stated)
        && total.value > fee
    {
        let Quantity { value, units } = total.clone();
        details.total = Some(total);
        details.quantity = Some(Quantity { value: value - &fee, units: units.clone() });
        let quantity = Quantity { value: fee, units };
        details.fee = Some(FeeQuantity { quantity, asset: None, network: None });
    }
}

/// The two sides of an exchange, as `order` tells them in whole units [striga-swaps].
fn exchange(members: &Fields) -> Exchange {
    let Some(Value::Object(order)) = members.json("order") else {
        return Exchange::default();
    };
    let side = |name: &str| {
        let Some(Value::Object(side)) = order.get(name) else {
            return None;
        };
        let side = Fields::new(side.clone());
        let asset = side.text("currency").map(str::to_owned);
        Some(Amount::of(Quantity::major(side.decimal("amountFloat")?), asset, None))
    };
    let price = Fields::new(order.clone()).decimal("price");
    Exchange { sold: side("debit"), bought: side("credit"), refunded: None, price }
}

/// Takes a balance: its amount, and the unit of this and all other amounts.
fn take_balance(members: &mut Fields, name: &str) -> (Option<Quantity>, Option<Units>) {
    let Some(mut balance) = members.take_object_present(name) else {
        return (None, None);
    };
    let unit = balance.take_text("currency");
    let units = unit.as_deref().map(Units::named);
    // A unit that is stated and cannot be read is not the one that the other balance names.
    let units = units.or_else(|| balance.has("currency").then(|| Units::Other("unreadable".to_owned())));
    let stated = units.clone().unwrap_or_else(|| Units::Other("unstated".to_owned()));
    let amount = balance.take_quantity("amount", &stated);
    // Every sample states the balance twice [striga-transactions].
    if let Some(amount) = &amount {
        balance.drop_repeated("balance", &amount.value.to_string());
    }
    if let (None, Some(unit)) = (&amount, unit) {
        balance.keep_text("currency", unit);
    }
    members.keep_rest_of(name, balance);
    (amount, units)
}
