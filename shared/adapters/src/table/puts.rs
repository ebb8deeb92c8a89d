//! Conditional writes as `PutItem`.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use fundhook_domain::Timestamp;
use fundhook_domain::port::{Disposition, PortError, Write, WriteOutcome};

use super::item::{self, PK};

/// Stores `write`'s resource if it still is at the version it was read at.
pub(super) async fn conditional_put(client: &Client, table: &str, write: &Write, now: Timestamp) -> WriteOutcome {
    let failed = |disposition, why: String| {
        WriteOutcome::Failed(PortError::new("write a resource to the table", disposition, why))
    };
    let attributes = match item::encode(&write.resource, now) {
        Ok(attributes) => attributes,
        Err(error) => return failed(Disposition::DeadLetter, error.to_string()),
    };
    let pk = AttributeValue::S(write.resource.id().to_string());
    let put = client
        .put_item()
        .table_name(table)
        .item(PK, pk)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let put = attributes.into_iter().fold(put, |put, (name, value)| put.item(name, value));
    let put = if write.read_version == 0 {
        put.condition_expression(format!("attribute_not_exists({PK})"))
    } else {
        put.condition_expression("version = :read")
            .expression_attribute_values(":read", AttributeValue::N(write.read_version.to_string()))
    };
    match put.send().await {
        Ok(_) => WriteOutcome::Written,
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(lost)) => {
                WriteOutcome::Lost(lost.item().and_then(|item| item::decode(item).ok()))
            }
            _ => failed(disposition(&error), DisplayErrorContext(&error).to_string()),
        },
    }
}

/// A call that DynamoDB finds fault with (an item over 400 KB, a table that is not there) fails the same way each time.
fn disposition<R>(error: &SdkError<PutItemError, R>) -> Disposition {
    match error.as_service_error().and_then(|error| error.meta().code()) {
        Some("AccessDeniedException" | "ResourceNotFoundException" | "ValidationException") => Disposition::DeadLetter,
        _ => Disposition::Retry,
    }
}
