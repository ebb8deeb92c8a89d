//! Conditional writes in PartiQL.

use std::fmt::Write as _;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{AttributeValue, BatchStatementRequest, ReturnValuesOnConditionCheckFailure};
use fundhook_domain::Timestamp;

use super::item::{self, PK};
use super::pages::Divided;

/// The statement that stores a resource if it still has the version that was read: an `INSERT` fails if the key
/// exists, an `UPDATE` if the version differs. A statement that fails returns the stored item.
pub(super) fn conditional_write(
    table: &str,
    Divided { write, facts }: &Divided,
    now: Timestamp,
) -> Result<BatchStatementRequest, BuildError> {
    let attributes = item::encode(&write.item, facts, now);
    let pk = AttributeValue::S(write.item.id().to_string());
    let (statement, parameters) = if write.read_version == 0 {
        insert(table, pk, attributes)
    } else {
        update(table, pk, attributes, write.read_version)
    };
    BatchStatementRequest::builder()
        .statement(statement)
        .set_parameters(Some(parameters))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
}

fn insert(
    table: &str,
    pk: AttributeValue,
    attributes: Vec<(&'static str, AttributeValue)>,
) -> (String, Vec<AttributeValue>) {
    let mut statement = format!(r#"INSERT INTO "{table}" VALUE {{'{PK}': ?"#);
    let mut parameters = vec![pk];
    for (name, value) in attributes {
        // Writing to a string cannot fail.
        write!(statement, ", '{name}': ?").ok();
        parameters.push(value);
    }
    statement.push('}');
    (statement, parameters)
}

fn update(
    table: &str,
    pk: AttributeValue,
    attributes: Vec<(&'static str, AttributeValue)>,
    read_version: u64,
) -> (String, Vec<AttributeValue>) {
    let absent: Vec<&str> =
        item::OPTIONAL.into_iter().filter(|name| !attributes.iter().any(|(known, _)| known == name)).collect();
    let mut statement = format!(r#"UPDATE "{table}""#);
    let mut parameters = Vec::with_capacity(attributes.len() + 2);
    for (name, value) in attributes {
        write!(statement, r#" SET "{name}" = ?"#).ok();
        parameters.push(value);
    }
    for name in absent {
        write!(statement, r#" REMOVE "{name}""#).ok();
    }
    write!(statement, r#" WHERE "{PK}" = ? AND "version" = ?"#).ok();
    parameters.extend([pk, AttributeValue::N(read_version.to_string())]);
    (statement, parameters)
}
