//! The operator's commands, one file per subject.

mod backfill;
mod dead_letters;
#[cfg(feature = "local")]
mod diagnosis;
#[cfg(feature = "local")]
mod diagnosis_of_rsa_signatures;
#[cfg(feature = "local")]
mod diagnosis_of_shared_secrets;
mod one_coin;
mod preview;
#[cfg(feature = "local")]
mod reconcile;
mod replay;
mod replay_in_order;
mod reports;
mod republish;
mod stuck;
