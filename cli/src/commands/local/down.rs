//! `down`: ends what `up` left running.

use std::process::ExitCode;

use fundhook_local_stack::LocalStack;
use fundhook_local_stack::{Stopped, Workspace};

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
