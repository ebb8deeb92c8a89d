//! `/users`: whom an organization has submitted, for as long as the sandbox runs.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use fundhook_domain::{Tenant, Timestamp};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::rows::unix_ms;
use crate::state::Shared;

/// The users of each organization.
#[derive(Default)]
pub(super) struct Users(BTreeMap<Option<Tenant>, Vec<Value>>);

impl Users {
    /// Adds a user to those of an organization; its code.
    fn enrol(&mut self, tenant: Option<Tenant>, mut submitted: Map<String, Value>, now: Timestamp) -> String {
        let users = self.0.entry(tenant).or_default();
        let code = format!("USER{:02}", users.len() + 1);
        submitted.insert("participant_code".to_owned(), json!(code));
        submitted.insert("status".to_owned(), json!("submitted"));
        submitted.insert("updated_at".to_owned(), json!(unix_ms(now).to_string()));
        users.push(Value::Object(submitted));
        code
    }
}

pub(super) async fn enrol(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Result<Answer, Answer> {
    let now = fundhook_runtime::now();
    let mut api = shared.api();
    let organization = api.organization(&headers, now)?;
    let submitted = serde_json::from_slice(&body).map_err(|error| Answer::bad_request(&error.to_string()))?;
    let code = api.users.enrol(organization.tenant, submitted, now);
    Ok(Answer::ok(&json!({ "participant_code": code })))
}

pub(super) async fn list(State(shared): State<Shared>, headers: HeaderMap) -> Result<Answer, Answer> {
    let api = shared.api();
    let organization = api.organization(&headers, fundhook_runtime::now())?;
    let users = api.users.0.get(&organization.tenant).map_or(&[][..], Vec::as_slice);
    Ok(Answer::ok(&json!({ "message": users })))
}
