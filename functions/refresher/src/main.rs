//! Wiring of the refresher.

use fundhook_adapters::{Aws, JwksClient, KeySetTable};
use fundhook_domain::Provider;
use fundhook_domain::port::chain;
use fundhook_runtime::settings::{self, Environment};
use fundhook_runtime::{now, telemetry, variable};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use refresher::Refresher;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let environment = Environment::new(&variable);
    let aws = Aws::from_environment(variable)?;
    let table = KeySetTable::new(&aws, environment.required("FUNDHOOK_TABLE")?);
    let jwks_url = settings::connect_jwks_url(&environment)?;
    let providers = jwks_url.iter().map(|_| Provider::Connect).collect();
    let refresher = Refresher::new(table, JwksClient::new(jwks_url.unwrap_or_default()), providers);
    let handle = async |_: LambdaEvent<serde_json::Value>| {
        let refreshed = refresher.handle(now()).await;
        refreshed.inspect_err(|error| tracing::error!(error = chain(error), "not refreshed")).map_err(Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await
}
