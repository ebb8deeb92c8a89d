//! Wires the reconciler to AWS and the providers' APIs.

use std::process::ExitCode;

use fundhook_adapters::{
    Aws, ConnectApi, ConnectApiConfig, Queue, ReconciliationTable, ResourceTable, TokenStore, TokenStoreNames,
    ZerohashApi, ZerohashApiConfig,
};
use fundhook_credentials::TokenKeeper;
use fundhook_domain::Timestamp;
use fundhook_ports::chain;
use fundhook_runtime::metrics::Metrics;
use fundhook_runtime::settings::{self, ConnectApiSettings, Environment, ReconcileSettings, ZerohashApiSettings};
use fundhook_runtime::{now, run, variable};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use reconciler::{ListReader, Ports, ReconcileRequest, Reconciler, TokenLists, run_deadline};
use serde_json::Value;

/// AWS and the providers' APIs.
struct Deployed;

impl Ports for Deployed {
    type Tokens = TokenStore;
    type Connect = ConnectApi;
    type Zerohash = ZerohashApi;
    type Resources = ResourceTable;
    type ReconciliationStore = ReconciliationTable;
    type Queue = Queue;
    type Clock = fn() -> Timestamp;
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run(serve()).await
}

async fn serve() -> Result<(), Error> {
    let environment = Environment::new(&variable);
    let aws = Aws::from_environment(variable)?;
    let table = environment.required("FUNDHOOK_TABLE")?;
    let connect = match settings::connect_api(&environment)? {
        Some(api) => Some(connect_lists(&aws, table.clone(), api)?),
        None => None,
    };
    let zerohash = match settings::zerohash_api(&environment)? {
        Some(api) => Some(ZerohashApi::new(&aws, zerohash_config(api))?),
        None => None,
    };
    let reconciler = Reconciler::<Deployed> {
        list_reader: ListReader { connect, zerohash },
        resources: ResourceTable::new(&aws, table.clone()),
        store: ReconciliationTable::new(&aws, table),
        ingress: Queue::new(&aws, environment.required("FUNDHOOK_INGRESS_QUEUE_URL")?),
        settings: ReconcileSettings::from_environment(&environment)?,
        clock: now,
        metrics: Metrics::from_environment(&environment)?,
    };
    let handle = async |event: LambdaEvent<Value>| {
        let request = ReconcileRequest::try_from(&event.payload)
            .inspect_err(|error| tracing::error!(error = chain(error), "the request is invalid: {error}"))?;
        let deadline = run_deadline(Timestamp::from(event.context.deadline()), now());
        // A failure is logged where it occurs.
        Box::pin(reconciler.answer(request, deadline)).await.map_err(|error| Error::from(chain(&error)))
    };
    lambda_runtime::run(service_fn(handle)).await
}

fn connect_lists(
    aws: &Aws,
    table: String,
    api: ConnectApiSettings,
) -> Result<TokenLists<TokenStore, ConnectApi>, Error> {
    let store = TokenStore::new(aws, TokenStoreNames { secret_id: api.token_secret_id, table });
    let config = ConnectApiConfig {
        base_url: api.base_url,
        path_prefix: api.path_prefix,
        options: api.options,
        credentials_secret_id: api.credentials_secret_id,
    };
    Ok(TokenLists::new(TokenKeeper::new(store, ConnectApi::new(aws, config)?, api.feeds)))
}

fn zerohash_config(api: ZerohashApiSettings) -> ZerohashApiConfig {
    ZerohashApiConfig {
        base_url: api.base_url,
        options: api.options,
        credentials_secret_id: api.credentials_secret_id,
        clock: now,
    }
}
