//! The refresher with in-memory ports, one file per promise.

mod api_access;
mod crashes;
mod feeds;
mod odd_answers;
mod refreshing;
mod support;
mod timetables;
mod tokens;
