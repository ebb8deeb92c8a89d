//! The workspace as a whole: which crate and module may import which, and the generated files.

mod boundaries;
mod modules;
mod schemas;
mod template;
