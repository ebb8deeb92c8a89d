//! zerohash's API, by subject [zerohash-openapi].

mod answer;
mod lists;
mod writes;

use axum::Router;
use axum::routing::{get, post};

use crate::state::Shared;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/time", get(writes::time))
        .route("/client_auth_token", post(writes::client_auth_token))
        .route("/revoke_auth_token", post(writes::revoke_auth_token))
        .route("/fund/rfq", post(writes::fund_rfq))
        .route("/fund/transactions", get(lists::fund_transactions))
        .route("/deposits", get(lists::deposits))
        .route("/deposits/crypto", get(lists::crypto_deposits))
        .route("/deposits/crypto/{id}", get(lists::crypto_deposit))
        .route("/payments", get(lists::payments))
        .route("/payments/status", get(lists::payment_statuses))
        .route("/payments/history", get(lists::payment_histories))
        .route("/payments/external_accounts", get(lists::external_accounts))
        .route("/payments/{id}", get(lists::payment))
        .route("/movements", get(lists::movements))
        .route("/accounts", get(lists::accounts))
        .route("/accounts/{id}/movements", get(lists::account_movements))
        .route("/participants", get(lists::participants))
}
