//! The domain, one file per guarantee.

mod backfill;
mod beside;
mod beside_in_events;
mod cloudevents;
mod coin_spellings;
mod coins_table;
mod credit_and_hold;
mod event_attributes;
mod event_json;
mod fees;
mod latest_status;
mod one_coin_one_credit;
mod order_does_not_matter;
mod overdue;
mod postings;
mod readings;
mod recovery_over_time;
mod schemas;
mod second_names;
mod statement_messages;
mod statuses;
mod support;
