//! The providers' APIs. Connect's own, by subject [connect-guide §2, §3, §4, §7], and zerohash's.

mod bearer;
mod faults;
mod key_set;
mod reply;
mod sessions;
mod tokens;
mod transactions;
mod users;
mod zerohash;

use axum::Router;
use axum::routing::{get, post};

use crate::connect::JWKS_PATH;
use crate::state::Shared;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(JWKS_PATH, get(key_set::handle))
        .route("/oauth/token", post(tokens::handle))
        .route("/transactions", get(transactions::handle))
        .route("/sessions", post(sessions::flat))
        .route("/v1/sessions", post(sessions::nested))
        .route("/users", get(users::list).post(users::enrol))
        .merge(zerohash::routes())
}
