//! The fees and the credit of Connect's deposits.
//!
//! Since July 2026 a webhook may have `fees`, with an amount, an asset and a payment model each [connect-fees]: `NETTED`
//! (taken from the amount) or `ADDITIVE` (on top of it). No page names the members, so the likely names are read, and
//! what cannot be read holds the deposit.

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

#[derive(Debug, PartialEq, Eq)]
struct Fee {
    kind: String,
    value: DecimalValue,
    asset: String,
    model: Model,
}

/// The credit of a deposit with the amount and the asset in `details`, when the members `fees` of the deposit and of
/// the body have the values `stated`: no page tells which of the two it is. `value` is what the transaction moved, when
/// the webhook states it.
pub(super) fn credit(
    details: &TransferDetails,
    stated: [Option<&Value>; 2],
    value: Option<&DecimalValue>,
) -> Result<Credit, Hold> {
    let amount = arrived(details)?;
    let [fees, others] = stated.map(|stated| fees(stated, &amount.asset));
    let (fees, others) = (fees?, others?);
    let fees = match (fees.as_slice(), others.as_slice()) {
        (_, []) => fees,
        ([], _) => others,
        (_, _) if fees == others => fees,
        (_, _) => return Err(HoldReason::FeesUnreadable.into()),
    };
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
    // What was paid in: with the netted fees still part of the amount, and with them taken from it already.
    let readings = [amount.value.clone(), amount.value.clone() + &netted]
        .map(|moved| Reading { paid_in: moved.clone() + &additive, moved });
    let fitting = value.map_or_else(|| vec![&readings[0]], |value| fitting(&readings, value));
    let gross = match fitting.as_slice() {
        [only] => only.paid_in.clone(),
        [first, others @ ..] if others.iter().all(|other| other.paid_in == first.paid_in) => first.paid_in.clone(),
        _ => {
            let moved = value.map(ToString::to_string).unwrap_or_default();
            let explanation = format!(
                "The transaction moved {moved}, the amount is {} {} and the fees are {}: they do not tell the credit.",
                amount.value,
                amount.asset,
                netted + &additive
            );
            return Err(Hold::from(HoldReason::AmountsDisagree).because(explanation));
        }
    };
    let asset = amount.asset;
    // All are in one asset, however each member spells it.
    let fees = fees.into_iter().map(|Fee { kind, value, asset: _, model: _ }| CreditFee {
        kind,
        value,
        asset: asset.clone(),
        borne_by: FeeBearer::Customer,
    });
    let fees = fees.collect();
    let credit = Credit::of(CreditForm::InKind, Money { value: gross, asset }, fees, DecidedBy::Numbers);
    credit.ok_or_else(|| HoldReason::AmountsDisagree.into())
}

/// A way to read the amount and its fees.
struct Reading {
    /// What the transaction moved, if additive fees were charged apart from it.
    moved: DecimalValue,
    /// The same with the additive fees, which the transaction may have moved too.
    paid_in: DecimalValue,
}

/// The readings that fit what the transaction moved. Whole coins decide before smallest units.
fn fitting<'a>(readings: &'a [Reading], value: &DecimalValue) -> Vec<&'a Reading> {
    let fit = |is: fn(&DecimalValue, &DecimalValue) -> bool| -> Vec<&Reading> {
        readings.iter().filter(|reading| is(value, &reading.moved) || is(value, &reading.paid_in)).collect()
    };
    let in_coins = fit(|value, expected| value == expected);
    if in_coins.is_empty() { fit(is_in_units) } else { in_coins }
}

/// Whether `value` is `expected` in the smallest units of some coin.
fn is_in_units(value: &DecimalValue, expected: &DecimalValue) -> bool {
    /// How many decimals smallest units have: USDC's 6, NEAR's 24. With fewer, an amount that is wrong by a power of
    /// ten would agree with the right one.
    const DECIMALS: std::ops::RangeInclusive<u64> = 6..=24;
    DECIMALS.into_iter().any(|decimals| value.times(&DecimalValue::step(decimals)) == *expected)
}

/// The fees that `stated` states, without those of zero.
fn fees(stated: Option<&Value>, asset: &str) -> Result<Vec<Fee>, Hold> {
    let fees = entries(stated).into_iter().map(|(name, entry)| read(&name, &entry, asset));
    let fees: Option<Vec<Option<Fee>>> = fees.collect();
    Ok(fees.ok_or(HoldReason::FeesUnreadable)?.into_iter().flatten().collect())
}

/// The entries of `fees`, each with its name: an object, a list, or an object of objects.
fn entries(fees: Option<&Value>) -> Vec<(String, Value)> {
    let unnamed = || "connect_fee".to_owned();
    match fees {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) if text.trim().is_empty() => Vec::new(),
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
    // Where no fee applies, the members are there and empty [zerohash-connect-fees].
    if !members.is_empty() && !members.keys().any(|name| fields.states(name)) {
        return Some(None);
    }
    if AMOUNT_NAMES.into_iter().any(|name| fields.is_no_number(name)) {
        return None;
    }
    let value = only(AMOUNT_NAMES.into_iter().filter_map(|name| fields.decimal(name)))?;
    if value == DecimalValue::zero() {
        return Some(None);
    }
    let text = |names: &[&str]| names.iter().find_map(|name| fields.text(name)).map(str::to_owned);
    let models = MODEL_NAMES.into_iter().filter_map(|name| fields.text(name));
    let model = models.filter_map(|word| match word.to_ascii_uppercase().as_str() {
        "NETTED" => Some(Model::Netted),
        "ADDITIVE" => Some(Model::Additive),
        _ => None,
    });
    let fee = Fee {
        kind: text(&KIND_NAMES).unwrap_or_else(|| name.to_owned()),
        asset: text(&ASSET_NAMES).unwrap_or_else(|| asset.to_owned()),
        model: only(model)?,
        value,
    };
    fee.value.is_positive().then_some(Some(fee))
}

/// The one value of all `values`; `None` when there is none, or when two differ.
fn only<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|other| other == first).then_some(first)
}
