//! The lists of what zerohash's webhooks were about.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query as UriQuery, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use serde_json::json;

use super::super::reply::ApiReply;
use super::answer::{Asked, answer, bad_request, not_found};
use crate::faults::{ApiPath, Fault};
use crate::state::Shared;
use crate::zerohash::{List, Oddity, Query};

macro_rules! lists {
    ($($handler:ident: $path:ident of $list:ident;)*) => {$(
        pub(super) async fn $handler(
            State(shared): State<Shared>,
            method: Method,
            uri: Uri,
            headers: HeaderMap,
            body: Bytes,
        ) -> Response {
            page(&shared, ApiPath::$path, List::$list, Asked { method, uri, headers, body }, None).await
        }
    )*};
}

lists! {
    fund_transactions: FundTransactions of FundTransactions;
    deposits: Deposits of Deposits;
    crypto_deposits: CryptoDeposits of CryptoDeposits;
    payments: Payments of Payments;
    payment_statuses: PaymentStatuses of PaymentStatuses;
    payment_histories: PaymentHistories of PaymentHistories;
    movements: Movements of Movements;
    participants: Participants of Participants;
    external_accounts: ExternalAccounts of ExternalAccounts;
    accounts: Accounts of Accounts;
}

pub(super) async fn account_movements(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked { method, uri, headers, body };
    page(&shared, ApiPath::AccountMovements, List::Movements, asked, Some(("account_id".to_owned(), id))).await
}

pub(super) async fn payment(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    one(&shared, ApiPath::Payment, List::Payments, Asked { method, uri, headers, body }, &id).await
}

pub(super) async fn crypto_deposit(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    one(&shared, ApiPath::CryptoDeposit, List::CryptoDeposits, Asked { method, uri, headers, body }, &id).await
}

/// One row by its id.
async fn one(shared: &Shared, path: ApiPath, list: List, asked: Asked, id: &str) -> Response {
    answer(shared, path, &asked, |zerohash, signed| {
        let found = zerohash.lists(signed.tenant.as_ref()).one(list, id);
        found.map(|row| ApiReply::ok(&json!({ "message": row }))).ok_or_else(|| not_found("record"))
    })
    .await
}

/// A page of a list, with a further filter from the path.
async fn page(
    shared: &Shared,
    path: ApiPath,
    list: List,
    asked: Asked,
    from_path: Option<(String, String)>,
) -> Response {
    answer(shared, path, &asked, |zerohash, signed| {
        let pairs = UriQuery::<Vec<(String, String)>>::try_from_uri(&asked.uri);
        let UriQuery(pairs) = pairs.map_err(|error| bad_request(&[error.body_text()]))?;
        let query = Query::of(list, pairs.into_iter().chain(from_path).collect());
        let query = query.map_err(|problem| bad_request(&[problem]))?;
        let lists = zerohash.lists(signed.tenant.as_ref());
        let mut oddity = Oddity::default();
        match &signed.fault {
            Some(Fault::Shift { rows }) => lists.shift(&query, *rows, signed.now),
            Some(Fault::Backdated { seconds }) => {
                lists.backdate(&query, Duration::from_secs(*seconds), signed.now);
            }
            Some(Fault::Late { seconds }) => oddity.late = Duration::from_secs(*seconds),
            Some(Fault::WrongPage) => oddity.is_another_page = true,
            // These replace or change the whole answer.
            None
            | Some(
                Fault::Status { .. }
                | Fault::HalfBody
                | Fault::TruncatedJson
                | Fault::Html
                | Fault::Slow { .. }
                | Fault::EmptyKeySet
                | Fault::PrivateKey
                | Fault::RefuseAddress,
            ) => {}
        }
        Ok(ApiReply::ok(&lists.page(&query, oddity, signed.now)))
    })
    .await
}
