//! What the providers send: how it is verified and what it says, one file per subject.

mod any_json;
mod connect_verification;
mod envelopes;
mod facts;
mod key_sets;
mod listed_transactions;
mod samples;
mod secrets;
mod striga_verification;
mod support;
mod tokens;
mod what_connect_says;
mod what_is_carried;
mod what_striga_says;
mod what_zerohash_says;
mod zerohash_legacy_signatures;
mod zerohash_payload_types;
mod zerohash_recoveries_and_accounts;
mod zerohash_rsa_signatures;
mod zerohash_verification;
