//! The HTTP client for what runs on this machine.

use reqwest::{Client, redirect::Policy};

/// A client for plain HTTP on loopback: no proxy, whatever the environment says, no certificates, and redirects are
/// answers.
#[must_use]
pub fn loopback_client() -> Client {
    // Only TLS settings can make building fail, and there are none.
    Client::builder().no_proxy().tls_certs_only([]).redirect(Policy::none()).build().unwrap_or_default()
}
