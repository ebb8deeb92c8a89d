//! Fund transactions, as zerohash sends them [zerohash-reference-id, zerohash-fund-update] and as Connect lists them
//! [connect-guide §7].

use fundhook_domain::{
    Conversion, Credit, DecimalValue, DepositStatus, Details, FeeBearer, Feed, Hold, HoldReason, Kind, Source, Status,
    Transaction, TransferDetails, Units, WebhookFamily,
};

use super::fund_credit::{Fees, converted};
use super::reasons::{Reason, reason};
use crate::accounts::shown;
use crate::credit::{confirm, held, in_kind};
use crate::draft::Draft;
use crate::ids::resource;
use crate::reading::{ReadingSettings, ReasonMeaning};
use crate::wire::Fields;

/// Where a fund transaction was reported.
pub(crate) struct FundContext<'a> {
    /// The feed of the deposit.
    pub(crate) feed: &'a Feed,
    /// The name of the event.
    pub(crate) event_type: &'static str,
    /// The webhook family that reported it.
    pub(crate) family: WebhookFamily,
    /// The settings that its meaning depends on.
    pub(crate) settings: &'a ReadingSettings,
}

/// What a fund transaction states. Only `fund_id` is required: whatever else cannot be read holds the deposit, or is
/// noted.
pub(crate) fn fund_draft(context: &FundContext<'_>, mut members: Fields) -> Result<Draft, String> {
    let id = members.required_text("fund_id")?;
    let resource = resource(Kind::Deposit, context.feed, "fund_id", &id)?;
    let succeeded = members.flag("success");
    let reason = reason(&members, context.settings);
    let occurred_at = members.noted_time("fund_timestamp").max(members.noted_time("deposit_timestamp"));
    let quantity = members.take_quantity("quantity", &Units::Major);
    let (asset, network) = members.take_asset("fund_asset");
    let transaction = Transaction {
        // [zerohash-fund-update] calls it the on-chain transaction's id, but the row in [connect-guide §7] has a UUID.
        // That is not a chain's hash, so it cannot show that another family reported the same coin.
        hash: members.take_text_if("transaction_id", |id| !is_uuid(id)),
        // An expired session has a dash instead of an address [zerohash-expiry].
        from: members.take_text_if("source_address", |address| address != "-"),
        to: members.take_text("deposit_address"),
        ..Transaction::default()
    };
    // What cannot be read is something nevertheless.
    let has_arrived = quantity.as_ref().is_some_and(|quantity| quantity.value != DecimalValue::zero())
        || transaction.hash.is_some()
        || ["quantity", "transaction_id"].into_iter().any(|name| members.has(name));
    let source = source(&mut members);
    let fees = Fees::read(&members);
    let mut details = TransferDetails {
        quantity,
        asset,
        network,
        transaction,
        source,
        conversion: Conversion {
            rate: members.take_decimal("rate"),
            currency: members.take_text("quoted_currency"),
            notional: members.take_decimal("notional"),
        },
        account: members.take_text("participant_code"),
        sub_account: members.take_text("account_label"),
        // One value under two names: the SDK's and the API's [zerohash-reference-id].
        reference_id: members.take_text("reference_id").or_else(|| members.take_text("client_fund_id")),
        status_reason: members.take_text("status_reason").or_else(|| members.take_text("reason")),
        status_reason_code: members.take_text("status_reason_code"),
        family: Some(context.family),
        ..TransferDetails::default()
    };
    let status = match outcome(succeeded, has_arrived, reason, details.status_reason_code.as_deref()) {
        Outcome::Credited => {
            let credit = credit(&details, &fees, context);
            confirm(&mut details, credit)
        }
        Outcome::Abandoned => DepositStatus::Abandoned,
        Outcome::Held(hold) => held(&mut details, hold),
    };
    details.provider_data = members.into_rest();
    Ok(Draft {
        resource,
        event_type: context.event_type.to_owned(),
        status: Some(Status::Deposit(status)),
        occurred_at,
        details: Details::Transfer(Box::new(details)),
    })
}

/// What a fund transaction says about the money.
enum Outcome {
    /// It was credited.
    Credited,
    /// The session ended without a deposit. A deposit that arrives later has a transaction.
    Abandoned,
    /// It is in, and not credited.
    Held(Hold),
}

/// The outcome by `success` and the reason. `success:true` may carry an exception [zerohash-fund-update], and
/// `success:false` may be a step on the way [zerohash-name-match], so the reason decides where there is one.
fn outcome(succeeded: Option<bool>, has_arrived: bool, reason: Reason, code: Option<&str>) -> Outcome {
    let unclear = |what: &str| Outcome::Held(Hold::from(HoldReason::UnknownReason).because(what));
    match (reason, succeeded) {
        (Reason::Known(ReasonMeaning::Held(reason), location), Some(_) | None) => {
            let hold = Hold::from(reason);
            Outcome::Held(location.map_or(hold.clone(), |location| hold.at(location)))
        }
        (Reason::Unknown, Some(_) | None) => match code {
            Some(code) => unclear(&format!(
                "The meaning of the code {:?} is not known. FUNDHOOK_ZEROHASH_REASON_CODES can state it.",
                shown(code)
            )),
            None => Outcome::Held(HoldReason::UnknownReason.into()),
        },
        (Reason::Known(ReasonMeaning::Processed, _) | Reason::None, Some(true)) => Outcome::Credited,
        (Reason::Known(ReasonMeaning::Expired, _), Some(true)) => {
            unclear("`success` is true, and the reason says that the session expired.")
        }
        (Reason::Known(ReasonMeaning::Expired, _), Some(false) | None) if has_arrived => {
            unclear("The reason says that the session expired, and there is a deposit.")
        }
        (Reason::Known(ReasonMeaning::Expired, _), Some(false) | None) => Outcome::Abandoned,
        (Reason::Known(ReasonMeaning::Processed, _), Some(false)) => {
            unclear("`success` is false, and the reason says that the deposit was processed.")
        }
        (Reason::None, Some(false)) if !has_arrived => Outcome::Abandoned,
        (Reason::None, Some(false)) => Outcome::Held(HoldReason::UnknownReason.into()),
        (Reason::Known(ReasonMeaning::Processed, _) | Reason::None, None) => {
            Outcome::Held(Hold::from(HoldReason::StatusUnknown).because("`success` is neither true nor false."))
        }
    }
}

fn credit(details: &TransferDetails, fees: &Fees, context: &FundContext<'_>) -> Result<Credit, Hold> {
    let fees_borne_by = context.settings.deposit_fees_borne_by;
    if context.family != WebhookFamily::ConnectTransactions {
        return converted(details, fees, fees_borne_by);
    }
    // The row of a Connect deposit credits what its webhooks do: the asset that arrived. The row states its fees in the
    // quoted currency.
    let credit = in_kind(details)?;
    let currency = details.conversion.currency.as_deref().unwrap_or("the quoted currency");
    if fees.bearers(currency, fees_borne_by)?.contains(&FeeBearer::Customer) {
        let explanation = "The list states a fee for the customer in another asset than the deposit's.";
        return Err(Hold::from(HoldReason::FeesUnreadable).because(explanation));
    }
    Ok(credit)
}

/// Whether `text` is 32 hex digits in groups of 8, 4, 4, 4 and 12 [rfc-9562 §4].
fn is_uuid(text: &str) -> bool {
    let is_digits = |(part, length): (&str, usize)| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit());
    text.split('-').count() == 5 && text.split('-').zip([8, 4, 4, 4, 12]).all(is_digits)
}

fn source(members: &mut Fields) -> Source {
    let Some(mut sent) = members.take_object("source") else {
        return Source::default();
    };
    let source = Source { source_type: sent.take_text("type"), integration: sent.take_text("integration") };
    members.keep_rest_of("source", sent);
    source
}
