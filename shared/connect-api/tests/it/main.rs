//! The client, one file per call, against a provider on the loopback interface.

mod odd_answers;
mod sessions;
mod settings;
mod support;
mod tokens;
mod transactions;
mod users;
