//! Wiring of fan-out: settings, AWS clients and the Lambda runtime.

use std::process::ExitCode;

use aws_lambda_events::sqs::SqsEvent;
use fan_out::FanOut;
use fundhook_adapters::{Aws, Bucket, Queue, read_secret};
use fundhook_providers::{IdKey, ReadingSettings};
use fundhook_runtime::metrics::Metrics;
use fundhook_runtime::settings::{self, Environment};
use fundhook_runtime::{now, run, variable};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run(serve()).await
}

async fn serve() -> Result<(), Error> {
    let environment = Environment::new(&variable);
    let aws = Aws::from_environment(variable)?;
    // Without the key, resources to which a provider gives no id would get other ids than before.
    let id_key = read_secret(&aws, &environment.required("FUNDHOOK_ID_KEY_SECRET")?).await?;
    let reading = ReadingSettings { id_key: IdKey::new(&id_key), ..settings::reading(&environment)? };
    let fan_out = FanOut::new(
        Bucket::new(&aws, environment.required("FUNDHOOK_EVIDENCE_BUCKET")?),
        Queue::new(&aws, environment.required("FUNDHOOK_TRANSFERS_QUEUE_URL")?),
        Queue::new(&aws, environment.required("FUNDHOOK_ACCOUNTS_QUEUE_URL")?),
        reading,
        Metrics::from_environment(&environment)?,
    );
    let handle = async |event: LambdaEvent<SqsEvent>| Ok::<_, Error>(fan_out.handle(event.payload, now()).await);
    lambda_runtime::run(service_fn(handle)).await
}
