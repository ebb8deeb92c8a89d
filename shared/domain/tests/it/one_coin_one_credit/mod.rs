//! A coin may reach a platform through several webhook families, and has one fate
//! (docs/internals/decisions/one-coin-one-credit.md).

mod contradictions;
mod decisions;
mod duplicates;
mod entries;
mod orders;
mod similar;
