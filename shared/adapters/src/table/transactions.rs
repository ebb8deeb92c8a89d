//! Writes a resource in one transaction with what changes with it: pages of its oldest facts, the claims on a deposit's
//! coins and the deposits that report the same coins (docs/internals/decisions/one-coin-one-credit.md), or the second names
//! of a payment.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use fundhook_domain::{Claim, SimilarDeposits, Timestamp, Versioned};
use fundhook_ports::{Disposition, PortError, Write, WriteOutcome};

use super::item;
use super::pages::{Divided, Division};
use super::puts::{self, ConditionalPut};
use crate::why::{TABLE, why};

/// What one `TransactWriteItems` takes (DynamoDB quota).
const ITEMS_MAX: usize = 100;

/// What is stored in one transaction.
#[derive(Clone, Debug)]
pub(super) struct Together {
    /// The resources, with their new pages.
    pub(super) resources: Vec<Divided>,
    pub(super) claims: Vec<Versioned<Claim>>,
    pub(super) similar: Vec<Versioned<SimilarDeposits>>,
}

impl Together {
    /// What `write` stores.
    pub(super) fn of(write: Write) -> Result<Self, serde_json::Error> {
        let Write { resources, claims, similar } = write;
        let divided = resources.into_iter().map(|write| Ok(Divided { facts: Division::of(&write.item)?, write }));
        Ok(Self { resources: divided.collect::<Result<_, _>>()?, claims, similar })
    }

    /// The resource, if nothing else is stored.
    pub(super) fn into_alone(mut self) -> Result<Divided, Self> {
        let others = self.resources.len() + self.claims.len() + self.similar.len() != 1;
        match self.resources.pop() {
            Some(resource) if !others && resource.facts.new_pages.is_empty() => Ok(resource),
            last => {
                self.resources.extend(last);
                Err(self)
            }
        }
    }
}

/// Stores everything in `write` if all of it still has the versions that were read.
///
/// The cancellation reasons say which condition failed, in the order of the puts.
pub(super) async fn put_together(client: &Client, table: &str, write: &Together, now: Timestamp) -> WriteOutcome {
    let failed = |disposition, why: String| {
        WriteOutcome::Failed(PortError::new("write a resource and what belongs to it to the table", disposition, why))
    };
    let puts = match puts_of(table, write, now) {
        Ok(puts) if puts.len() <= ITEMS_MAX => puts,
        Ok(puts) => {
            let why = format!("{} items change together, and a transaction takes {ITEMS_MAX}", puts.len());
            return failed(Disposition::DeadLetter, why);
        }
        Err(why) => return failed(Disposition::DeadLetter, why),
    };
    match client.transact_write_items().set_transact_items(Some(puts)).send().await {
        Ok(_) => WriteOutcome::Written,
        Err(error) => {
            // Not the whole error: its cancellation reasons contain the items, which must not be logged.
            let why = match error.as_service_error().map(|service| service.meta()) {
                Some(meta) => format!("{}: {}", meta.code().unwrap_or_default(), meta.message().unwrap_or_default()),
                None => why(&error, TABLE),
            };
            cancelled(&error).unwrap_or_else(|| failed(disposition(&error), why))
        }
    }
}

fn puts_of(table: &str, write: &Together, now: Timestamp) -> Result<Vec<TransactWriteItem>, String> {
    let resources = write.resources.iter().map(|resource| Ok(puts::conditional(resource, now)));
    let pages = write.resources.iter().flat_map(puts::new_pages).map(Ok);
    let claims = write.claims.iter().map(|claim| puts::conditional_claim(&claim.item, claim.read_version, now));
    let similar =
        write.similar.iter().map(|similar| puts::conditional_similar(&similar.item, similar.read_version, now));
    resources
        .chain(pages)
        .chain(claims)
        .chain(similar)
        .map(|put: Result<ConditionalPut, String>| {
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

/// The outcome of a transaction that a condition or another transaction cancelled; `None` for any other failure.
///
/// When two transactions conflict, one is cancelled before its conditions are evaluated, so the item that the other writes
/// is not known yet. A claim that has changed is not in the outcome: the updater reads it again.
fn cancelled<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<WriteOutcome> {
    let has_failed = |reason: &&CancellationReason| reason.code() == Some("ConditionalCheckFailed");
    let has_lost = |reason: &&CancellationReason| has_failed(reason) || reason.code() == Some("TransactionConflict");
    let reasons = reasons(error);
    reasons.iter().find(has_lost)?;
    let current = reasons.iter().filter(has_failed).find_map(|reason| item::decode_whole(reason.item()?));
    Some(WriteOutcome::Lost(current))
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
            let outcome = cancelled(&cancelled_for(codes));
            assert!(matches!(outcome, Some(WriteOutcome::Lost(None))), "{codes:?}: {outcome:?}");
        }
    }

    #[test]
    fn an_item_that_changed_and_is_not_returned_loses_to_an_item_that_is_not_known_yet() {
        for codes in [["None", "ConditionalCheckFailed"], ["None", "TransactionConflict"]] {
            let outcome = cancelled(&cancelled_for(codes));
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
        ] {
            let error = cancelled_for(codes);
            assert!(cancelled(&error).is_none(), "{codes:?}");
            assert_eq!(disposition(&error), expected, "{codes:?}");
        }
    }
}
