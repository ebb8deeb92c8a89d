//! Resources in the table: one item each, written only if it still has the version that was read.

pub(crate) mod item;
mod pages;
mod partiql;
mod puts;
pub(crate) mod reads;
mod scan;
mod transactions;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{BatchStatementErrorCodeEnum, BatchStatementResponse};
use fundhook_domain::{Claim, ClaimKey, Fact, Resource, ResourceId, SimilarDeposits, SimilarKey, Timestamp};
use fundhook_ports::{Claims, Disposition, FactPages, PortError, Resources, Write, WriteOutcome, chain};
use futures_util::future::join_all;

use pages::Divided;
use transactions::Together;

pub use item::{FACTS, Head, ItemError, PAGES, PK, VERSION, review_partition};
pub use pages::FACTS_BYTES_MAX;

use crate::Aws;
use crate::why::{TABLE, why};

/// What one `BatchExecuteStatement` takes (DynamoDB quota).
const WRITES_MAX: usize = 25;

/// The resources in Fundhook's table.
///
/// A batch costs one `BatchGetItem` and, by default, one `BatchExecuteStatement`. A deposit that claims its coin costs
/// another `BatchGetItem`; it, and a payment that gets a second name, is written by a separate `TransactWriteItems`.
#[derive(Clone, Debug)]
pub struct ResourceTable {
    client: Client,
    table: String,
    writes: WriteMethod,
}

/// How a batch of conditional writes is sent. With either method each write succeeds or fails alone, and a write that fails
/// returns the stored item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteMethod {
    /// As PartiQL statements, 25 in a call, for the price of plain writes.
    #[default]
    Statements,
    /// As concurrent `PutItem`s: for the local stack, whose emulator writes no stream record for a statement.
    Puts,
}

impl ResourceTable {
    pub fn new(aws: &Aws, table: String) -> Self {
        Self { client: Client::new(aws.sdk_config()), table, writes: WriteMethod::default() }
    }

    pub fn writing_by(self, writes: WriteMethod) -> Self {
        Self { writes, ..self }
    }

    /// Writes resources with which nothing else is written. Each outcome comes with the index of its write.
    async fn write_plain(&self, writes: Vec<(usize, Divided)>, now: Timestamp) -> Vec<(usize, WriteOutcome)> {
        let (indexes, writes): (Vec<usize>, Vec<Divided>) = writes.into_iter().unzip();
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
        indexes.into_iter().zip(outcomes).collect()
    }

    /// Writes what changes together, each in a separate transaction.
    async fn write_together(&self, writes: Vec<(usize, Together)>, now: Timestamp) -> Vec<(usize, WriteOutcome)> {
        let write = async |(index, write): (usize, Together)| {
            (index, transactions::put_together(&self.client, &self.table, &write, now).await)
        };
        join_all(writes.into_iter().map(write)).await
    }

    async fn write_statements(&self, writes: &[Divided], now: Timestamp) -> Vec<WriteOutcome> {
        let fail_all = |disposition, why: &str| {
            let failed = || PortError::new("write resources to the table", disposition, why.to_owned());
            writes.iter().map(|_| WriteOutcome::Failed(failed())).collect()
        };
        let statements = writes.iter().map(|write| partiql::conditional_write(&self.table, write, now));
        let statements: Vec<_> = match statements.collect() {
            Ok(statements) => statements,
            Err(error) => return fail_all(Disposition::DeadLetter, &chain(&error)),
        };
        match self.client.batch_execute_statement().set_statements(Some(statements)).send().await {
            Err(error) => fail_all(Disposition::Retry, &why(&error, TABLE)),
            Ok(answer) => {
                let responses = answer.responses.unwrap_or_default();
                if responses.len() != writes.len() {
                    return fail_all(
                        Disposition::Retry,
                        "the number of responses differs from the number of statements",
                    );
                }
                responses.iter().map(outcome).collect()
            }
        }
    }
}

impl Resources for ResourceTable {
    async fn read(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, PortError> {
        let keys: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut heads = Vec::with_capacity(keys.len());
        for item in reads::batch(&self.client, &self.table, &keys, "read resources from the table").await? {
            let head = item::decode(&item)
                .map_err(|error| PortError::new("read a resource from the table", Disposition::DeadLetter, error))?;
            heads.push(head);
        }
        let read = pages::with_pages(&self.client, &self.table, heads).await?;
        let mut found: HashMap<ResourceId, Resource> =
            read.into_iter().map(|resource| (resource.id().clone(), resource)).collect();
        let known = |id: &ResourceId| found.remove(id).unwrap_or_else(|| Resource::unknown(id.clone()));
        Ok(ids.iter().map(known).collect())
    }

    async fn write(&self, writes: Vec<Write>, now: Timestamp) -> Vec<WriteOutcome> {
        let (mut several, mut plain, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
        for (at, write) in writes.into_iter().enumerate() {
            match Together::of(write).map(Together::into_alone) {
                Ok(Ok(resource)) => plain.push((at, resource)),
                Ok(Err(together)) => several.push((at, together)),
                Err(error) => {
                    let error = PortError::new("write a resource to the table", Disposition::DeadLetter, error);
                    outcomes.push((at, WriteOutcome::Failed(error)));
                }
            }
        }
        let (several, plain) = tokio::join!(self.write_together(several, now), self.write_plain(plain, now));
        outcomes.extend(several.into_iter().chain(plain));
        outcomes.sort_by_key(|(at, _)| *at);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }
}

impl FactPages for ResourceTable {
    async fn paged_facts(&self, id: &ResourceId, pages: u32) -> Result<Vec<Fact>, PortError> {
        pages::facts(&self.client, &self.table, id, pages).await
    }
}

impl Claims for ResourceTable {
    async fn claims(&self, keys: &[ClaimKey]) -> Result<Vec<Claim>, PortError> {
        reads::claims(&self.client, &self.table, keys).await
    }

    async fn similar(&self, keys: &[SimilarKey]) -> Result<Vec<SimilarDeposits>, PortError> {
        reads::similar(&self.client, &self.table, keys).await
    }
}

/// The outcome of one statement of a batch.
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
            WriteOutcome::Lost(error.item().and_then(item::decode_whole))
        }
        // A transaction is writing the resource at this moment.
        Some(BatchStatementErrorCodeEnum::TransactionConflict) => WriteOutcome::Lost(None),
        Some(
            BatchStatementErrorCodeEnum::AccessDenied
            | BatchStatementErrorCodeEnum::ItemCollectionSizeLimitExceeded
            | BatchStatementErrorCodeEnum::ResourceNotFound
            | BatchStatementErrorCodeEnum::ValidationError,
        ) => failed(Disposition::DeadLetter),
        // Throttling, internal errors, and unknown codes.
        _ => failed(Disposition::Retry),
    }
}
