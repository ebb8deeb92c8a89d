//! The ledger in one DynamoDB table.
//!
//! | `pk` | what | attributes |
//! |---|---|---|
//! | `credit#<resource>` | the entry of a deposit | `state`, `event_id`, `credited_at`, `account`, `asset`, `network`, `value` (decimal digits, as a text), and if held or disputed `objection`, `objection_event_id`, `objected_at` |
//! | `balance#<tenant>#<account>#<asset>#<network>` | a balance in whole units of its asset; `-` for no tenant and for no network | `total` |
//!
//! An entry is created once, as `credited` or `held`, on the condition that it does not exist. The only later change is
//! from `credited` to `disputed`.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BoxError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{Credit, CreditOutcome, Hold, HoldOutcome, Ledger, LedgerError};

/// How often a credit is tried when it collides with another transaction, such as another credit of the same account.
pub const ATTEMPTS_MAX: u32 = 5;

/// The maximum pause before repetition n is n times this: 10 × 50 ms in total, a small part of a batch's time.
const PAUSE_MAX: Duration = Duration::from_millis(50);

const PK: &str = "pk";
const STATE: &str = "state";
const CREDITED: &str = "credited";
const HELD: &str = "held";
const DISPUTED: &str = "disputed";
const NO_ENTRY: &str = "attribute_not_exists(pk)";

type Item = HashMap<String, AttributeValue>;

/// The ledger in one DynamoDB table.
#[derive(Clone, Debug)]
pub struct DynamoLedger {
    client: Client,
    table: String,
}

/// The outcome of one transaction.
enum Attempt {
    Finished(CreditOutcome),
    Collided,
}

impl DynamoLedger {
    /// The ledger in `table`, whose key is the text `pk`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Enters the deposit and adds to the balance, both or neither.
    async fn attempt(&self, credit: &Credit, now: &str) -> Result<Attempt, LedgerError> {
        let entry = Put::builder()
            .table_name(&self.table)
            .item(PK, entry_key(credit.resource()))
            .item(STATE, text(CREDITED))
            .item("event_id", text(credit.event_id()))
            .item("credited_at", text(now))
            .condition_expression(NO_ENTRY)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let entry = credit.terms().into_iter().fold(entry, |entry, (name, value)| entry.item(name, text(value)));
        let balance = Update::builder()
            .table_name(&self.table)
            .key(PK, AttributeValue::S(format!("balance#{}", credit.balance())))
            .update_expression("ADD #total :value")
            .expression_attribute_names("#total", "total")
            .expression_attribute_values(":value", AttributeValue::N(credit.value().to_string()));
        let (entry, balance) = (entry.build().map_err(refused)?, balance.build().map_err(refused)?);

        let transaction = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(entry).build())
            .transact_items(TransactWriteItem::builder().update(balance).build());
        match transaction.send().await {
            Ok(_) => Ok(Attempt::Finished(CreditOutcome::Credited)),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => classified(credit, canceled),
                _ => Err(failed(&error)),
            },
        }
    }

    /// Marks the entry of a credited deposit as disputed.
    async fn dispute(&self, hold: &Hold, now: &str) -> Result<HoldOutcome, LedgerError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, entry_key(hold.resource()))
            .condition_expression("#state = :credited")
            .update_expression(
                "SET #state = :disputed, objection = :why, objection_event_id = :event, objected_at = :now",
            )
            .expression_attribute_names("#state", STATE)
            .expression_attribute_values(":credited", text(CREDITED))
            .expression_attribute_values(":disputed", text(DISPUTED))
            .expression_attribute_values(":why", AttributeValue::S(hold.reason().to_string()))
            .expression_attribute_values(":event", text(hold.event_id()))
            .expression_attribute_values(":now", text(now))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(_) => Ok(HoldOutcome::Disputed),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(lost)) => match state(lost.item())? {
                    DISPUTED => Ok(HoldOutcome::Disputed),
                    _ => Err(LedgerError::Unavailable("the entry was changed concurrently".into())),
                },
                _ => Err(failed(&error)),
            },
        }
    }
}

impl Ledger for DynamoLedger {
    async fn credit(&self, credit: &Credit, now: OffsetDateTime) -> Result<CreditOutcome, LedgerError> {
        let now = now.format(&Rfc3339).map_err(refused)?;
        for attempt in 1..=ATTEMPTS_MAX {
            if let Attempt::Finished(outcome) = self.attempt(credit, &now).await? {
                return Ok(outcome);
            }
            if attempt < ATTEMPTS_MAX {
                // A random pause, so that the colliding transactions do not collide again.
                let longest = u64::try_from(PAUSE_MAX.as_micros()).unwrap_or(u64::MAX) * u64::from(attempt);
                tokio::time::sleep(Duration::from_micros(fastrand::u64(0..=longest))).await;
            }
        }
        Err(LedgerError::Unavailable("other transactions are writing the entry or the balance".into()))
    }

    async fn hold(&self, hold: &Hold, now: OffsetDateTime) -> Result<HoldOutcome, LedgerError> {
        let now = now.format(&Rfc3339).map_err(refused)?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(PK, entry_key(hold.resource()))
            .item(STATE, text(HELD))
            .item("objection", AttributeValue::S(hold.reason().to_string()))
            .item("objection_event_id", text(hold.event_id()))
            .item("objected_at", text(&now))
            .condition_expression(NO_ENTRY)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(HoldOutcome::Held),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(lost)) => match state(lost.item())? {
                    HELD => Ok(HoldOutcome::Held),
                    DISPUTED => Ok(HoldOutcome::Disputed),
                    CREDITED => self.dispute(hold, &now).await,
                    _ => Err(LedgerError::Unreadable(STATE)),
                },
                _ => Err(failed(&error)),
            },
        }
    }
}

/// Why a credit was cancelled. The reasons are in the order of the writes: entry, balance.
fn classified(credit: &Credit, canceled: &TransactionCanceledException) -> Result<Attempt, LedgerError> {
    let reasons = canceled.cancellation_reasons();
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code().unwrap_or_default()).collect();
    match codes[..] {
        ["ConditionalCheckFailed", _] => {
            existing(credit, reasons.first().and_then(CancellationReason::item)).map(Attempt::Finished)
        }
        // The sum needs more than 38 digits: DynamoDB reports an overflow and never rounds.
        ["None", "ValidationError"] => {
            let why = reasons.last().and_then(CancellationReason::message).unwrap_or("DynamoDB gave no reason");
            Err(LedgerError::BalanceRefused(why.into()))
        }
        _ if codes.contains(&"TransactionConflict") => Ok(Attempt::Collided),
        // Only the codes: the reasons contain items, which must not be logged.
        _ => {
            let why = format!("the transaction was cancelled ({})", codes.join(", ")).into();
            let is_refused = codes.contains(&"ValidationError");
            Err(if is_refused { LedgerError::Refused(why) } else { LedgerError::Unavailable(why) })
        }
    }
}

/// The outcome of `credit` for a deposit with an entry.
fn existing(credit: &Credit, entry: Option<&Item>) -> Result<CreditOutcome, LedgerError> {
    match state(entry)? {
        HELD => Ok(CreditOutcome::Held),
        CREDITED | DISPUTED => {
            let differs = |(name, value): &(&'static str, &str)| attribute(entry, name) != Some(*value);
            let different: Vec<_> = credit.terms().into_iter().filter(differs).map(|(name, _)| name).collect();
            Ok(if different.is_empty() {
                CreditOutcome::AlreadyCredited
            } else {
                CreditOutcome::CreditedDifferently(different)
            })
        }
        _ => Err(LedgerError::Unreadable(STATE)),
    }
}

fn state(entry: Option<&Item>) -> Result<&str, LedgerError> {
    attribute(entry, STATE).ok_or(LedgerError::Unreadable(STATE))
}

fn attribute<'a>(entry: Option<&'a Item>, name: &str) -> Option<&'a str> {
    entry?.get(name)?.as_s().ok().map(String::as_str)
}

fn entry_key(resource: &str) -> AttributeValue {
    AttributeValue::S(format!("credit#{resource}"))
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn refused(error: impl Into<BoxError>) -> LedgerError {
    LedgerError::Refused(error.into())
}

/// A rejected call (a missing table, a key of more than 2,048 bytes) fails each time.
fn failed<E, R>(error: &SdkError<E, R>) -> LedgerError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    let why = DisplayErrorContext(error).to_string().into();
    match error.code() {
        Some("AccessDeniedException" | "ResourceNotFoundException" | "ValidationException") => {
            LedgerError::Refused(why)
        }
        _ => LedgerError::Unavailable(why),
    }
}
