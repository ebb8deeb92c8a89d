//! `schema`: what subscribers are promised, as files.

use std::process::ExitCode;

use clap::Args;
use fundhook::contract::{REMEDY, contract};
use fundhook::stack::Workspace;

use super::{Ending, progress};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Write nothing, and fail if a file is not as the code makes it
    #[arg(long)]
    check: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let workspace = Workspace::find()?;
    let mut drifted = Vec::new();
    for file in contract(&workspace)? {
        if file.has_drifted(&workspace)? {
            drifted.push(file);
        }
    }
    if drifted.is_empty() {
        progress("The schemas, the AsyncAPI document and the guide's examples are as the code makes them");
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
