//! The commands, the sandbox provider and the samples, one file per subject.

mod boundaries;
mod diagnosis;
mod diagnosis_of_shared_secrets;
mod reconcile;
mod reports;
mod sample_lambda_events;
mod sandbox_api;
mod schemas;
