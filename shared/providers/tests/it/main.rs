//! How the providers' webhooks are verified and normalised, one file per subject.

mod any_json;
mod carried_sizes;
mod connect_normalisation;
mod connect_verification;
mod envelopes;
mod facts;
mod key_sets;
mod listed_transactions;
mod samples;
mod secrets;
mod striga_normalisation;
mod striga_verification;
mod support;
mod tokens;
mod zerohash_legacy_signatures;
mod zerohash_normalisation;
mod zerohash_payload_types;
mod zerohash_recoveries_and_accounts;
mod zerohash_rsa_signatures;
mod zerohash_verification;
