//! `evidence`: verifies every fact of a resource again.

use std::process::ExitCode;

use clap::Args;
use fundhook::evidence::{Archive, ArchiveLocation};
use fundhook::show::{resource_line, stated_status};
use fundhook::target::Target;
use fundhook_adapters::ResourceTable;
use fundhook_domain::ResourceId;
use fundhook_ports::Resources as _;

use super::Ending;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The resource, such as deposit#connect#6e735627-f8d1-49ae-93cc-3b7923519c56
    resource: ResourceId,
    /// The name of a stack on AWS [default: the local stack]
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let target = Target::find(arguments.stack.as_deref()).await?;
    let table = target.output("TableName")?;
    let archive = Archive::new(&target.aws, ArchiveLocation { bucket: target.output("EvidenceBucketName")?, table });
    let read = ResourceTable::new(&target.aws, table.to_owned()).read(&[arguments.resource]).await?;
    let mut all_hold = true;
    for resource in &read {
        if resource.version() == 0 {
            return Err(format!("no fact is recorded about {}", resource.id()).into());
        }
        println!("{}", resource_line(resource));
        for fact in resource.facts() {
            let verdict = archive.verify(resource.id(), fact).await;
            let holds = verdict.holds();
            all_hold &= holds;
            let mark = if holds { "✓" } else { "✗" };
            println!(
                "  {mark} {}. {} ({}): {verdict}",
                fact.version,
                fact.content.event_type(),
                stated_status(&fact.content)
            );
        }
    }
    Ok(if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
