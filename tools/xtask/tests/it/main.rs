//! The workspace as a whole: which crate and module may import which, and the generated files.

mod boundaries;
mod modules;
mod release;
mod schemas;
mod template;
