//! The local stack: the AWS emulator, and the template deployed to it with the functions' programs.
//!
//! The steps: [`Workspace::find`], [`Emulator::start`], [`build`], [`package`], [`connect`] to an [`Account`], [`deploy`].
//! Then [`Deployment::post`] sends a webhook. Each account on an emulator has its own stack.

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
mod synthesized;
mod template;
mod workspace;

#[cfg(test)]
mod tests;

use thiserror::Error;

pub use self::{
    account::{Account, NotAnAccount},
    clients::{Clients, REGION, connect},
    deploy::{DeployError, STACK, StackTemplate, deploy, update},
    deployment::{CallError, Deployment, Invocation, NoOutput},
    emulator::{Detached, Emulator, FunctionProcess, InstallError, StartError, StopError, Stopped},
    functions::{Binaries, BuildError, CargoOutput, Function, Profile, Program, build},
    package::{PackageError, Packages, package},
    running::{LocalStack, LocalStackError},
    template::TemplateError,
    workspace::{Workspace, WorkspaceError},
};

/// Receives a description of each step that takes a noticeable time.
pub type Progress<'a> = &'a (dyn Fn(&str) + Sync);

/// Any error of the local stack.
#[derive(Debug, Error)]
#[error(transparent)]
pub enum StackError {
    Workspace(#[from] WorkspaceError),
    Start(#[from] StartError),
    Stop(#[from] StopError),
    Build(#[from] BuildError),
    Package(#[from] PackageError),
    Deploy(#[from] DeployError),
    Call(#[from] CallError),
    NoOutput(#[from] NoOutput),
}
