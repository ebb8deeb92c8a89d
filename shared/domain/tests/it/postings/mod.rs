//! What events book: balanced lines that add up to what the view of their resource books.

mod deposits;
mod outgoing;
mod sums;
