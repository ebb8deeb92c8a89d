//! Fund transactions (seeds 001 and 003), as zerohash sends them and as Connect lists them.

use fundhook_domain::{
    Conversion, DecimalValue, DepositStatus, Details, Feed, Kind, ResourceId, Source, Status, Timestamp, Transaction,
    TransferDetails, Units,
};

use super::normalise::take_asset;
use crate::normalise::Draft;
use crate::wire::Fields;

/// Who tells of a fund transaction, and how.
pub(crate) struct FundContext<'a> {
    /// Whose deposit it is.
    pub(crate) feed: &'a Feed,
    /// The event's name.
    pub(crate) event_type: &'static str,
    /// Which stream tells of it.
    pub(crate) stream: &'static str,
    /// When it was told, for one without a date.
    pub(crate) sent_at: Timestamp,
}

/// What a fund transaction says. `success:false` is not final: the account match may still complete, under the same id.
pub(crate) fn fund_draft(context: &FundContext<'_>, mut members: Fields) -> Result<Draft, String> {
    let id = members.required_text("fund_id")?;
    let resource = ResourceId::new(Kind::Deposit, context.feed.clone(), &id)
        .map_err(|error| format!("`fund_id` cannot name a resource: {error}"))?;
    let succeeded = members.flag("success").ok_or("`success` is neither true nor false")?;
    let occurred_at = members.time("fund_timestamp")?.max(members.time("deposit_timestamp")?);
    let quantity = members.take_quantity("quantity", &Units::Major)?;
    let (asset, network) = take_asset(&mut members, "fund_asset");
    let transaction = Transaction {
        // Seed 003 calls it the on-chain transaction's id, and the row in seed 000 has a UUID: no chain's hash, and so no coin
        // that could be told apart from another feed's telling of it.
        hash: members.take_text_if("transaction_id", |id| !is_uuid(id)),
        // An expired session has a dash in place of an address.
        from: members.take_text_if("source_address", |address| address != "-"),
        to: members.take_text("deposit_address"),
        ..Transaction::default()
    };
    let nothing_came = quantity.as_ref().is_none_or(|quantity| quantity.value == DecimalValue::zero());
    let status = if succeeded {
        DepositStatus::Confirmed
    } else if nothing_came && transaction.hash.is_none() && !members.has("transaction_id") {
        // The session ended without a deposit; one that comes later has a transaction.
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
        // One thing under two names (seed 001): the SDK's and the API's.
        reference_id: members.take_text("reference_id").or_else(|| members.take_text("client_fund_id")),
        status_reason: members.take_text("status_reason").or_else(|| members.take_text("reason")),
        stream: Some(context.stream.to_owned()),
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

/// Whether `text` is 32 hex digits in groups of 8, 4, 4, 4 and 12 (RFC 9562 section 4).
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
