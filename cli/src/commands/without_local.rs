//! The local commands of a build without the feature `local`: none.

use clap::Subcommand;
use fundhook::local_stack::LocalStackError;
use serde_json::Value;

use super::Ending;
use super::reconcile_request::LocalRequest;

pub(crate) const INTRODUCTION: &str = "\
Operate Fundhook stacks on AWS.

Each command needs `--stack NAME`, the name of a deployed stack, and AWS credentials and a region in the environment. \
`preview` and `verify` need none of them.";

#[derive(Subcommand)]
pub(crate) enum LocalCommand {}

impl LocalCommand {
    pub(crate) async fn run(self) -> Ending {
        match self {}
    }
}

/// Fails: there is no local stack whose reconciler could run.
pub(crate) async fn reconcile(request: LocalRequest) -> Ending {
    let what = match request {
        LocalRequest::Run => "run the reconciler".to_owned(),
        LocalRequest::Report { day, output } => format!("report {} as {output:?}", day.day()),
        LocalRequest::Accept(deposit) => format!("accept {deposit}"),
        LocalRequest::Decide(decision) => {
            format!("decide about {}", decision.pointer("/decide/resource").and_then(Value::as_str).unwrap_or_default())
        }
    };
    Err(format!("cannot {what}: {LocalStackError}").into())
}
