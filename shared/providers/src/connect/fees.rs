//! The fees and the credit of Connect's deposits.
//!
//! Since July 2026 a webhook may have `fees`, with an amount, an asset and a payment model each [connect-fees]:
//! `NETTED` (taken from the amount) or `ADDITIVE` (on top of it). No page names the members, so the likely names are read,
//! and what cannot be read holds the deposit.

use fundhook_domain::{
    Credit, CreditFee, CreditForm, DecidedBy, DecimalValue, FeeBearer, Hold, HoldReason, Money, TransferDetails,
};
use serde_json::{Map, Value};

use crate::credit::arrived;
use crate::wire::Fields;

const AMOUNT_NAMES: [&str; 6] = ["amount", "fee_amount", "value", "fee_value", "quantity", "fee"];
const ASSET_NAMES: [&str; 4] = ["asset", "fee_asset", "currency", "symbol"];
const MODEL_NAMES: [&str; 5] = ["payment_model", "fee_payment_model", "model", "fee_model", "type"];
const KIND_NAMES: [&str; 3] = ["kind", "fee_type", "name"];

/// How a fee is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Model {
    /// Taken from the amount.
    Netted,
    /// On top of the amount.
    Additive,
}

#[derive(Debug)]
struct Fee {
    kind: String,
    value: DecimalValue,
    asset: String,
    model: Model,
}

/// The credit of a deposit with the members `object`, of which the amount and the asset are in `details`. `value` is what
/// the transaction moved, when the webhook states it.
pub(super) fn credit(details: &TransferDetails, object: &Fields, value: Option<&DecimalValue>) -> Result<Credit, Hold> {
    let amount = arrived(details)?;
    let stated = entries(object.json("fees")).into_iter().map(|(name, entry)| read(&name, &entry, &amount.asset));
    let fees: Option<Vec<Option<Fee>>> = stated.collect();
    let fees: Vec<Fee> = fees.ok_or(HoldReason::FeesUnreadable)?.into_iter().flatten().collect();
    if let Some(other) = fees.iter().find(|fee| !fee.asset.eq_ignore_ascii_case(&amount.asset)) {
        let explanation = format!(
            "There is a fee of {} {} for a deposit in {}, and no rate between the two.",
            other.value, other.asset, amount.asset
        );
        return Err(Hold::from(HoldReason::AmountsDisagree).because(explanation));
    }
    let sum = |model| {
        let of_model = fees.iter().filter(|fee| fee.model == model);
        of_model.fold(DecimalValue::zero(), |total, fee| total + &fee.value)
    };
    let (netted, additive) = (sum(Model::Netted), sum(Model::Additive));
    // What was paid in: the amount, if netted fees are still part of it, and additive fees on top.
    let with_netted = amount.value.clone() + &netted;
    let paid_in = |netted_already: bool| {
        let base = if netted_already { &with_netted } else { &amount.value };
        base.clone() + &additive
    };
    let is_moved = |expected: &DecimalValue| value.is_none_or(|value| is_same_number(value, expected));
    // The transaction moves the additive fees too, or they are charged apart from it.
    let gross = if is_moved(&amount.value) || is_moved(&paid_in(false)) {
        paid_in(false)
    } else if is_moved(&with_netted) || is_moved(&paid_in(true)) {
        paid_in(true)
    } else {
        let moved = value.map(ToString::to_string).unwrap_or_default();
        let explanation = format!(
            "The transaction moved {moved}, but the amount is {} {} and the fees are {}.",
            amount.value,
            amount.asset,
            netted + &additive
        );
        return Err(Hold::from(HoldReason::AmountsDisagree).because(explanation));
    };
    let asset = amount.asset;
    let fees = fees.into_iter().map(|Fee { kind, value, asset, model: _ }| CreditFee {
        kind,
        value,
        asset,
        borne_by: FeeBearer::Customer,
    });
    let gross = Money { value: gross, asset };
    let credit = Credit::of(CreditForm::InKind, gross, fees.collect(), DecidedBy::Numbers);
    credit.ok_or_else(|| HoldReason::AmountsDisagree.into())
}

/// Whether both are one number, or one of them is the other in the chain's smallest units.
fn is_same_number(value: &DecimalValue, expected: &DecimalValue) -> bool {
    /// The most decimals that a chain's smallest unit has.
    const DECIMALS_MAX: u64 = 24;
    value == expected || (1..=DECIMALS_MAX).any(|decimals| value.times(&DecimalValue::step(decimals)) == *expected)
}

/// The entries of `fees`, each with its name: an object, a list, or an object of objects.
fn entries(fees: Option<&Value>) -> Vec<(String, Value)> {
    let unnamed = || "connect_fee".to_owned();
    match fees {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().map(|item| (unnamed(), item.clone())).collect(),
        Some(Value::Object(members)) if members.is_empty() => Vec::new(),
        Some(Value::Object(members)) if members.values().all(Value::is_object) => {
            members.iter().map(|(name, entry)| (name.clone(), entry.clone())).collect()
        }
        Some(other) => vec![(unnamed(), other.clone())],
    }
}

/// The fee that an entry states: `Some(None)` for a fee of zero, `None` when it cannot be read.
fn read(name: &str, entry: &Value, asset: &str) -> Option<Option<Fee>> {
    let members: &Map<String, Value> = entry.as_object()?;
    let fields = Fields::new(members.clone());
    let value = AMOUNT_NAMES.into_iter().find_map(|name| fields.decimal(name))?;
    if value == DecimalValue::zero() {
        return Some(None);
    }
    let text = |names: &[&str]| names.iter().find_map(|name| fields.text(name)).map(str::to_owned);
    let models = MODEL_NAMES.into_iter().filter_map(|name| fields.text(name));
    let mut model = models.filter_map(|word| match word.to_ascii_uppercase().as_str() {
        "NETTED" => Some(Model::Netted),
        "ADDITIVE" => Some(Model::Additive),
        _ => None,
    });
    let fee = Fee {
        kind: text(&KIND_NAMES).unwrap_or_else(|| name.to_owned()),
        asset: text(&ASSET_NAMES).unwrap_or_else(|| asset.to_owned()),
        model: model.next()?,
        value,
    };
    fee.value.is_positive().then_some(Some(fee))
}
