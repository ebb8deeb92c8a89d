//! `down`: stops the local stack that `up` started.

use std::process::ExitCode;

use fundhook_local_stack::{LocalStack, Stopped, Workspace};

use super::Ending;

pub(crate) async fn run() -> Ending {
    let workspace = Workspace::find()?;
    let stack = LocalStack::running(&workspace)?;
    let stopped = stack.emulator.stop().await?;
    LocalStack::forget(&workspace)?;
    match stopped {
        Stopped::Now => println!("The local stack has stopped; its data is gone."),
        Stopped::Before => println!("The local stack had stopped already."),
    }
    Ok(ExitCode::SUCCESS)
}
