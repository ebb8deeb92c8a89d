//! The reconciler, one file per promise, in a world in memory.

mod ambiguity;
mod control_totals;
mod crashes;
mod missed_webhooks;
mod overdue;
mod reading;
mod support;
mod time_limit;
mod unusual_answers;
