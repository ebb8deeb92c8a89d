//! A client of the zerohash platform's API, for a platform's backend: tokens for the SDK, quotes, and the lists that recover
//! lost webhooks.
//!
//! - What the provider's documents leave open (what is signed for an absent body, units of filters, page sizes) is one of the
//!   [`Settings`], with a documented default.
//! - Rows are kept byte for byte, and [`Page::next`] says what comes after a page, whichever way the list counts.
//! - A failed call is repeated, with pauses, unless the provider may already have acted on it.
//! - Every cause of a failure is a variant of [`ApiError`], and no error repeats a secret or a user's data.
//!
//! The provider accepts requests from listed static addresses only; [`ZerohashClient::refusal`] tells such a refusal apart.
//!
//! Citations such as `[zerohash-openapi]` name the documents listed in `docs/providers/sources.md`.
//!
//! ```no_run
//! use fundhook_zerohash_api::{
//!     ApiSecret, ClientAuthTokenRequest, Credentials, FundTransactionsQuery, SecretEncoding, Settings, US_CERT_URL,
//!     ZerohashClient,
//! };
//!
//! # async fn fund(secret: secrecy::SecretString) -> Result<(), Box<dyn std::error::Error>> {
//! let client = ZerohashClient::new(Settings::new(US_CERT_URL))?;
//! let credentials = Credentials {
//!     api_key: "…".to_owned().into(),
//!     passphrase: "…".to_owned().into(),
//!     secret: ApiSecret::parse(&secret, SecretEncoding::Base64)?,
//! };
//!
//! let request = ClientAuthTokenRequest::funding("CUST01").with_reference_id("order-31");
//! let now = std::time::SystemTime::now().into();
//! let token = client.client_auth_token(&credentials, &request, now).await?;
//!
//! let mut query = FundTransactionsQuery { deposit_intent_id: token.deposit_intent_id, ..Default::default() };
//! loop {
//!     let page = client.fund_transactions(&credentials, &query, std::time::SystemTime::now().into()).await?;
//!     for transaction in page.typed() {
//!         println!("{} arrived", transaction?.fund_id);
//!     }
//!     query.position = page.next;
//!     if query.position.is_none() {
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

mod auth_token;
mod client;
mod credentials;
mod endpoints;
mod fund_rfq;
mod lists;
mod page;
mod refusal;
mod server_time;
mod settings;
mod signing;

pub use auth_token::{
    ClientAuthToken, ClientAuthTokenRequest, DepositDetails, Permission, PermissionError, WithdrawalDetails,
};
pub use client::ZerohashClient;
pub use credentials::{ApiSecret, ApiSecretError, Credentials, SecretEncoding};
pub use endpoints::InvalidSettings;
pub use fund_rfq::{FundRfq, FundRfqRequest};
pub use fundhook_http_api::{ApiError, Call, ProviderMessage, Retries, Timeouts};
pub use lists::{
    Account, AccountMovement, AccountMovementsQuery, AccountsQuery, CryptoDeposit, CryptoDepositsQuery, Deposit,
    DepositsQuery, ExternalAccount, ExternalAccountsQuery, FundTransaction, FundTransactionsQuery, Movement,
    MovementsQuery, OboParticipant, Participant, ParticipantsQuery, Payment, PaymentDetails, PaymentHistoriesQuery,
    PaymentHistory, PaymentStatusRow, PaymentStatusesQuery, PaymentStep, PaymentsQuery, StateChange,
};
pub use page::{Page, Position, TimeWindow};
pub use refusal::Refusal;
pub use server_time::{CLOCK_TOLERANCE, ClockSkew, ServerTime};
pub use settings::{
    AbsentBody, Brackets, EU_CERT_URL, EU_PRODUCTION_URL, FilterTime, FilterUnit, HeaderNames, ListForm, PageSizes,
    Paths, RATE_LIMIT_PAUSE, Settings, US_CERT_URL, US_PRODUCTION_URL,
};
