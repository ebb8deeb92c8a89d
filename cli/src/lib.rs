//! The operator's commands of Fundhook, as a library for the command line and for tests.

pub mod diagnosis;
pub mod evidence;
pub mod report;
pub mod show;
pub mod subscription;
pub mod target;
