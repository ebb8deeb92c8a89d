//! Leases in the table: who may make a request now, and until when a provider asked not to be called.
//!
//! A lease saves requests; correctness does not depend on it. It expires by itself. A lease that ends more than
//! [`CLOCK_SKEW_MAX`] later than a lease taken now could was written by a wrong clock and is ignored.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use fundhook_domain::Timestamp;
use fundhook_ports::{BACK_OFF_MAX, CLOCK_SKEW_MAX, Disposition, PortError};

use crate::table::PK;
use crate::table::reads::Item;
use crate::why::{TABLE, why};

/// The leases in one table. Each is stored in the item that it protects.
#[derive(Clone, Debug)]
pub(crate) struct Leases {
    client: Client,
    table: String,
}

/// The result of a request for a lease.
pub(crate) enum TakenLease {
    Won,
    /// Another caller has the lease, or the provider asked to back off. This is the item as it is stored.
    Lost(Option<Item>),
}

impl Leases {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Takes the lease in the item `pk` from `now` for `duration`.
    pub(crate) async fn take(&self, pk: String, now: Timestamp, duration: Duration) -> Result<TakenLease, PortError> {
        let until = now.plus(duration);
        let taken = self
            .update(pk)
            .update_expression("SET refetch_after = :until")
            .condition_expression(
                "(attribute_not_exists(refetch_after) OR refetch_after <= :now OR refetch_after > :lease_max) \
                 AND (attribute_not_exists(not_before) OR not_before <= :now OR not_before > :back_off_max)",
            )
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":lease_max", time(until.plus(CLOCK_SKEW_MAX)))
            .expression_attribute_values(":back_off_max", time(now.plus(BACK_OFF_MAX).plus(CLOCK_SKEW_MAX)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match taken {
            Ok(_) => Ok(TakenLease::Won),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(TakenLease::Lost(failed.item().cloned()))
                }
                _ => Err(failure("take a lease", &error)),
            },
        }
    }

    /// Gives back the lease that was taken at `now` for `duration`, if it is still the current one.
    pub(crate) async fn release(&self, pk: String, now: Timestamp, duration: Duration) -> Result<(), PortError> {
        let released = self
            .update(pk)
            .update_expression("REMOVE refetch_after")
            .condition_expression("refetch_after = :until")
            .expression_attribute_values(":until", time(now.plus(duration)))
            .send()
            .await;
        match released {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // It has ended, and another caller has the next one.
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(failure("release a lease", &error)),
            },
        }
    }

    /// Stores that the lease in the item `pk` must not be given before `until`.
    pub(crate) async fn back_off_until(&self, pk: String, until: Timestamp) -> Result<(), PortError> {
        let noted = self
            .update(pk)
            .update_expression("SET not_before = :until")
            .expression_attribute_values(":until", time(until))
            .send()
            .await;
        noted.map(|_| ()).map_err(|error| failure("store until when to back off", &error))
    }

    fn update(&self, pk: String) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).key(PK, AttributeValue::S(pk))
    }
}

fn time(at: Timestamp) -> AttributeValue {
    AttributeValue::S(at.sortable())
}

fn failure<R: std::fmt::Debug>(attempted: &'static str, error: &SdkError<UpdateItemError, R>) -> PortError {
    PortError::new(attempted, Disposition::Retry, why(error, TABLE))
}
