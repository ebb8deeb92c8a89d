//! The domain, one file per guarantee.

mod cloudevents;
mod event_attributes;
mod fees;
mod latest_status;
mod one_coin_one_credit;
mod order_does_not_matter;
mod overdue;
mod recovery_sum;
mod schemas;
mod statement_messages;
mod statuses;
mod support;
