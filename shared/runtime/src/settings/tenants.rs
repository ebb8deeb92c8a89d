//! The organizations of this deployment.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Feed, Provider, Tenant};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::environment::{Environment, SettingError, invalid};

/// The organizations besides the default one (`FUNDHOOK_TENANTS`, a JSON object).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenants {
    pub(super) connect: BTreeMap<Tenant, ConnectTenant>,
    zerohash: BTreeSet<Tenant>,
    striga: BTreeSet<Tenant>,
}

/// How a tenant of Connect differs from the default organization.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectTenant {
    pub(super) webhook_urls: Vec<String>,
    pub(super) jwks_url: Option<String>,
    pub(super) organization_id: Option<String>,
}

impl Tenants {
    /// Reads `FUNDHOOK_TENANTS`. There are no tenants when it is not set.
    pub fn from_environment(environment: &Environment<'_>) -> Result<Self, SettingError> {
        const NAME: &str = "FUNDHOOK_TENANTS";
        let Some(text) = environment.optional(NAME) else {
            return Ok(Self::default());
        };
        // Parse an object first: serde also deserializes a struct from an array.
        let members = serde_json::from_str::<Map<String, Value>>(&text);
        members.and_then(|members| serde_json::from_value(Value::Object(members))).map_err(|error| {
            let example =
                r#"{"connect":{"acme":{"webhook_urls":["https://…"]}},"zerohash":["acme"],"striga":["acme"]}"#;
            invalid(NAME, &text, format!("a JSON object such as {example} ({error})"))
        })
    }

    /// The provider's feeds: that of the default organization, and one for each tenant.
    pub fn feeds(&self, provider: Provider) -> Vec<Feed> {
        let tenants: Vec<&Tenant> = match provider {
            Provider::Connect => self.connect.keys().collect(),
            Provider::Zerohash => self.zerohash.iter().collect(),
            Provider::Striga => self.striga.iter().collect(),
        };
        let tenants = tenants.into_iter().map(|tenant| Feed::new(provider, Some(tenant.clone())));
        [Feed::from(provider)].into_iter().chain(tenants).collect()
    }
}
