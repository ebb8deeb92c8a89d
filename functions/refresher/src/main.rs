//! Wiring of the refresher.

use fundhook_adapters::{Aws, JwksClient, KeySetTable};
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
    let jwks_urls = settings::connect_jwks_urls(&environment)?;
    let feeds = jwks_urls.keys().cloned().collect();
    let refresher = Refresher::new(table, JwksClient::new(jwks_urls), feeds);
    let handle = async |_: LambdaEvent<serde_json::Value>| {
        let refreshed = refresher.handle(now()).await;
        refreshed.inspect_err(|error| tracing::error!(error = chain(error), "not refreshed")).map_err(Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await
}
