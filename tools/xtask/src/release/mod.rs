//! `cargo xtask release`: the functions and the template of a release, for one architecture.
//!
//! A release is a folder that the SAM CLI deploys as it is. It needs no Rust and no checkout.

mod bundle;
mod checksums;
mod functions;
mod sbom;
mod template;
mod zips;

use std::error::Error;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use fundhook_local_stack::Workspace;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The processor architecture of the functions
    #[arg(value_enum)]
    architecture: Architecture,
    /// Print the template of the release, and build nothing
    #[arg(long)]
    template: bool,
}

/// A processor architecture that Lambda offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Architecture {
    /// AWS Graviton, the default of the template
    Arm64,
    /// Intel and AMD
    #[value(name = "x86_64")]
    X86_64,
}

impl Architecture {
    /// The name in the template and in the names of files.
    fn as_str(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    /// The Rust target.
    fn target(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::X86_64 => "x86_64-unknown-linux-gnu",
        }
    }
}

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

pub(crate) fn run(arguments: &Arguments) -> Outcome<ExitCode> {
    let workspace = Workspace::find()?;
    let architecture = arguments.architecture;
    let template = template::of_release(&workspace.template()?, architecture)?;
    if arguments.template {
        print!("{template}");
        return Ok(ExitCode::SUCCESS);
    }
    functions::check_tools(architecture)?;
    let programs = functions::build(&workspace, architecture)?;
    let zip = bundle::write(&workspace, architecture, &template, &programs)?;
    println!("{}: {} bytes", zip.display(), bundle::size(&zip)?);
    Ok(ExitCode::SUCCESS)
}
