//! Wires the refresher to AWS and the providers' APIs.

use std::process::ExitCode;

use fundhook_adapters::{
    Aws, ConnectApi, ConnectApiConfig, JwksClient, KeySetTable, TokenStore, TokenStoreNames, ZerohashAccess,
    ZerohashApiConfig,
};
use fundhook_credentials::TokenKeeper;
use fundhook_ports::chain;
use fundhook_runtime::metrics::Metrics;
use fundhook_runtime::settings::{self, Environment};
use fundhook_runtime::{now, run, variable};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use refresher::{ApiCheck, CheckedApi, Refresher, Tokens};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run(serve()).await
}

async fn serve() -> Result<(), Error> {
    let environment = Environment::new(&variable);
    let aws = Aws::from_environment(variable)?;
    let table_name = environment.required("FUNDHOOK_TABLE")?;
    let table = KeySetTable::new(&aws, table_name.clone());
    let jwks_urls = settings::connect_jwks_urls(&environment)?;
    let feeds = jwks_urls.keys().cloned().collect();
    let last_good_max = settings::keys(&environment)?.last_good_max;
    let tokens = Tokens::of(tokens(&environment, &aws, table_name));
    let metrics = Metrics::from_environment(&environment)?;
    let zerohash = ApiCheck::new(CheckedApi::of(zerohash(&environment, &aws)), metrics.clone());
    let refresher = Refresher::new(table, JwksClient::new(jwks_urls), feeds, last_good_max, tokens, metrics);
    let handle = async |_: LambdaEvent<serde_json::Value>| {
        // Renewing comes first, and the check follows even if it failed. Each failure has been logged; the error makes the
        // invocation fail.
        let refreshed = refresher.handle(now).await.map_err(|error| Error::from(chain(&error)));
        let checked = zerohash.check(now).await.map_err(|error| Error::from(chain(&error)));
        refreshed.and(checked)
    };
    lambda_runtime::run(service_fn(handle)).await
}

/// The keeper of the access tokens for Connect's API, if it is used.
fn tokens(
    environment: &Environment<'_>,
    aws: &Aws,
    table: String,
) -> Result<Option<TokenKeeper<TokenStore, ConnectApi>>, Error> {
    let Some(api) = settings::connect_api(environment)? else {
        return Ok(None);
    };
    let store = TokenStore::new(aws, TokenStoreNames { secret_id: api.token_secret_id, table });
    let config = ConnectApiConfig {
        base_url: api.base_url,
        path_prefix: api.path_prefix,
        options: api.options,
        credentials_secret_id: api.credentials_secret_id,
    };
    Ok(Some(TokenKeeper::new(store, ConnectApi::new(aws, config)?, api.feeds)))
}

/// zerohash's API, if it is used.
fn zerohash(environment: &Environment<'_>, aws: &Aws) -> Result<Option<ZerohashAccess>, Error> {
    let Some(api) = settings::zerohash_api(environment)? else {
        return Ok(None);
    };
    let config = ZerohashApiConfig {
        base_url: api.base_url,
        options: api.options,
        credentials_secret_id: api.credentials_secret_id,
        clock: now,
    };
    Ok(Some(ZerohashAccess::new(aws, config)?))
}
