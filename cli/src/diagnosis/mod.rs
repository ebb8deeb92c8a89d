//! Diagnoses offline why a webhook's signature does not verify.

mod bodies;
mod connect;
mod rsa;
mod shared_secret;

pub use connect::{Cause, Diagnosis, diagnose};
pub use shared_secret::{SecretCause, SecretDiagnosis, diagnose_striga, diagnose_zerohash};
