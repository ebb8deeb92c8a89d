//! `down`: ends what `up` left running.

use std::process::ExitCode;

use fundhook::stack::{Stopped, Workspace};
use fundhook::target::LocalStack;

use super::Ending;

pub(crate) async fn run() -> Ending {
    let workspace = Workspace::find()?;
    let stack = LocalStack::running(&workspace)?;
    let stopped = stack.emulator.stop().await?;
    LocalStack::forget(&workspace)?;
    match stopped {
        Stopped::Now => println!("The local stack has ended; what it held is gone."),
        Stopped::Before => println!("The local stack had ended before."),
    }
    Ok(ExitCode::SUCCESS)
}
