//! One payment, one withdrawal, although the provider names it by two ids.

mod recovery;
mod support;
mod withdrawals;
