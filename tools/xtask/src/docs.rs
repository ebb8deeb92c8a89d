//! `cargo xtask docs`: the generated files.

use std::error::Error;
use std::process::ExitCode;

use clap::Args;
use fundhook_local_stack::Workspace;
use xtask::generated::{COMMAND, generated_files};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Write nothing, and fail if a file is out of date
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let workspace = Workspace::find()?;
    let mut outdated = Vec::new();
    for file in generated_files(&workspace)? {
        if file.is_outdated(&workspace)? {
            outdated.push(file);
        }
    }
    if outdated.is_empty() {
        eprintln!("The generated files are up to date");
        return Ok(ExitCode::SUCCESS);
    }
    for file in &outdated {
        if !arguments.check {
            file.write(&workspace)?;
        }
        println!("{}", file.path);
    }
    if arguments.check {
        eprintln!("error: these files are out of date; `{COMMAND}` writes them");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
