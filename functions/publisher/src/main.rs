//! Wiring of the publisher: settings, AWS clients and the Lambda runtime.

use std::process::ExitCode;

use aws_lambda_events::dynamodb::Event;
use fundhook_adapters::{Aws, EventBus, ReconciliationTable, ResourceTable, Topic};
use fundhook_ports::PublishEvents;
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
    let table = environment.required("FUNDHOOK_TABLE")?;
    let (receipts, pages) = (ReconciliationTable::new(&aws, table.clone()), ResourceTable::new(&aws, table));
    // The stack has this function twice if it has a bus: once for the topic, and once for the bus.
    match environment.optional("FUNDHOOK_EVENT_BUS_ARN") {
        Some(bus) => serve_from(Publisher::<_, ReconciliationTable, _>::to_bus(EventBus::new(&aws, bus), pages)).await,
        None => {
            let topic = Topic::new(&aws, environment.required("FUNDHOOK_TOPIC_ARN")?);
            let metrics = Metrics::from_environment(&environment)?;
            serve_from(Publisher::to_topic(topic, receipts, pages, metrics)).await
        }
    }
}

async fn serve_from<T: PublishEvents>(
    publisher: Publisher<T, ReconciliationTable, ResourceTable>,
) -> Result<(), Error> {
    let handle =
        async |event: LambdaEvent<Event>| Ok::<_, Error>(Box::pin(publisher.handle(event.payload, now())).await);
    lambda_runtime::run(service_fn(handle)).await
}
