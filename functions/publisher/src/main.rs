//! Wiring of the publisher: settings, AWS clients and the Lambda runtime.

use std::process::ExitCode;

use aws_lambda_events::dynamodb::Event;
use fundhook_adapters::{Aws, Destinations, EventBus, ReconciliationTable, ResourceTable, Topic};
use fundhook_runtime::metrics::Metrics;
use fundhook_runtime::settings::Environment;
use fundhook_runtime::{now, run, variable};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use publisher::Publisher;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run(serve()).await
}

async fn serve() -> Result<(), Error> {
    let environment = Environment::new(&variable);
    let aws = Aws::from_environment(variable)?;
    let topic = Topic::new(&aws, environment.required("FUNDHOOK_TOPIC_ARN")?);
    let bus = environment.optional("FUNDHOOK_EVENT_BUS_ARN").map(|arn| EventBus::new(&aws, arn));
    let table = environment.required("FUNDHOOK_TABLE")?;
    let receipts = ReconciliationTable::new(&aws, table.clone());
    let publisher = Publisher::new(
        Destinations::new(topic, bus),
        receipts,
        ResourceTable::new(&aws, table),
        Metrics::from_environment(&environment)?,
    );
    let handle =
        async |event: LambdaEvent<Event>| Ok::<_, Error>(Box::pin(publisher.handle(event.payload, now())).await);
    lambda_runtime::run(service_fn(handle)).await
}
