//! Conditional writes as `PutItem`.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use fundhook_domain::{Claim, SimilarDeposits, Timestamp};
use fundhook_ports::{Disposition, PortError, WriteOutcome};

use super::item::{self, CLAIM_VERSION, PK};
use super::pages::Divided;
use crate::why::{TABLE, why};

pub(super) struct ConditionalPut {
    pub(super) item: HashMap<String, AttributeValue>,
    pub(super) condition: String,
    pub(super) values: Option<HashMap<String, AttributeValue>>,
}

/// The put that stores a resource if it still has the version that was read.
pub(super) fn conditional(Divided { write, facts }: &Divided, now: Timestamp) -> ConditionalPut {
    let pk = (PK.to_owned(), AttributeValue::S(write.item.id().to_string()));
    let attributes = item::encode(&write.item, facts, now).into_iter();
    let item = attributes.map(|(name, value)| (name.to_owned(), value)).chain([pk]).collect();
    let version = AttributeValue::N(write.read_version.to_string());
    let (condition, values) = match write.read_version {
        0 => (format!("attribute_not_exists({PK})"), None),
        _ => ("version = :read".to_owned(), Some(HashMap::from([(":read".to_owned(), version)]))),
    };
    ConditionalPut { item, condition, values }
}

/// The puts that store the new pages of a resource. A page is stored once.
pub(super) fn new_pages(Divided { write, facts }: &Divided) -> impl Iterator<Item = ConditionalPut> {
    let items = facts.page_items(write.item.id()).into_iter();
    items.map(|item| ConditionalPut { item, condition: format!("attribute_not_exists({PK})"), values: None })
}

/// The put that stores `claim` if it still has the version that was read.
pub(super) fn conditional_claim(claim: &Claim, read_version: u64, now: Timestamp) -> Result<ConditionalPut, String> {
    let item = item::encode_claim(claim, now).map_err(|error| error.to_string())?;
    Ok(of_shared(item, read_version))
}

/// The put that stores similar deposits if they still have the version that was read.
pub(super) fn conditional_similar(
    similar: &SimilarDeposits,
    read_version: u64,
    now: Timestamp,
) -> Result<ConditionalPut, String> {
    let item = item::encode_similar(similar, now).map_err(|error| error.to_string())?;
    Ok(of_shared(item, read_version))
}

fn of_shared(item: HashMap<String, AttributeValue>, read_version: u64) -> ConditionalPut {
    let version = AttributeValue::N(read_version.to_string());
    let (condition, values) = match read_version {
        0 => (format!("attribute_not_exists({PK})"), None),
        _ => (format!("{CLAIM_VERSION} = :read"), Some(HashMap::from([(":read".to_owned(), version)]))),
    };
    ConditionalPut { item, condition, values }
}

/// Stores a resource if it still has the version that was read.
pub(super) async fn conditional_put(client: &Client, table: &str, write: &Divided, now: Timestamp) -> WriteOutcome {
    let failed = |disposition, why: String| {
        WriteOutcome::Failed(PortError::new("write a resource to the table", disposition, why))
    };
    let put = conditional(write, now);
    let put = client
        .put_item()
        .table_name(table)
        .set_item(Some(put.item))
        .condition_expression(put.condition)
        .set_expression_attribute_values(put.values)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    match put.send().await {
        Ok(_) => WriteOutcome::Written,
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(lost)) => {
                WriteOutcome::Lost(lost.item().and_then(item::decode_whole))
            }
            // A transaction is writing the resource at this moment.
            Some(PutItemError::TransactionConflictException(_)) => WriteOutcome::Lost(None),
            service => {
                let code = service.and_then(|error| error.meta().code());
                failed(disposition(code), why(&error, TABLE))
            }
        },
    }
}

/// A request that DynamoDB rejects (an item over 400 KB, a missing table) fails every time. A cancelled transaction reports
/// the same causes under different codes.
pub(super) fn disposition(code: Option<&str>) -> Disposition {
    match code {
        Some("AccessDeniedException" | "ResourceNotFoundException" | "ValidationException") => Disposition::DeadLetter,
        Some("ItemCollectionSizeLimitExceeded" | "ValidationError") => Disposition::DeadLetter,
        _ => Disposition::Retry,
    }
}
