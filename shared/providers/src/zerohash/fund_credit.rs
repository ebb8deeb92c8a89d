//! What a fund transaction credits: arithmetic on the provider's numbers.
//!
//! The provider's pages disagree whether `notional` is what the customer gets (net) or what the crypto was worth (gross)
//! [zerohash-fund-api, zerohash-limits]. So the numbers decide, for each statement:
//!
//! - `quantity × rate` less a fee is `notional`: `notional` is net of that fee, and the customer bore it.
//! - `quantity × rate` is `notional` beside a fee: `notional` is gross. Who bears the fee is stated for issuer fees only;
//!   for others, a setting decides.
//! - Anything else adds up to nothing, and the deposit is held.
//!
//! Numbers are equal when they differ by less than the last digit that the provider states, and by less than a cent.

use fundhook_domain::{
    Credit, CreditConversion, CreditFee, CreditForm, DecidedBy, DecimalValue, FeeBearer, Hold, HoldReason, Money,
    TransferDetails,
};

use crate::credit::arrived;
use crate::wire::Fields;

/// Amounts of money are compared at least to cents, whatever number of digits the provider writes.
const DECIMALS_MIN: u64 = 2;

/// A fee of a fund transaction, as stated.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StatedFee {
    kind: &'static str,
    value: DecimalValue,
    /// Who bears it; `None` when the provider does not say it.
    borne_by: Option<FeeBearer>,
}

/// The fees of a fund transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fees {
    stated: Vec<StatedFee>,
    /// The members that state a fee which cannot be read.
    unreadable: Vec<&'static str>,
}

impl Fees {
    /// The fees in `members`, which keep them as sent.
    ///
    /// `deposit_fee_notional` is what is charged; `actual_fee_notional` stands in its place on some pages
    /// [zerohash-issuer-fees]. `raw_fee_notional` is an intermediate result and never charged [zerohash-openapi].
    pub(super) fn read(members: &Fields) -> Self {
        let mut fees = Self::default();
        let mut charged = None;
        for name in ["deposit_fee_notional", "actual_fee_notional"] {
            match members.decimal(name) {
                Some(value) if charged.is_none() => charged = Some(value),
                // Both names are one fee. If they differ, neither can be relied on.
                Some(value) if charged.as_ref() != Some(&value) => fees.unreadable.push(name),
                Some(_) => {}
                None if members.is_no_number(name) => fees.unreadable.push(name),
                None => {}
            }
        }
        fees.add("deposit_fee", charged, None);
        let payor = members.text("issuer_fee_payor_type").map(str::to_ascii_uppercase);
        // An enumeration's name may precede the word, as in `DEPOSIT_FEE_TYPE_FLAT`. Another word says nothing.
        let borne_by = payor.and_then(|payor| match payor.rsplit('_').next() {
            Some("CUSTOMER") => Some(FeeBearer::Customer),
            Some("PLATFORM") => Some(FeeBearer::Platform),
            Some(_) | None => None,
        });
        if members.is_no_number("issuer_fee_amount") {
            fees.unreadable.push("issuer_fee_amount");
        }
        fees.add("issuer_fee", members.decimal("issuer_fee_amount"), borne_by);
        fees
    }

    fn add(&mut self, kind: &'static str, value: Option<DecimalValue>, borne_by: Option<FeeBearer>) {
        let Some(value) = value else {
            return;
        };
        if value.is_negative() {
            self.unreadable.push(kind);
        } else if value.is_positive() {
            self.stated.push(StatedFee { kind, value, borne_by });
        }
    }

    /// That all fees can be read.
    fn readable(&self) -> Result<(), Hold> {
        if self.unreadable.is_empty() {
            return Ok(());
        }
        let explanation = format!("The fee in {} cannot be read.", self.unreadable.join(" and "));
        Err(Hold::from(HoldReason::FeesUnreadable).because(explanation))
    }

    /// Who bears the fees, which are in `currency`: as stated, or otherwise as set.
    pub(super) fn bearers(&self, currency: &str, set: Option<FeeBearer>) -> Result<Vec<FeeBearer>, Hold> {
        self.readable()?;
        let open: Vec<StatedFee> = self.stated.iter().filter(|fee| fee.borne_by.or(set).is_none()).cloned().collect();
        if !open.is_empty() {
            return Err(bearer_unknown(&open, currency));
        }
        Ok(self.stated.iter().filter_map(|fee| fee.borne_by.or(set)).collect())
    }
}

/// The credit of a fund transaction that was converted.
pub(super) fn converted(
    details: &TransferDetails,
    fees: &Fees,
    fees_borne_by: Option<FeeBearer>,
) -> Result<Credit, Hold> {
    fees.readable()?;
    let from = arrived(details)?;
    let missing = |name: &str, form: &str| {
        Hold::from(HoldReason::AmountMissing)
            .because(format!("The webhook does not state `{name}`, or not as a {form}."))
    };
    let conversion = &details.conversion;
    let notional = conversion.notional.clone().ok_or_else(|| missing("notional", "number"))?;
    let currency = conversion.currency.clone().ok_or_else(|| missing("quoted_currency", "text"))?;
    if !notional.is_positive() {
        let explanation = format!("The converted amount is {notional} {currency}.");
        return Err(Hold::from(HoldReason::AmountNotPositive).because(explanation));
    }
    let Some(rate) = conversion.rate.clone() else {
        // Without a fee there is nothing to decide, so an unreadable rate costs nothing.
        let gross = Money { value: notional, asset: currency };
        let credit = Credit::without_fees(CreditForm::Converted, gross);
        return if fees.stated.is_empty() { Ok(credit) } else { Err(missing("rate", "number")) };
    };
    let worth = from.value.times(&rate);
    let is_notional = |value: &DecimalValue| {
        let step = DecimalValue::step(notional.decimals().max(DECIMALS_MIN));
        (value.clone() - &notional).abs() < step
    };
    let readings = readings(&fees.stated).filter(|reading| is_notional(&(worth.clone() - &reading.already_deducted())));
    let credits: Vec<Result<Credit, Hold>> =
        readings.map(|reading| reading.credit(&notional, &currency, fees_borne_by)).collect();
    let credit = match credits.as_slice() {
        [] => return Err(disagree(&from, &rate, &notional, &currency, &fees.stated)),
        [only] => only.clone()?,
        [first, rest @ ..] => {
            let first = first.clone()?;
            if rest.iter().any(|other| !other.as_ref().is_ok_and(|other| other.equals(&first))) {
                return Err(ambiguous(fees, &currency, fees_borne_by));
            }
            first
        }
    };
    let to = credit.gross.clone();
    Ok(credit.converted_from(Some(CreditConversion { from, to, rate })))
}

/// A way to read `notional`: some of the fees are deducted from it already, the others are not.
struct ReadingOfNotional<'a> {
    deducted: Vec<&'a StatedFee>,
    not_deducted: Vec<&'a StatedFee>,
}

/// Every way to read `notional` that does not contradict what is stated about who bears a fee: a fee that the platform
/// bears is not deducted from what the customer gets.
fn readings(fees: &[StatedFee]) -> impl Iterator<Item = ReadingOfNotional<'_>> {
    (0..1_u32 << fees.len()).filter_map(move |subset| {
        let numbered = fees.iter().enumerate();
        let (deducted, not_deducted): (Vec<_>, Vec<_>) = numbered.partition(|(at, _)| subset & (1 << at) != 0);
        let contradicts = deducted.iter().any(|(_, fee)| fee.borne_by == Some(FeeBearer::Platform));
        let [deducted, not_deducted] =
            [deducted, not_deducted].map(|numbered| numbered.into_iter().map(|(_, fee)| fee).collect());
        let reading = ReadingOfNotional { deducted, not_deducted };
        (!contradicts).then_some(reading)
    })
}

impl ReadingOfNotional<'_> {
    fn already_deducted(&self) -> DecimalValue {
        sum(self.deducted.iter().copied())
    }

    /// The credit, if it is known who bears each fee.
    fn credit(
        &self,
        notional: &DecimalValue,
        currency: &str,
        fees_borne_by: Option<FeeBearer>,
    ) -> Result<Credit, Hold> {
        let fee = |fee: &StatedFee, borne_by| CreditFee {
            kind: fee.kind.to_owned(),
            value: fee.value.clone(),
            asset: currency.to_owned(),
            borne_by,
        };
        let mut fees: Vec<CreditFee> = self.deducted.iter().map(|stated| fee(stated, FeeBearer::Customer)).collect();
        let mut decided_by = DecidedBy::Numbers;
        for stated in &self.not_deducted {
            let borne_by = match (stated.borne_by, fees_borne_by) {
                (Some(borne_by), _) => borne_by,
                (None, Some(borne_by)) => {
                    decided_by = DecidedBy::Setting;
                    borne_by
                }
                (None, None) => return Err(bearer_unknown(&[(*stated).clone()], currency)),
            };
            fees.push(fee(stated, borne_by));
        }
        fees.sort_by(|a, b| a.kind.cmp(&b.kind));
        let gross = Money { value: notional.clone() + &self.already_deducted(), asset: currency.to_owned() };
        let credit = Credit::of(CreditForm::Converted, gross, fees, decided_by);
        credit.ok_or_else(|| Hold::from(HoldReason::AmountsDisagree))
    }
}

fn sum<'a>(fees: impl IntoIterator<Item = &'a StatedFee>) -> DecimalValue {
    fees.into_iter().fold(DecimalValue::zero(), |total, fee| total + &fee.value)
}

fn bearer_unknown(fees: &[StatedFee], currency: &str) -> Hold {
    let explanation = format!(
        "There is a fee of {} {currency}, and the numbers do not tell whether the customer or the platform bears it. \
         Set FUNDHOOK_DEPOSIT_FEES_BORNE_BY to customer or platform.",
        sum(fees)
    );
    Hold::from(HoldReason::FeeBearerUnknown).because(explanation)
}

/// The hold when `notional` fits several readings that credit differently: the fee is below its precision, or two fees are
/// equal. Where it is known who bears the fees, the setting would not help.
fn ambiguous(fees: &Fees, currency: &str, set: Option<FeeBearer>) -> Hold {
    let explanation = "`notional` fits the numbers both with and without a fee, so the numbers do not tell the credit.";
    let clear = |_| Hold::from(HoldReason::AmountsDisagree).because(explanation);
    fees.bearers(currency, set).map_or_else(|open| open, clear)
}

fn disagree(from: &Money, rate: &DecimalValue, notional: &DecimalValue, currency: &str, fees: &[StatedFee]) -> Hold {
    let less = fees.iter().map(|fee| format!(", and there is a fee of {} {currency}", fee.value)).collect::<String>();
    let explanation = format!(
        "{} {} at the rate {rate} are {} {currency}, but `notional` is {notional} {currency}{less}.",
        from.value,
        from.asset,
        from.value.times(rate)
    );
    Hold::from(HoldReason::AmountsDisagree).because(explanation)
}
