//! The refresher, one file per promise, with everything around it in memory.

mod crashes;
mod feeds;
mod odd_answers;
mod refreshing;
mod support;
mod timetables;
mod tokens;
