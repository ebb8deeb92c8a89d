//! The local AWS stack: the emulator, the functions as on Lambda, and the template that deploys them.
//!
//! In order: [`Workspace::find`], [`Emulator::start`], [`build`], [`package`], [`connect`] to an [`Account`],
//! [`deploy`]; then [`Deployment::post`] sends a webhook. Several accounts, on one emulator, have a stack each.

mod account;
mod clients;
mod deploy;
mod deployment;
mod emulator;
mod functions;
mod package;
pub mod reconciler;
mod running;
pub mod sending;
pub mod session;
mod template;
mod workspace;

#[cfg(test)]
mod tests;

use thiserror::Error;

pub use self::{
    account::{Account, NotAnAccount},
    clients::{Clients, REGION, connect},
    deploy::{DeployError, STACK, deploy},
    deployment::{CallError, Deployment, Invocation, NoOutput},
    emulator::{Detached, Emulator, InstallError, StartError, StopError, Stopped},
    functions::{Binaries, BuildError, CargoOutput, Function, Profile, Program, build},
    package::{PackageError, Packages, package},
    running::{LocalStack, LocalStackError},
    template::TemplateError,
    workspace::{Workspace, WorkspaceError},
};

/// Told what is being done, in a few words, whenever it takes a noticeable time.
pub type Progress<'a> = &'a (dyn Fn(&str) + Sync);

/// Any way in which the local stack can fail, for callers that take all the steps.
#[derive(Debug, Error)]
#[error(transparent)]
pub enum StackError {
    /// There is no checkout to work in.
    Workspace(#[from] WorkspaceError),
    /// The emulator does not run.
    Start(#[from] StartError),
    /// A detached emulator does not end.
    Stop(#[from] StopError),
    /// The programs do not build.
    Build(#[from] BuildError),
    /// The programs cannot be packaged.
    Package(#[from] PackageError),
    /// The stack was not deployed.
    Deploy(#[from] DeployError),
    /// The stack did not answer.
    Call(#[from] CallError),
    /// An output is missing.
    NoOutput(#[from] NoOutput),
}
