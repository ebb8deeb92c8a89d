//! Resources in the table: one item each, written only at the version it was read at.

mod claims;
pub(crate) mod item;
mod puts;
pub(crate) mod reads;
mod statements;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{BatchStatementErrorCodeEnum, BatchStatementResponse};
use fundhook_domain::{Resource, ResourceId, Timestamp};
use fundhook_ports::{Disposition, PortError, Resources, Write, WriteOutcome};
use futures_util::future::join_all;

pub use item::{FACTS, ItemError, OWNERSHIP, PK, VERSION, resource_from_texts};

use crate::Aws;

/// What one `BatchExecuteStatement` takes (DynamoDB quota).
const WRITES_MAX: usize = 25;

/// The resources in Fundhook's table.
///
/// A whole batch is one `BatchGetItem` and, unless told otherwise, one `BatchExecuteStatement`; a deposit that claims its
/// coin is a `TransactWriteItems` beside it.
#[derive(Clone, Debug)]
pub struct ResourceTable {
    client: Client,
    table: String,
    writes: WriteMethod,
}

/// How a batch of conditional writes is sent. Either way each write succeeds or fails alone, and its loser is told the
/// item that beat it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteMethod {
    /// As PartiQL statements, 25 in a call, at the price of plain writes.
    #[default]
    Statements,
    /// As `PutItem`s side by side: for the local stack, whose emulator writes no stream record for a statement.
    Puts,
}

impl ResourceTable {
    /// The resources in `table`.
    pub fn new(aws: &Aws, table: String) -> Self {
        Self { client: Client::new(aws.sdk_config()), table, writes: WriteMethod::default() }
    }

    /// The same table, written to by `writes`.
    pub fn writing_by(self, writes: WriteMethod) -> Self {
        Self { writes, ..self }
    }

    /// Writes resources that claim nothing; each outcome with the place of its write.
    async fn write_plain(&self, writes: Vec<(usize, Write)>, now: Timestamp) -> Vec<(usize, WriteOutcome)> {
        let (places, writes): (Vec<usize>, Vec<Write>) = writes.into_iter().unzip();
        let mut outcomes = Vec::with_capacity(writes.len());
        for some in writes.chunks(WRITES_MAX) {
            outcomes.extend(match self.writes {
                WriteMethod::Statements => self.write_statements(some, now).await,
                WriteMethod::Puts => {
                    join_all(some.iter().map(|write| puts::conditional_put(&self.client, &self.table, write, now)))
                        .await
                }
            });
        }
        places.into_iter().zip(outcomes).collect()
    }

    /// Writes deposits that claim their coins, each in a transaction of its own.
    async fn write_claiming(&self, writes: Vec<(usize, Write)>, now: Timestamp) -> Vec<(usize, WriteOutcome)> {
        let write = async |(place, write): (usize, Write)| {
            (place, claims::claiming_put(&self.client, &self.table, &write, now).await)
        };
        join_all(writes.into_iter().map(write)).await
    }

    async fn write_statements(&self, writes: &[Write], now: Timestamp) -> Vec<WriteOutcome> {
        let fail_all = |disposition, why: &str| {
            let failed = || PortError::new("write resources to the table", disposition, why.to_owned());
            writes.iter().map(|_| WriteOutcome::Failed(failed())).collect()
        };
        let statements = writes.iter().map(|write| statements::conditional_write(&self.table, write, now));
        let statements: Vec<_> = match statements.collect() {
            Ok(statements) => statements,
            Err(error) => return fail_all(Disposition::DeadLetter, &format!("{error:?}")),
        };
        match self.client.batch_execute_statement().set_statements(Some(statements)).send().await {
            Err(error) => fail_all(Disposition::Retry, &DisplayErrorContext(&error).to_string()),
            Ok(answer) => {
                let responses = answer.responses.unwrap_or_default();
                if responses.len() != writes.len() {
                    return fail_all(Disposition::Retry, "the answer has another number of outcomes than statements");
                }
                responses.iter().map(outcome).collect()
            }
        }
    }
}

impl Resources for ResourceTable {
    async fn read(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, PortError> {
        let keys: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut found: HashMap<ResourceId, Resource> = HashMap::new();
        for item in reads::batch(&self.client, &self.table, &keys, "read resources from the table").await? {
            let resource = item::decode(&item)
                .map_err(|error| PortError::new("read a resource from the table", Disposition::DeadLetter, error))?;
            found.insert(resource.id().clone(), resource);
        }
        let known = |id: &ResourceId| found.remove(id).unwrap_or_else(|| Resource::unknown(id.clone()));
        Ok(ids.iter().map(known).collect())
    }

    async fn write(&self, writes: Vec<Write>, now: Timestamp) -> Vec<WriteOutcome> {
        let is_claiming = |(_, write): &(usize, Write)| write.claim.is_some();
        let (claiming, plain): (Vec<_>, Vec<_>) = writes.into_iter().enumerate().partition(is_claiming);
        let (claiming, plain) = tokio::join!(self.write_claiming(claiming, now), self.write_plain(plain, now));
        let mut outcomes: Vec<(usize, WriteOutcome)> = claiming.into_iter().chain(plain).collect();
        outcomes.sort_by_key(|(at, _)| *at);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }
}

/// Why a statement failed, read from what DynamoDB says of it.
fn outcome(response: &BatchStatementResponse) -> WriteOutcome {
    let Some(error) = response.error() else {
        return WriteOutcome::Written;
    };
    let failed = |disposition| {
        let code = error.code().map_or("unknown", BatchStatementErrorCodeEnum::as_str);
        let why = format!("{code}: {}", error.message().unwrap_or_default());
        WriteOutcome::Failed(PortError::new("write a resource to the table", disposition, why))
    };
    match error.code() {
        Some(BatchStatementErrorCodeEnum::ConditionalCheckFailed | BatchStatementErrorCodeEnum::DuplicateItem) => {
            WriteOutcome::Lost(error.item().and_then(|item| item::decode(item).ok()))
        }
        // A deposit is being written together with its claim.
        Some(BatchStatementErrorCodeEnum::TransactionConflict) => WriteOutcome::Lost(None),
        Some(
            BatchStatementErrorCodeEnum::AccessDenied
            | BatchStatementErrorCodeEnum::ItemCollectionSizeLimitExceeded
            | BatchStatementErrorCodeEnum::ResourceNotFound
            | BatchStatementErrorCodeEnum::ValidationError,
        ) => failed(Disposition::DeadLetter),
        // Throttling, internal errors, and codes that a later DynamoDB may have.
        _ => failed(Disposition::Retry),
    }
}
