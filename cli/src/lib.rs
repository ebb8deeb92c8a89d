//! The operator's commands of Fundhook, as a library for the command line and for tests.

pub mod backfill;
pub mod cases;
pub mod dead_letters;
pub mod diagnosis;
pub mod emulated_stack;
pub mod evidence;
pub mod invocation;
pub mod ledger;
#[cfg(feature = "local")]
pub mod local_stack;
#[cfg(not(feature = "local"))]
#[path = "without_local_stack.rs"]
pub mod local_stack;
pub mod preview;
pub mod rehearsal;
pub mod replay;
pub mod report;
pub mod republish;
pub mod show;
pub mod stack_settings;
pub mod subscription;
pub mod target;
