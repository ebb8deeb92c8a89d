//! What is recorded compared with what a provider lists, one file per subject.

mod ambiguity_steps;
mod ambiguous_rows;
mod api_evidence;
mod control_totals;
mod deposits;
mod histories;
mod movements;
mod reconciliation_plan;
mod report_builder;
#[allow(dead_code, reason = "a part of it is used here")]
#[path = "../../../domain/tests/it/support/mod.rs"]
mod support;
mod webhook_silence;
