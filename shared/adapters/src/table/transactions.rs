//! Writes a resource in one transaction with what must be written with it: the claim on a deposit's coin
//! (docs/internals/decisions/one-coin-one-credit.md), or the second names of a payment.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use fundhook_domain::Timestamp;
use fundhook_ports::{Disposition, PortError, Write, WriteOutcome};

use super::item::{self, PK};
use super::puts::{self, ConditionalPut};

/// Stores `write`'s resource and its second names if they still have the versions that were read, and its claim if the
/// coin is unclaimed.
///
/// The cancellation reasons say which condition failed: the first is the resource's, the next the claim's if there is one,
/// and the others those of the second names.
pub(super) async fn put_together(client: &Client, table: &str, write: &Write, now: Timestamp) -> WriteOutcome {
    let failed = |disposition, why: String| {
        WriteOutcome::Failed(PortError::new("write a resource and what belongs to it to the table", disposition, why))
    };
    let puts = match puts_of(table, write, now) {
        Ok(puts) => puts,
        Err(why) => return failed(Disposition::DeadLetter, why),
    };
    match client.transact_write_items().set_transact_items(Some(puts)).send().await {
        Ok(_) => WriteOutcome::Written,
        Err(error) => {
            // Not the whole error: its cancellation reasons contain the items, which must not be logged.
            let why = match error.as_service_error().map(|service| service.meta()) {
                Some(meta) => format!("{}: {}", meta.code().unwrap_or_default(), meta.message().unwrap_or_default()),
                None => DisplayErrorContext(&error).to_string(),
            };
            cancelled(&error, write.claim.is_some()).unwrap_or_else(|| failed(disposition(&error), why))
        }
    }
}

fn puts_of(table: &str, write: &Write, now: Timestamp) -> Result<Vec<TransactWriteItem>, String> {
    let resource = puts::conditional(&write.resource, write.read_version, now)?;
    let claims = write.claim.iter().map(|claim| {
        let item = item::encode_claim(claim, now).map_err(|error| error.to_string())?;
        Ok(ConditionalPut { item, condition: format!("attribute_not_exists({PK})"), values: None })
    });
    let second_names =
        write.second_names.iter().map(|name| puts::conditional(name, name.version().saturating_sub(1), now));
    let all = [Ok(resource)].into_iter().chain(claims).chain(second_names);
    all.map(|put: Result<ConditionalPut, String>| {
        let put = transact_put(table, put?).map_err(|error| error.to_string())?;
        Ok(TransactWriteItem::builder().put(put).build())
    })
    .collect()
}

fn transact_put(table: &str, put: ConditionalPut) -> Result<Put, BuildError> {
    Put::builder()
        .table_name(table)
        .set_item(Some(put.item))
        .condition_expression(put.condition)
        .set_expression_attribute_values(put.values)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
}

/// The outcome of a transaction with or without a claim that a condition or another transaction cancelled; `None` for any other failure.
///
/// When two transactions conflict, one is cancelled before its conditions are evaluated, so the item that the other writes
/// is not known yet.
fn cancelled<R>(error: &SdkError<TransactWriteItemsError, R>, has_claim: bool) -> Option<WriteOutcome> {
    let reasons = reasons(error);
    let condition_failed = |reason: &&CancellationReason| reason.code() == Some("ConditionalCheckFailed");
    if let Some(reason) = reasons.first().filter(condition_failed) {
        return Some(WriteOutcome::Lost(reason.item().and_then(|item| item::decode(item).ok())));
    }
    if let Some(claim) = reasons.get(1).filter(condition_failed).filter(|_| has_claim) {
        return claim.item().and_then(item::decode_claim).map(WriteOutcome::Claimed);
    }
    // A second name that has changed is not in the outcome: the updater reads all names again.
    let has_changed = reasons.iter().skip(1 + usize::from(has_claim)).any(|reason| condition_failed(&reason));
    let has_conflict = reasons.iter().any(|reason| reason.code() == Some("TransactionConflict"));
    (has_changed || has_conflict).then_some(WriteOutcome::Lost(None))
}

/// Why a transaction was cancelled, in the order of its puts; empty when it was not cancelled.
fn reasons<R>(error: &SdkError<TransactWriteItemsError, R>) -> &[CancellationReason] {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled.cancellation_reasons(),
        _ => &[],
    }
}

/// As for a put: a request that DynamoDB rejects because of either item fails every time.
fn disposition<R>(error: &SdkError<TransactWriteItemsError, R>) -> Disposition {
    let code = error.as_service_error().and_then(|error| error.meta().code());
    let mut codes = [code].into_iter().chain(reasons(error).iter().map(CancellationReason::code));
    let fails_each_time = codes.any(|code| puts::disposition(code) == Disposition::DeadLetter);
    if fails_each_time { Disposition::DeadLetter } else { Disposition::Retry }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;

    use super::*;

    fn cancelled_for(codes: [&str; 2]) -> SdkError<TransactWriteItemsError, ()> {
        let reasons = codes.map(|code| CancellationReason::builder().code(code).build());
        let cancelled = TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons.to_vec()));
        SdkError::service_error(TransactWriteItemsError::TransactionCanceledException(cancelled.build()), ())
    }

    #[test]
    fn a_conflicting_transaction_loses_to_an_item_that_is_not_known_yet() {
        for codes in [["TransactionConflict", "None"], ["None", "TransactionConflict"], ["TransactionConflict"; 2]] {
            let outcome = cancelled(&cancelled_for(codes), true);
            assert!(matches!(outcome, Some(WriteOutcome::Lost(None))), "{codes:?}: {outcome:?}");
        }
    }

    #[test]
    fn a_second_name_that_changed_loses_to_an_item_that_is_not_known_yet() {
        for codes in [["None", "ConditionalCheckFailed"], ["None", "TransactionConflict"]] {
            let outcome = cancelled(&cancelled_for(codes), false);
            assert!(matches!(outcome, Some(WriteOutcome::Lost(None))), "{codes:?}: {outcome:?}");
        }
    }

    #[test]
    fn a_transaction_that_is_cancelled_without_a_failed_condition_fails() {
        for (codes, expected) in [
            (["ThrottlingError", "None"], Disposition::Retry),
            (["None", "ProvisionedThroughputExceeded"], Disposition::Retry),
            (["ValidationError", "None"], Disposition::DeadLetter),
            (["None", "ValidationError"], Disposition::DeadLetter),
            // The claim's item does not say who owns the coin.
            (["None", "ConditionalCheckFailed"], Disposition::Retry),
        ] {
            let error = cancelled_for(codes);
            assert!(cancelled(&error, true).is_none(), "{codes:?}");
            assert_eq!(disposition(&error), expected, "{codes:?}");
        }
    }
}
