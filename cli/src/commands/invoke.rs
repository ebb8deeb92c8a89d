//! `invoke`: invoke a function of a stack, or write the environment with which it runs elsewhere.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use fundhook::invocation::{env_file, environment, invoke};
use fundhook::target::Target;

use super::{Ending, read};

pub(crate) const HELP: &str = "\
Invoke a function of a stack with an event, and print its answer. Without --stack it is the local stack that `up` started.

Each function has a sample event, which is used when no file is named. events/README.md says what each of them does, and \
what the answer is. Take care with a deployed stack: the sample events of fan-out, state-updater and publisher are recorded \
and published there like real ones.

With --env, nothing is invoked: the environment of the function is printed, or without a function that of all functions \
together, for `cargo lambda watch --env-file FILE`.";

/// The functions and their sample events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FunctionName {
    Receiver,
    FanOut,
    StateUpdater,
    Publisher,
    Refresher,
    Reconciler,
}

#[derive(Args)]
pub(crate) struct Arguments {
    /// The function
    #[arg(value_enum, value_name = "FUNCTION", required_unless_present = "env")]
    function: Option<FunctionName>,
    /// A file with the event as JSON [default: the sample event of the function]
    #[arg(value_name = "FILE", conflicts_with = "env")]
    event: Option<PathBuf>,
    /// Print the environment of the function, or of all functions, as lines of NAME=VALUE, and invoke nothing
    #[arg(long)]
    env: bool,
    /// The name of a stack on AWS [default: the local stack]
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let target = Target::find(arguments.stack.as_deref()).await?;
    let Some(function) = arguments.function.filter(|_| !arguments.env) else {
        let functions = arguments.function.map_or(FunctionName::value_variants().to_vec(), |function| vec![function]);
        let mut variables = BTreeMap::new();
        for function in functions {
            variables.extend(environment(&target, target.output(function.output())?).await?);
        }
        print!("{}", env_file(&variables));
        return Ok(ExitCode::SUCCESS);
    };
    let name = target.output(function.output())?;
    let event = match &arguments.event {
        Some(path) => read(path)?,
        None => function.sample().as_bytes().to_vec(),
    };
    let invocation = invoke(&target, name, event).await?;
    if invocation.failed {
        eprintln!("{:#}", invocation.payload);
        return Err(format!("{name} failed; its log has the details").into());
    }
    println!("{:#}", invocation.payload);
    Ok(ExitCode::SUCCESS)
}

impl FunctionName {
    /// The output of the template with its name.
    fn output(self) -> &'static str {
        match self {
            Self::Receiver => "ReceiverFunctionName",
            Self::FanOut => "FanOutFunctionName",
            Self::StateUpdater => "StateUpdaterFunctionName",
            Self::Publisher => "PublisherFunctionName",
            Self::Refresher => "RefresherFunctionName",
            Self::Reconciler => "ReconcilerFunctionName",
        }
    }

    fn sample(self) -> &'static str {
        macro_rules! event {
            ($name:literal) => {
                include_str!(concat!("../../../events/lambda/", $name, ".json"))
            };
        }
        match self {
            Self::Receiver => event!("receiver"),
            Self::FanOut => event!("fan-out"),
            Self::StateUpdater => event!("state-updater"),
            Self::Publisher => event!("publisher"),
            Self::Refresher => event!("refresher"),
            Self::Reconciler => event!("reconciler"),
        }
    }
}
