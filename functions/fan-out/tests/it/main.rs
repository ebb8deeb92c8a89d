//! Fan-out, with fakes of its ports.

mod batches;
mod routing;
mod support;
