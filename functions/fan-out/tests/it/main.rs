//! Fan-out, with everything around it in memory.

mod batches;
mod routing;
mod support;
