//! The client, one file per subject, against a provider on the loopback interface.

mod lists;
mod refusals;
mod retries;
mod settings;
mod signing;
mod support;
mod tokens;
