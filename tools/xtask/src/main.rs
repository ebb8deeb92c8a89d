//! `cargo xtask`: what is generated from the code.

mod docs;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use fundhook_ports::chain;

/// Tasks of those who work on Fundhook.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Writes what is generated from the code: schemas/ and the generated parts of docs/
    Docs(docs::Arguments),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Docs(arguments) => docs::run(&arguments),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {}", chain(&*error));
        ExitCode::FAILURE
    })
}
