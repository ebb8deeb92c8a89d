//! The HTTP client for loopback.

use reqwest::{Client, redirect::Policy};

/// A client for plain HTTP on loopback. It ignores proxy settings, loads no certificates and follows no redirects.
#[must_use]
pub fn loopback_client() -> Client {
    // Building fails only on TLS settings, and there are none.
    Client::builder().no_proxy().tls_certs_only([]).redirect(Policy::none()).build().unwrap_or_default()
}
