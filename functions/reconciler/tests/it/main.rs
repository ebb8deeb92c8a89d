//! The reconciler, one file per promise, in a world in memory.

mod conservation;
mod crashes;
mod doubt;
mod healing;
mod odd_answers;
mod overdue;
mod reading;
mod support;
mod time_limit;
