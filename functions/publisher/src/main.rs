//! Wiring of the publisher: settings, AWS clients and the Lambda runtime.

use aws_lambda_events::dynamodb::Event;
use fundhook_adapters::{Aws, ReconciliationTable, ResourceTable, Topic};
use fundhook_runtime::settings::Environment;
use fundhook_runtime::{now, telemetry, variable};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use publisher::Publisher;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let environment = Environment::new(&variable);
    let aws = Aws::from_environment(variable)?;
    let topic = Topic::new(&aws, environment.required("FUNDHOOK_TOPIC_ARN")?);
    let table = environment.required("FUNDHOOK_TABLE")?;
    let receipts = ReconciliationTable::new(&aws, table.clone());
    let publisher = Publisher::new(topic, receipts, ResourceTable::new(&aws, table));
    let handle =
        async |event: LambdaEvent<Event>| Ok::<_, Error>(Box::pin(publisher.handle(event.payload, now())).await);
    lambda_runtime::run(service_fn(handle)).await
}
