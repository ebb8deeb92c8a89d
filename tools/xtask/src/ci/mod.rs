//! `cargo xtask ci`: the checks of every commit, each of which can be run alone.
//!
//! Needs Rust, Python 3 and Node.js. Everything else is installed below `target/ci`, at pinned versions.

mod command;
mod commands;
mod install;
mod steps;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, ValueEnum};
use fundhook_local_stack::Workspace;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The steps to run, in this order [default: all]
    #[arg(value_enum, value_name = "STEP")]
    steps: Vec<CiStep>,
}

/// The steps, in the order of CI: those that fail early and cost little are first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CiStep {
    /// rustfmt
    Format,
    /// cfn-lint and sam validate on every template
    Templates,
    /// The specification's own parser reads schemas/asyncapi.json
    Asyncapi,
    /// actionlint on every workflow
    Workflows,
    /// The book builds without a warning, which includes broken links
    Book,
    /// Licences, banned crates and sources of the dependencies
    Deny,
    /// Unused dependencies
    Machete,
    /// Lints of the workspace, and of the operator's commands without the local stack
    Clippy,
    /// All tests
    Tests,
    /// The official SDK of CloudEvents reads the events of the tests
    Cloudevents,
    /// The demo
    Demo,
    /// Twenty seeds of the simulator, with heavy faults
    Simulate,
    /// The CDK construct: its tests, its example in TypeScript and in Python, and the demo on the synthesized template
    Cdk,
    /// The tools that the documents use: cargo-lambda and SAM, at pinned versions
    Tools,
    /// The commands that the book and the README files show
    Commands,
}

/// The result of a step or of a part of it.
type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

pub(crate) fn run(arguments: &Arguments) -> Outcome<ExitCode> {
    let workspace = Workspace::find()?;
    let steps = if arguments.steps.is_empty() { CiStep::value_variants() } else { &arguments.steps };
    let started = Instant::now();
    for step in steps {
        let description = step.to_possible_value().map(|value| {
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            format!("{}: {help}", value.get_name())
        });
        println!("\n=== {} ({} s)", description.unwrap_or_default(), started.elapsed().as_secs());
        step.run(&workspace)?;
    }
    if steps.contains(&CiStep::Tests) {
        // At the end, where a reader of the log looks for them.
        println!("\n=== test results ({} s)", started.elapsed().as_secs());
        steps::test_results(&workspace)?.iter().for_each(|line| println!("{line}"));
    }
    Ok(ExitCode::SUCCESS)
}

impl CiStep {
    fn run(self, workspace: &Workspace) -> Outcome {
        match self {
            Self::Format => steps::format(workspace),
            Self::Templates => steps::templates(workspace),
            Self::Asyncapi => steps::asyncapi(workspace),
            Self::Workflows => steps::workflows(workspace),
            Self::Book => steps::book(workspace),
            Self::Deny => steps::deny(workspace),
            Self::Machete => steps::machete(workspace),
            Self::Clippy => steps::clippy(workspace),
            Self::Tests => steps::tests(workspace),
            Self::Cloudevents => steps::cloudevents(workspace),
            Self::Demo => steps::demo(workspace, None),
            Self::Simulate => steps::simulate(workspace),
            Self::Cdk => steps::cdk(workspace),
            Self::Tools => install::lambda_tools(workspace).map(|_| ()),
            Self::Commands => commands::run(workspace, &[install::lambda_tools(workspace)?]),
        }
    }
}
