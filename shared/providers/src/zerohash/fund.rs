//! Fund transactions, as zerohash sends them [zerohash-reference-id, zerohash-fund-update] and as Connect lists them
//! [connect-guide §7].

use fundhook_domain::{
    Conversion, DecimalValue, DepositStatus, Details, Feed, Kind, ResourceId, Source, Status, Timestamp, Transaction,
    TransferDetails, Units, WebhookFamily,
};

use crate::draft::Draft;
use crate::wire::Fields;

/// Where a fund transaction was reported.
pub(crate) struct FundContext<'a> {
    /// The feed of the deposit.
    pub(crate) feed: &'a Feed,
    /// The name of the event.
    pub(crate) event_type: &'static str,
    /// The webhook family that reported it.
    pub(crate) family: WebhookFamily,
    /// When it was sent or read: the time of a fund transaction without a date.
    pub(crate) sent_at: Timestamp,
}

/// What a fund transaction states. `success:false` is not final: the account match may still complete, with the same
/// `fund_id` [zerohash-name-match].
pub(crate) fn fund_draft(context: &FundContext<'_>, mut members: Fields) -> Result<Draft, String> {
    let id = members.required_text("fund_id")?;
    let resource = ResourceId::new(Kind::Deposit, context.feed.clone(), &id)
        .map_err(|error| format!("`fund_id` cannot name a resource: {error}"))?;
    let succeeded = members.flag("success").ok_or("`success` is neither true nor false")?;
    let occurred_at = members.time("fund_timestamp")?.max(members.time("deposit_timestamp")?);
    let quantity = members.take_quantity("quantity", &Units::Major)?;
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
    let is_empty = quantity.as_ref().is_none_or(|quantity| quantity.value == DecimalValue::zero());
    let status = if succeeded {
        DepositStatus::Confirmed
    } else if is_empty && transaction.hash.is_none() && !members.has("transaction_id") {
        // The session ended without a deposit. A deposit that arrives later has a transaction.
        DepositStatus::Abandoned
    } else {
        DepositStatus::Held
    };
    let source = source(&mut members);
    let details = TransferDetails {
        quantity,
        asset,
        network,
        transaction,
        source,
        conversion: Conversion {
            rate: members.take_decimal("rate")?,
            currency: members.take_text("quoted_currency"),
            notional: members.take_decimal("notional")?,
        },
        account: members.take_text("participant_code"),
        sub_account: members.take_text("account_label"),
        // One value under two names: the SDK's and the API's [zerohash-reference-id].
        reference_id: members.take_text("reference_id").or_else(|| members.take_text("client_fund_id")),
        status_reason: members.take_text("status_reason").or_else(|| members.take_text("reason")),
        family: Some(context.family),
        provider_data: members.into_rest(),
        ..TransferDetails::default()
    };
    Ok(Draft {
        resource,
        event_type: context.event_type.to_owned(),
        status: Status::Deposit(status),
        occurred_at: occurred_at.unwrap_or(context.sent_at),
        details: Details::Transfer(Box::new(details)),
    })
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
