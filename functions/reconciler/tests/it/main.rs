//! The reconciler in a world in memory, one file per promise.

mod ambiguity;
mod backfill;
mod cases;
mod control_totals;
mod crashes;
mod dropped_webhooks;
mod every_list;
mod metrics;
mod missed_webhooks;
mod movements;
mod one_coin_on_two_lists;
mod overdue;
mod probing;
mod reading;
mod support;
mod time_limit;
mod totals_of_zerohash;
mod unusual_answers;
mod webhook_silence;
mod whole_lists;
