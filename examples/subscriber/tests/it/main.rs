//! The subscriber with its ledger in memory, and the ledger on DynamoDB.

mod batches;
mod cancellations;
mod ledger;
mod support;
