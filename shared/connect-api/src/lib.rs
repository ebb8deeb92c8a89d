//! A client of zerohash Connect's API: access tokens, sessions, users and transactions.
//!
//! What the provider's documents leave open (paths, header names, the string that is signed) is a [`Settings`] with a
//! stated default. What may be repeated is, with pauses; what may have had an effect is not. Every way to fail is a
//! variant of [`ApiError`], and none repeats a secret.
//!
//! ```no_run
//! use fundhook_connect_api::{ConnectClient, Credentials, SANDBOX_URL, SessionRequest, Settings, SigningKey};
//!
//! # async fn open(credentials: Credentials, pem: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let client = ConnectClient::new(Settings::new(SANDBOX_URL))?;
//! let key = SigningKey::from_pem(pem)?;
//!
//! // A token is good for many calls: keep it, and request the next when `expires_in` has nearly passed.
//! let granted = client.request_token(&credentials).await?;
//! let caller = credentials.caller(&granted);
//!
//! let request = SessionRequest::deposits("USER01");
//! let now = std::time::SystemTime::now().into();
//! let session = client.open_session(&caller, &key, &request, now).await?;
//! println!("the SDK can be shown for {} s", session.expires_in.as_secs());
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

mod answer;
mod client;
mod endpoints;
mod error;
mod exact;
mod exchange;
mod retries;
mod sessions;
mod settings;
mod signing;
mod token;
mod transactions;
mod users;
mod words;

pub use answer::retry_after;
pub use client::ConnectClient;
pub use endpoints::InvalidSettings;
pub use error::{ApiError, Call};
pub use sessions::{Scope, ScopeError, SessionRequest, SessionToken};
pub use settings::{
    HeaderNames, PRODUCTION_URL, ParameterNames, Paths, Retries, SANDBOX_URL, Settings, SignedPart, Timeouts,
};
pub use signing::{SigningKey, SigningKeyError};
pub use token::{Caller, Credentials, GrantedToken};
pub use transactions::{Transaction, TransactionSource, TransactionsPage, TransactionsQuery};
pub use users::{CreatedUser, NewUser, SignedAgreement, User, Users, UsersQuery};
pub use words::ProviderWords;
