//! The ledger in one DynamoDB table.
//!
//! | `pk` | `sk` | what | attributes |
//! |---|---|---|---|
//! | `event#<event id>` | `event` | an event that was booked | `type`, `resource`, `booked_at` |
//! | `account#<tenant>#<ledger account>` | `entry#<time>#<event id>` | what an event books to the account | `type`, `resource`, `booked_at`, `amounts`: by asset, a decimal text |
//! | the same | `balance#<asset>` | the balance of the account | `total` |
//!
//! The tenant is `-` when there is one organization. Debits are above zero, credits below.
//!
//! One transaction writes all items of an event, on the condition that the event is not there yet. So each event is booked
//! once, whole or not at all. Balances are sums, so the order of events does not matter.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BoxError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{BookOutcome, Entry, Ledger, LedgerError, Line};

/// How often an event is booked when it collides with another transaction, such as another entry of the same account.
pub const ATTEMPTS_MAX: u32 = 5;

/// The maximum pause before repetition n is n times this: 10 × 50 ms in total, a small part of a batch's time.
const PAUSE_MAX: Duration = Duration::from_millis(50);

pub(crate) const PK: &str = "pk";
pub(crate) const SK: &str = "sk";
pub(crate) const TYPE: &str = "type";
pub(crate) const RESOURCE: &str = "resource";
pub(crate) const AMOUNTS: &str = "amounts";
pub(crate) const TOTAL: &str = "total";
pub(crate) const ENTRY: &str = "entry#";
pub(crate) const BALANCE: &str = "balance#";

/// Stands in a key for no tenant. No tenant's name is equal to it: names begin with a letter or a digit.
const NO_TENANT: &str = "-";

/// The ledger in one DynamoDB table.
#[derive(Clone, Debug)]
pub struct DynamoLedger {
    pub(crate) client: Client,
    pub(crate) table: String,
}

/// The outcome of one transaction.
enum Attempt {
    Finished(BookOutcome),
    Collided,
}

/// The partition key of an account.
pub(crate) fn account_key(tenant: Option<&str>, account: &str) -> String {
    format!("account#{}#{account}", tenant.unwrap_or(NO_TENANT))
}

impl DynamoLedger {
    /// The ledger in `table`, whose keys are the texts `pk` and `sk`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    async fn attempt(&self, entry: &Entry, now: &str) -> Result<Attempt, LedgerError> {
        let writes = self.writes(entry, now)?;
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(Attempt::Finished(BookOutcome::Booked)),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => classified(canceled),
                _ => Err(failed(&error)),
            },
        }
    }

    /// The event first, so that the first reason of a cancellation says whether it is booked already.
    fn writes(&self, entry: &Entry, now: &str) -> Result<Vec<TransactWriteItem>, LedgerError> {
        let put = |pk: String, sk: String| {
            let put =
                Put::builder().table_name(&self.table).item(PK, AttributeValue::S(pk)).item(SK, AttributeValue::S(sk));
            put.item(TYPE, text(entry.event_type())).item(RESOURCE, text(entry.resource())).item("booked_at", text(now))
        };
        let event = put(format!("event#{}", entry.event_id()), "event".to_owned());
        let event = event.condition_expression("attribute_not_exists(pk)").build().map_err(refused)?;
        let mut writes = vec![TransactWriteItem::builder().put(event).build()];
        let mut accounts: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
        entry.lines().iter().for_each(|line| accounts.entry(line.account()).or_default().push(line));
        for (account, lines) in accounts {
            let pk = account_key(entry.tenant(), account);
            let amount = |line: &&Line| (line.asset().to_owned(), AttributeValue::S(line.value().to_string()));
            let amounts = AttributeValue::M(lines.iter().map(amount).collect());
            let of_account = put(pk.clone(), format!("{ENTRY}{}#{}", entry.time(), entry.event_id()));
            let of_account = of_account.item(AMOUNTS, amounts).build().map_err(refused)?;
            writes.push(TransactWriteItem::builder().put(of_account).build());
            for line in lines {
                let balance = Update::builder()
                    .table_name(&self.table)
                    .key(PK, AttributeValue::S(pk.clone()))
                    .key(SK, AttributeValue::S(format!("{BALANCE}{}", line.asset())))
                    .update_expression("ADD #total :value")
                    .expression_attribute_names("#total", TOTAL)
                    .expression_attribute_values(":value", AttributeValue::N(line.value().to_string()));
                writes.push(TransactWriteItem::builder().update(balance.build().map_err(refused)?).build());
            }
        }
        Ok(writes)
    }
}

impl Ledger for DynamoLedger {
    async fn book(&self, entry: &Entry, now: OffsetDateTime) -> Result<BookOutcome, LedgerError> {
        let now = now.format(&Rfc3339).map_err(refused)?;
        for attempt in 1..=ATTEMPTS_MAX {
            if let Attempt::Finished(outcome) = self.attempt(entry, &now).await? {
                return Ok(outcome);
            }
            if attempt < ATTEMPTS_MAX {
                // A random pause, so that the colliding transactions do not collide again.
                let longest = u64::try_from(PAUSE_MAX.as_micros()).unwrap_or(u64::MAX) * u64::from(attempt);
                tokio::time::sleep(Duration::from_micros(fastrand::u64(0..=longest))).await;
            }
        }
        Err(LedgerError::Unavailable("other transactions are writing the same accounts".into()))
    }
}

/// Why a transaction was cancelled. The reasons are in the order of the writes; the first is about the event.
fn classified(canceled: &TransactionCanceledException) -> Result<Attempt, LedgerError> {
    let reasons = canceled.cancellation_reasons();
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code().unwrap_or_default()).collect();
    if codes.first() == Some(&"ConditionalCheckFailed") {
        return Ok(Attempt::Finished(BookOutcome::AlreadyBooked));
    }
    if codes.contains(&"TransactionConflict") {
        return Ok(Attempt::Collided);
    }
    // A sum needs more than 38 digits: DynamoDB reports an overflow and never rounds.
    let overflow = reasons.iter().find(|reason| reason.code() == Some("ValidationError"));
    if let Some(overflow) = overflow {
        let why = overflow.message().unwrap_or("DynamoDB gave no reason");
        return Err(LedgerError::BalanceRefused(why.into()));
    }
    // Only the codes: the reasons contain items, which must not be logged.
    Err(LedgerError::Unavailable(format!("the transaction was cancelled ({})", codes.join(", ")).into()))
}

pub(crate) fn attribute<'a>(
    item: &'a HashMap<String, AttributeValue>,
    name: &'static str,
) -> Result<&'a str, LedgerError> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or(LedgerError::Unreadable(name))
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn refused(error: impl Into<BoxError>) -> LedgerError {
    LedgerError::Refused(error.into())
}

/// A rejected call (a missing table, a key of more than 2,048 bytes) fails each time.
pub(crate) fn failed<E, R>(error: &SdkError<E, R>) -> LedgerError
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
