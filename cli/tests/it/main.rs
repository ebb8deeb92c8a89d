//! The operator's commands, one file per subject.

mod diagnosis;
mod diagnosis_of_rsa_signatures;
mod diagnosis_of_shared_secrets;
mod reconcile;
mod reports;
