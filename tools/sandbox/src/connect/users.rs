//! The users that each organization submitted.

use std::collections::BTreeMap;

use fundhook_domain::{Tenant, Timestamp};
use serde_json::{Map, Value, json};

use super::rows::unix_ms;

#[derive(Default)]
pub(crate) struct Users(BTreeMap<Option<Tenant>, Vec<Value>>);

impl Users {
    /// Adds a user to an organization and returns the user's code.
    pub(crate) fn enrol(
        &mut self,
        tenant: Option<Tenant>,
        mut submitted: Map<String, Value>,
        now: Timestamp,
    ) -> String {
        let users = self.0.entry(tenant).or_default();
        let code = format!("USER{:02}", users.len() + 1);
        submitted.insert("participant_code".to_owned(), json!(code));
        submitted.insert("status".to_owned(), json!("submitted"));
        submitted.insert("updated_at".to_owned(), json!(unix_ms(now).to_string()));
        users.push(Value::Object(submitted));
        code
    }

    pub(crate) fn of(&self, tenant: &Option<Tenant>) -> &[Value] {
        self.0.get(tenant).map_or(&[], Vec::as_slice)
    }
}
