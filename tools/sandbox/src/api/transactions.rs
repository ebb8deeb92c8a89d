//! `GET /transactions`: an organization's transactions, newest first, in pages.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use super::bearer::organization;
use super::faults::respond;
use super::reply::ApiReply;
use crate::connect::{PAGE_SIZE_MAX, TransactionsQuery};
use crate::faults::{ApiPath, Fault};
use crate::state::Shared;

pub(super) async fn handle(State(shared): State<Shared>, headers: HeaderMap, uri: Uri) -> Response {
    let fault = shared.connect().faults.next(ApiPath::Transactions);
    let page = || page(&shared, &headers, &uri, fault.as_ref());
    respond(fault.clone(), || page().unwrap_or_else(|refusal| refusal)).await
}

fn page(shared: &Shared, headers: &HeaderMap, uri: &Uri, fault: Option<&Fault>) -> Result<ApiReply, ApiReply> {
    let now = fundhook_runtime::now();
    let mut connect = shared.connect();
    let organization = organization(&connect.tokens, headers, now)?;
    let query = query(uri)?;
    if let Some(Fault::Shift { rows }) = fault {
        connect.transactions.shift(&organization.tenant, &query, *rows, now);
    }
    connect.counts.transaction_pages += 1;
    Ok(ApiReply::ok(&connect.transactions.page(&organization.tenant, &query)))
}

fn query(uri: &Uri) -> Result<TransactionsQuery, ApiReply> {
    let Query(query) =
        Query::<TransactionsQuery>::try_from_uri(uri).map_err(|error| ApiReply::bad_request(&error.body_text()))?;
    if query.is_valid() {
        Ok(query)
    } else {
        Err(ApiReply::bad_request(&format!("pages count from 1 and have 1 to {PAGE_SIZE_MAX} rows")))
    }
}
