//! The sample events of the functions.

mod sample_lambda_events;
