//! `show`: what is recorded about a resource, and why.

use std::error::Error;
use std::process::ExitCode;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;
use clap::Args;
use fundhook::show::{resource_line, timeline};
use fundhook::target::Target;
use fundhook_adapters::ResourceTable;
use fundhook_domain::{Kind, Resource, ResourceId, transaction_ids};
use fundhook_ports::Resources as _;

use super::Ending;

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Selection {
    /// The resource's id, such as 'deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f'. Quote it: # begins a comment
    resource: Option<ResourceId>,
    /// List the resources of this account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// List the resources with this reference id
    #[arg(long, value_name = "REFERENCE")]
    reference: Option<String>,
    /// List the resources with this on-chain transaction
    #[arg(long, value_name = "HASH")]
    transaction: Option<String>,
    /// List the resources of this kind (deposit, withdrawal) whose status is not final, oldest first
    #[arg(long, value_name = "KIND")]
    open: Option<Kind>,
}

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// The name of a stack on AWS [default: the local stack]
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let target = Target::find(arguments.stack.as_deref()).await?;
    let table = target.output("TableName")?.to_owned();
    let resources = ResourceTable::new(&target.aws, table);
    let Selection { resource, account, reference, transaction, open } = arguments.selection;
    let mut ids: Vec<ResourceId> = Vec::new();
    for (index, attribute, value) in match (resource, account, reference, transaction, open) {
        (Some(id), ..) => {
            let found = resources.read(&[id]).await?;
            found.iter().for_each(|resource| print!("{}", timeline(resource)));
            let known = found.iter().any(|resource| resource.version() > 0);
            return Ok(if known { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        (_, Some(account), ..) => vec![("by-account", "account", account)],
        (_, _, Some(reference), ..) => vec![("by-reference", "reference_id", reference)],
        (_, _, _, Some(hash), _) => spellings(&hash).into_iter().map(|hash| ("by-transaction", "tx", hash)).collect(),
        (.., open) => vec![("open", "open", open.map(|kind| kind.to_string()).unwrap_or_default())],
    } {
        ids.extend(ids_in_index(&target, index, attribute, value).await?);
    }
    ids.sort();
    ids.dedup();
    let found: Vec<Resource> = resources.read(&ids).await?;
    found.iter().for_each(|resource| println!("{}", resource_line(resource)));
    if found.is_empty() {
        eprintln!("no resources found");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// What a transaction that a person typed may be recorded as: its canonical ids, and the text itself.
fn spellings(hash: &str) -> Vec<String> {
    let mut spellings = transaction_ids(hash);
    if !spellings.iter().any(|spelling| spelling == hash) {
        spellings.push(hash.to_owned());
    }
    spellings
}

/// The ids of the resources in a partition of an index.
pub(super) async fn ids_in_index(
    target: &Target,
    index: &str,
    attribute: &str,
    value: String,
) -> Result<Vec<ResourceId>, Box<dyn Error + Send + Sync>> {
    let client = aws_sdk_dynamodb::Client::new(target.aws.sdk_config());
    let mut items = client
        .query()
        .table_name(target.output("TableName")?)
        .index_name(index)
        .key_condition_expression("#attribute = :value")
        .expression_attribute_names("#attribute", attribute)
        .expression_attribute_values(":value", AttributeValue::S(value))
        .into_paginator()
        .items()
        .send();
    let mut ids: Vec<ResourceId> = Vec::new();
    while let Some(item) = items.next().await {
        let item = item.map_err(|error| format!("cannot query {index}: {}", DisplayErrorContext(&error)))?;
        if let Some(AttributeValue::S(pk)) = item.get("pk") {
            ids.push(pk.parse()?);
        }
    }
    Ok(ids)
}
