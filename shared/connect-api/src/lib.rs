//! A client of zerohash Connect's API: access tokens, sessions, users and transactions.
//!
//! - What the provider's documents leave open (paths, header names, the signed string) is one of the [`Settings`], with a
//!   documented default.
//! - A failed call is repeated, with pauses, unless the provider may already have acted on it.
//! - Every cause of a failure is a variant of [`ApiError`], and no error repeats a secret or a user's data.
//!
//! Citations such as `[connect-guide §7]` name the documents listed in `docs/providers/sources.md`.
//!
//! ```no_run
//! use fundhook_connect_api::{ConnectClient, Credentials, SANDBOX_URL, SessionRequest, Settings, SigningKey};
//!
//! # async fn open(credentials: Credentials, pem: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let client = ConnectClient::new(Settings::new(SANDBOX_URL))?;
//! let key = SigningKey::from_pem(pem)?;
//!
//! // A token is valid for many calls: keep it, and request the next one shortly before `expires_in` has passed.
//! let granted = client.request_token(&credentials).await?;
//! let caller = credentials.caller(&granted);
//!
//! let request = SessionRequest::deposits("USER01");
//! let now = std::time::SystemTime::now().into();
//! let session = client.open_session(&caller, &key, &request, now).await?;
//! println!("the session is valid for {} s", session.expires_in.as_secs());
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

mod client;
mod endpoints;
mod sessions;
mod settings;
mod signing;
mod token;
mod transactions;
mod users;

pub use client::ConnectClient;
pub use endpoints::InvalidSettings;
pub use fundhook_http_api::{ApiError, Call, ProviderMessage, Retries, Timeouts};
pub use sessions::{Scope, ScopeError, SessionRequest, SessionToken};
pub use settings::{HeaderNames, PRODUCTION_URL, ParameterNames, Paths, SANDBOX_URL, Settings, SignedPart};
pub use signing::{SigningKey, SigningKeyError};
pub use token::{AccessToken, Caller, Credentials};
pub use transactions::{Transaction, TransactionSource, TransactionsPage, TransactionsQuery};
pub use users::{CreatedUser, NewUser, SignedAgreement, User, Users, UsersQuery};
