//! Wiring of the reconciler.

use fundhook_adapters::{
    Aws, ConnectApi, ConnectApiConfig, Queue, ReconciliationTable, ResourceTable, TokenStore, TokenStoreNames,
};
use fundhook_credentials::TokenKeeper;
use fundhook_domain::Timestamp;
use fundhook_ports::chain;
use fundhook_runtime::settings::{self, ConnectApiSettings, Environment, ReconcileSettings};
use fundhook_runtime::{now, telemetry, variable};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use reconciler::{ListReader, Ports, Reconciler, Request};
use serde_json::Value;

/// AWS, and Connect's API.
struct Deployed;

impl Ports for Deployed {
    type Tokens = TokenStore;
    type Api = ConnectApi;
    type Resources = ResourceTable;
    type ReconciliationStore = ReconciliationTable;
    type Queue = Queue;
    type Clock = fn() -> Timestamp;
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let environment = Environment::new(&variable);
    let aws = Aws::from_environment(variable)?;
    let table = environment.required("FUNDHOOK_TABLE")?;
    let provider = match settings::connect_api(&environment)? {
        Some(api) => Some(provider(&aws, table.clone(), api)?),
        None => None,
    };
    let ingress = Queue::new(&aws, environment.required("FUNDHOOK_INGRESS_QUEUE_URL")?);
    let transfers = Queue::new(&aws, environment.required("FUNDHOOK_TRANSFERS_QUEUE_URL")?);
    let resources = ResourceTable::new(&aws, table.clone());
    let store = ReconciliationTable::new(&aws, table);
    let settings = ReconcileSettings::from_environment(&environment)?;
    let reconciler = Reconciler::<Deployed>::new(provider, resources, store, [ingress, transfers], settings, now);
    let handle = async |event: LambdaEvent<Value>| {
        let request = Request::try_from(&event.payload)?;
        let deadline = Timestamp::from(event.context.deadline());
        let answered = Box::pin(reconciler.answer(request, deadline)).await;
        answered.inspect_err(|error| tracing::error!(error = chain(error), "not reconciled")).map_err(Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await
}

/// Who asks Connect's API.
fn provider(aws: &Aws, table: String, api: ConnectApiSettings) -> Result<ListReader<TokenStore, ConnectApi>, Error> {
    let store = TokenStore::new(aws, TokenStoreNames { secret_id: api.token_secret_id, table });
    let config = ConnectApiConfig {
        base_url: api.base_url,
        path_prefix: api.path_prefix,
        options: api.options,
        credentials_secret_id: api.credentials_secret_id,
    };
    Ok(ListReader::new(TokenKeeper::new(store, ConnectApi::new(aws, config)?, api.feeds)))
}
