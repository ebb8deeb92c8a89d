//! `up`: starts a local stack that keeps running.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use fundhook_local_stack::session::{packages, parameters, share_secrets};
use fundhook_local_stack::{
    Account, CargoOutput, Detached, LocalStack, Packages, STACK, StackTemplate, Workspace, connect, deploy,
};
use fundhook_sandbox::SandboxClient;

use super::{Ending, progress};

#[derive(Args)]
pub(crate) struct Arguments {
    /// A parameter of infra/template.yaml, such as ConnectJwt=required; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// A template to deploy instead of infra/template.yaml, such as the one that `npx cdk synth` writes to cdk.out
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE, such as ConnectJwt=required")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// How long the sandbox provider may take to start: it generates RSA keys in unoptimised code.
const SANDBOX_READY_WITHIN: Duration = Duration::from_secs(30);

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let workspace = Workspace::find()?;
    if LocalStack::running(&workspace).is_ok() {
        return Err("a local stack is running already; stop it first with `cargo fundhook down`".into());
    }
    let packages = packages(&workspace, CargoOutput::Shown, &progress).await?;
    let emulator = Detached::start(&workspace, &progress).await?;
    match deploy_stack(&workspace, &packages, &emulator, &arguments).await {
        Ok(stack) => {
            stack.save(&workspace)?;
            println!("{}", description(&stack)?);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            emulator.stop().await?;
            Err(error)
        }
    }
}

async fn deploy_stack(
    workspace: &Workspace,
    packages: &Packages,
    emulator: &Detached,
    arguments: &Arguments,
) -> Result<LocalStack, Box<dyn std::error::Error + Send + Sync>> {
    progress("Starting the sandbox provider");
    let sandbox_url = start_sandbox(emulator).await?;
    let file = arguments.template.as_deref();
    progress(&format!("Deploying {}", file.unwrap_or(Path::new("infra/template.yaml")).display()));
    let changes: Vec<(&str, &str)> =
        arguments.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let clients = connect(emulator.endpoint(), &Account::default());
    let parameters = parameters(&sandbox_url, &changes);
    let template = StackTemplate { name: STACK, text: &workspace.template_or(file)? };
    let deployment = deploy(&clients, &template, packages, &parameters).await?;
    share_secrets(&clients, &deployment, &SandboxClient::new(&sandbox_url), &parameters).await?;
    Ok(LocalStack { emulator: emulator.clone(), deployment, sandbox_url })
}

/// Starts the sandbox provider in the emulator's process group, so that both end together.
async fn start_sandbox(emulator: &Detached) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let group = i32::try_from(emulator.pid())?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["sandbox", "--port", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(group)
        .spawn()?;
    let url = format!("http://127.0.0.1:{port}");
    let client = SandboxClient::new(&url);
    let deadline = Instant::now() + SANDBOX_READY_WITHIN;
    while client.fetched().await.is_err() {
        if let Some(status) = child.try_wait()? {
            return Err(format!("the sandbox provider exited immediately with {status}").into());
        }
        if Instant::now() > deadline {
            return Err(format!(
                "the sandbox provider at {url} did not answer within {} s",
                SANDBOX_READY_WITHIN.as_secs()
            )
            .into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(url)
}

fn description(stack: &LocalStack) -> Result<String, fundhook_local_stack::NoOutput> {
    let deployment = &stack.deployment;
    Ok(format!(
        "The local stack is running.\n\
         \n  AWS endpoint      {}   (account {}, region us-east-1)\
         \n  webhook URLs      {}\
         \n                    {}\
         \n                    {}\
         \n  topic             {}\
         \n  table             {}\
         \n  sandbox provider  {}\
         \n  emulator log      {}\n\
         \nNext, in one terminal:  cargo fundhook listen\
         \nand in another:         cargo fundhook send events/connect/deposits.pending.json\
         \nStop it with:           cargo fundhook down",
        deployment.endpoint(),
        deployment.account(),
        deployment.output("ConnectWebhookUrls")?,
        deployment.output("ZerohashWebhookUrl").unwrap_or("zerohash is off"),
        deployment.output("StrigaWebhookUrl").unwrap_or("Striga is off"),
        deployment.output("TopicArn")?,
        deployment.output("TableName")?,
        stack.sandbox_url,
        stack.emulator.log().display(),
    ))
}
