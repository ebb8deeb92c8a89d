//! The domain, one file per promise.

mod ambiguous_rows;
mod api_evidence;
mod cloudevents;
mod conservation;
mod event_attributes;
mod fees;
mod latest_stands;
mod one_coin_one_credit;
mod order_does_not_matter;
mod overdue;
mod reconciliation_plan;
mod recovery_sum;
mod schemas;
mod signal_messages;
mod statuses;
mod support;
