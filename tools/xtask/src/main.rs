//! `cargo xtask`: tasks for the development of Fundhook.

mod ci;
mod docs;
mod release;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use fundhook_ports::chain;

/// Tasks for the development of Fundhook.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write the generated files: schemas/ and the generated parts of docs/
    Docs(docs::Arguments),
    /// Run the checks of every commit, or some of them
    Ci(ci::Arguments),
    /// Build the functions for one architecture, and what `sam deploy` needs to deploy them without Rust
    Release(release::Arguments),
}

fn main() -> ExitCode {
    let ended = match Cli::parse().task {
        Task::Docs(arguments) => docs::run(&arguments),
        Task::Ci(arguments) => ci::run(&arguments),
        Task::Release(arguments) => release::run(&arguments),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("error: {}", chain(&*error));
        ExitCode::FAILURE
    })
}
