//! Wiring of the receiver.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use fundhook_adapters::{Aws, JwksClient, KeySetTable, Queue};
use fundhook_domain::Provider;
use fundhook_runtime::settings::{self, Environment, KeySettings};
use fundhook_runtime::{now, telemetry, variable};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use receiver::{KeyCache, Receiver};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let environment = Environment::new(&variable);
    let aws = Aws::from_environment(variable)?;
    let ingress = Queue::new(&aws, environment.required("FUNDHOOK_INGRESS_QUEUE_URL")?);
    let connect = match (settings::connect(&environment)?, settings::connect_jwks_url(&environment)?) {
        (Some(connect), Some(jwks_url)) => {
            let table = KeySetTable::new(&aws, environment.required("FUNDHOOK_TABLE")?);
            let keys = KeySettings::from_environment(&environment)?;
            Some((connect, KeyCache::new(Provider::Connect, keys, table, JwksClient::new(jwks_url))))
        }
        _ => None,
    };
    let receiver = Receiver::new(ingress, connect);
    let handle = async |event: LambdaEvent<ApiGatewayV2httpRequest>| {
        Ok::<_, Error>(receiver.handle(event.payload, now()).await.into_response())
    };
    lambda_runtime::run(service_fn(handle)).await
}
