use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use fundhook_adapters::{Aws, JwksClient, KeySetTable, Queue, SecretStore};
use fundhook_credentials::{KeyCache, SecretCache};
use fundhook_domain::{Feed, Provider};
use fundhook_runtime::metrics::Metrics;
use fundhook_runtime::settings::{self, Environment};
use fundhook_runtime::{now, run, variable};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use receiver::{Receiver, Verifier};

type Verifiers = BTreeMap<Feed, Verifier<KeySetTable, Arc<JwksClient>, SecretStore>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run(serve()).await
}

async fn serve() -> Result<(), Error> {
    let environment = Environment::new(&variable);
    let aws = Aws::from_environment(variable)?;
    let ingress = Queue::new(&aws, environment.required("FUNDHOOK_INGRESS_QUEUE_URL")?);
    let receiver = Receiver::new(ingress, verifiers(&environment, &aws)?, Metrics::from_environment(&environment)?);
    let handle = async |event: LambdaEvent<ApiGatewayV2httpRequest>| {
        Ok::<_, Error>(receiver.handle(event, now()).await.into_response())
    };
    // Load keys and secrets while the runtime waits for the first request.
    let (served, ()) = tokio::join!(Box::pin(lambda_runtime::run(service_fn(handle))), Box::pin(receiver.warm(now())));
    served
}

fn verifiers(environment: &Environment<'_>, aws: &Aws) -> Result<Verifiers, Error> {
    let keys = settings::keys(environment)?;
    let table = KeySetTable::new(aws, environment.required("FUNDHOOK_TABLE")?);
    let provider_api = Arc::new(JwksClient::new(settings::connect_jwks_urls(environment)?));
    let mut verifiers = Verifiers::new();
    for connect in settings::connect(environment)? {
        let cache = KeyCache::new(connect.feed.clone(), keys, table.clone(), Arc::clone(&provider_api));
        verifiers.insert(connect.feed, Verifier::Connect(connect.settings, cache));
    }
    let secrets = |provider, secret_id| {
        let store = SecretStore::new(aws, BTreeMap::from([(provider, secret_id)]));
        Arc::new(SecretCache::new(provider, keys, store))
    };
    if let Some(zerohash) = settings::zerohash(environment)? {
        let secrets = secrets(Provider::Zerohash, zerohash.secret_id);
        let verifier = |feed| (feed, Verifier::Zerohash(zerohash.settings.clone(), Arc::clone(&secrets)));
        verifiers.extend(zerohash.feeds.into_iter().map(verifier));
    }
    if let Some(striga) = settings::striga(environment)? {
        let secrets = secrets(Provider::Striga, striga.secret_id);
        verifiers.extend(striga.feeds.into_iter().map(|feed| (feed, Verifier::Striga(Arc::clone(&secrets)))));
    }
    Ok(verifiers)
}
