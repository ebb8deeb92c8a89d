//! What must hold of the workspace as a whole: its layout and its generated files.

mod boundaries;
mod schemas;
