//! The local AWS stack of Fundhook, for its command line and its end-to-end tests.

pub mod bench;
pub mod contract;
pub mod diagnosis;
pub mod evidence;
pub mod reconciler;
pub mod report;
pub mod sandbox;
pub mod sending;
pub mod session;
pub mod show;
pub mod stack;
pub mod subscription;
pub mod target;
