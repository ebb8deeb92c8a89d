//! Faults that a test configures the API to produce.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

/// A path of the API whose answers can be made faulty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiPath {
    /// `POST /oauth/token`.
    Token,
    /// `GET /v1/jwks`.
    Jwks,
    /// `GET /transactions`, of Connect.
    Transactions,
    /// `GET /time`, of zerohash, as all below.
    Time,
    /// `POST /client_auth_token`.
    ClientAuthToken,
    /// `POST /revoke_auth_token`.
    RevokeAuthToken,
    /// `POST /fund/rfq`.
    FundRfq,
    /// `GET /fund/transactions`.
    FundTransactions,
    /// `GET /deposits`.
    Deposits,
    /// `GET /deposits/crypto`.
    CryptoDeposits,
    /// `GET /deposits/crypto/{id}`.
    CryptoDeposit,
    /// `GET /payments`.
    Payments,
    /// `GET /payments/{id}`.
    Payment,
    /// `GET /payments/status`.
    PaymentStatuses,
    /// `GET /payments/history`.
    PaymentHistories,
    /// `GET /movements`.
    Movements,
    /// `GET /accounts/{id}/movements`.
    AccountMovements,
    /// `GET /participants`.
    Participants,
    /// `GET /payments/external_accounts`.
    ExternalAccounts,
    /// `GET /accounts`.
    Accounts,
}

impl ApiPath {
    /// Whether it is a path of zerohash's API; the others are Connect's.
    pub(crate) fn is_of_zerohash(self) -> bool {
        match self {
            Self::Token | Self::Jwks | Self::Transactions => false,
            Self::Time
            | Self::ClientAuthToken
            | Self::RevokeAuthToken
            | Self::FundRfq
            | Self::FundTransactions
            | Self::Deposits
            | Self::CryptoDeposits
            | Self::CryptoDeposit
            | Self::Payments
            | Self::Payment
            | Self::PaymentStatuses
            | Self::PaymentHistories
            | Self::Movements
            | Self::AccountMovements
            | Self::Participants
            | Self::ExternalAccounts
            | Self::Accounts => true,
        }
    }

    /// Whether it is a list of what zerohash's webhooks were about.
    fn is_list_of_zerohash(self) -> bool {
        match self {
            Self::FundTransactions
            | Self::Deposits
            | Self::CryptoDeposits
            | Self::Payments
            | Self::PaymentStatuses
            | Self::PaymentHistories
            | Self::Movements
            | Self::AccountMovements
            | Self::Participants
            | Self::ExternalAccounts
            | Self::Accounts => true,
            Self::Token
            | Self::Jwks
            | Self::Transactions
            | Self::Time
            | Self::ClientAuthToken
            | Self::RevokeAuthToken
            | Self::FundRfq
            | Self::CryptoDeposit
            | Self::Payment => false,
        }
    }

    /// Whether rows without a webhook can be entered into the list.
    fn takes_newcomers(self) -> bool {
        self == Self::Transactions || self.is_list_of_zerohash() && self != Self::AccountMovements
    }
}

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// An error instead of the answer.
    Status {
        /// The HTTP status, 200 to 599.
        status: u16,
        /// The header `Retry-After`, in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// The connection closes in the middle of the body, before its `Content-Length`.
    HalfBody,
    /// The first half of the JSON, sent as a complete body.
    TruncatedJson,
    /// A web page with status 200.
    Html,
    /// The correct answer, delayed.
    Slow { ms: u64 },
    /// An empty key set; only for [`ApiPath::Jwks`].
    EmptyKeySet,
    /// A key set with a private key; only for [`ApiPath::Jwks`].
    PrivateKey,
    /// New rows arrive before the page is answered, so that the page's rows move to later pages; only for lists.
    Shift { rows: u32 },
    /// A row arrives before the page is answered, and is dated this many seconds before now; only for zerohash's lists.
    Backdated { seconds: u64 },
    /// The page has no row whose newest webhook was signed less than this many seconds ago; only for zerohash's lists.
    Late { seconds: u64 },
    /// The page after the requested one; only for zerohash's lists with page numbers.
    WrongPage,
    /// Status 403 with the web page of a proxy that does not know the client's address; only for zerohash.
    RefuseAddress,
}

impl Fault {
    /// Whether `path` can have this fault; if not, why.
    pub(crate) fn fits(&self, path: ApiPath) -> Result<(), &'static str> {
        let (fits, why) = match self {
            Self::Status { status, .. } => ((200..600).contains(status), "the status must be from 200 to 599"),
            Self::HalfBody | Self::TruncatedJson | Self::Html | Self::Slow { .. } => (true, ""),
            Self::EmptyKeySet | Self::PrivateKey => (path == ApiPath::Jwks, "only the path `jwks` has a key set"),
            Self::Shift { .. } => (path.takes_newcomers(), "only lists have pages that can shift"),
            Self::Backdated { .. } => {
                (path.takes_newcomers() && path.is_of_zerohash(), "only zerohash's lists have backdated rows")
            }
            Self::Late { .. } => (path.is_list_of_zerohash(), "only zerohash's lists have late rows"),
            Self::WrongPage => (
                path.is_list_of_zerohash() && path != ApiPath::CryptoDeposits,
                "only zerohash's lists with page numbers have a wrong page",
            ),
            Self::RefuseAddress => (path.is_of_zerohash(), "only zerohash refuses addresses"),
        };
        if fits { Ok(()) } else { Err(why) }
    }
}

/// A request to make the next answers of a path faulty.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FaultRequest {
    pub path: ApiPath,
    pub fault: Fault,
    /// How many answers; 0 removes the path's faults.
    pub times: u32,
}

/// The requested faults of each path, in order.
#[derive(Default)]
pub(crate) struct Faults(BTreeMap<ApiPath, VecDeque<(Fault, u32)>>);

impl Faults {
    /// Adds a fault after those that the path still has.
    pub(crate) fn expect(&mut self, FaultRequest { path, fault, times }: FaultRequest) {
        let waiting = self.0.entry(path).or_default();
        if times == 0 {
            waiting.clear();
        } else {
            waiting.push_back((fault, times));
        }
    }

    /// The fault of the next answer of `path`.
    pub(crate) fn next(&mut self, path: ApiPath) -> Option<Fault> {
        let waiting = self.0.get_mut(&path)?;
        let (fault, times) = waiting.front_mut()?;
        *times -= 1;
        if *times == 0 { waiting.pop_front().map(|(fault, _)| fault) } else { Some(fault.clone()) }
    }
}
