//! `evidence`: why a resource's state is believed, verified once more.

use std::process::ExitCode;

use clap::Args;
use fundhook::evidence::Archive;
use fundhook::show::resource_line;
use fundhook::target::Target;
use fundhook_adapters::ResourceTable;
use fundhook_domain::ResourceId;
use fundhook_ports::Resources as _;

use super::Ending;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The resource, such as deposit#connect#6e735627-f8d1-49ae-93cc-3b7923519c56
    resource: ResourceId,
    /// Of a stack deployed to AWS, by its name; without it, of the local one
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let target = Target::find(arguments.stack.as_deref()).await?;
    let table = target.output("TableName")?;
    let archive = Archive::new(&target.aws, target.output("EvidenceBucketName")?, table);
    let read = ResourceTable::new(&target.aws, table.to_owned()).read(&[arguments.resource]).await?;
    let mut stands = true;
    for resource in &read {
        if resource.version() == 0 {
            return Err(format!("nothing is recorded of {}", resource.id()).into());
        }
        println!("{}", resource_line(resource));
        for fact in resource.facts() {
            let verdict = archive.verify(resource.id(), fact).await;
            stands &= verdict.stands();
            let mark = if verdict.stands() { "✓" } else { "✗" };
            println!("  {mark} {}. {} ({}): {verdict}", fact.version, fact.content.event_type(), fact.content.status());
        }
    }
    Ok(if stands { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
