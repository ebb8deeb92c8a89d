//! A backfill: a past period of the providers' lists, read by the reconciler in as many invocations as it takes.
//!
//! | module | subject |
//! |---|---|
//! | `run` | invoking until all is read |
//! | `lines` | as text |

mod lines;
mod run;

pub use lines::{backfilled_lines, continued_with};
pub use run::{BackfillError, InvokeReconciler, StackReconciler, backfill};
