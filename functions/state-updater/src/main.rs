//! Wiring of the state updater: settings, AWS clients and the Lambda runtime.

use std::process::ExitCode;

use aws_lambda_events::sqs::SqsEvent;
use fundhook_adapters::{Aws, ResourceTable, WriteMethod};
use fundhook_runtime::settings::{self, Environment};
use fundhook_runtime::{jittered_pause, now, run, variable};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use state_updater::StateUpdater;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run(serve()).await
}

async fn serve() -> Result<(), Error> {
    let environment = Environment::new(&variable);
    let aws = Aws::from_environment(variable)?;
    let methods = [("statements", WriteMethod::Statements), ("puts", WriteMethod::Puts)];
    let writes = environment.one_of("FUNDHOOK_TABLE_WRITES", WriteMethod::default(), &methods)?;
    let table = ResourceTable::new(&aws, environment.required("FUNDHOOK_TABLE")?).writing_by(writes);
    let several = settings::several_families_credit(&environment)?;
    let updater = StateUpdater::new(table, jittered_pause).where_several_families_credit(several);
    let handle =
        async |event: LambdaEvent<SqsEvent>| Ok::<_, Error>(Box::pin(updater.handle(event.payload, now())).await);
    lambda_runtime::run(service_fn(handle)).await
}
