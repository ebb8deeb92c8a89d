//! `cargo xtask docs`: the generated files.

use std::error::Error;

use std::process::ExitCode;

use clap::Args;
use fundhook_local_stack::Workspace;
use xtask::contract::{REMEDY, contract};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Write nothing, and fail if a file is not as the code makes it
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let workspace = Workspace::find()?;
    let mut drifted = Vec::new();
    for file in contract(&workspace)? {
        if file.has_drifted(&workspace)? {
            drifted.push(file);
        }
    }
    if drifted.is_empty() {
        eprintln!("The generated files are up to date");
        return Ok(ExitCode::SUCCESS);
    }
    for file in &drifted {
        if !arguments.check {
            file.write(&workspace)?;
        }
        println!("{}", file.name);
    }
    if arguments.check {
        eprintln!("error: these files are not as the code makes them; `{REMEDY}` writes them anew");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
