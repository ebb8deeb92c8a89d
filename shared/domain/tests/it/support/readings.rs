//! The same bytes, read again.

use fundhook_domain::{Details, Outflow, Reading, Statement, TransferDetails};

use super::recovery::with_outflow;
use super::{at, with};

/// What a reading is: when the bytes were received, by which revision they were read, and with which settings.
pub(crate) fn reading(seconds: u64, revision: u32, settings: &str) -> Reading {
    Reading { at: at(seconds), revision, settings: settings.to_owned() }
}

/// The same bytes as those of `statement`, in another reading that states the same.
pub(crate) fn reread(statement: &Statement, reading: Reading) -> Statement {
    let mut again = statement.clone();
    again.content.reading = reading;
    again
}

/// The same bytes as those of `statement`, in a newer reading whose details `change` changed.
pub(crate) fn restated(statement: &Statement, change: impl FnOnce(&mut TransferDetails)) -> Statement {
    let newer = Reading { revision: statement.content.reading.revision + 1, ..statement.content.reading.clone() };
    with(reread(statement, newer), change)
}

/// The same bytes as those of `statement`, whatever its kind, in a newer reading that states something else.
pub(crate) fn restated_somehow(statement: &Statement) -> Statement {
    let newer = Reading { revision: statement.content.reading.revision + 1, ..statement.content.reading.clone() };
    let mut again = reread(statement, newer);
    let member = || ("read".to_owned(), "again".into());
    match &mut again.content.details {
        Details::Transfer(details) => details.provider_data.extend([member()]),
        Details::Account(details) => details.provider_data.extend([member()]),
        Details::Balance(details) => details.provider_data.extend([member()]),
        Details::Recovery(details) => {
            details.deposits.values_mut().for_each(|deposit| deposit.value = deposit.value.clone() + &deposit.value);
            details.payments.values_mut().for_each(|payment| with_outflow(payment, &Outflow::default()));
        }
        Details::Unrecognized(details) => details.reason = "the event \"x\" has no member \"id\"".to_owned(),
    }
    again
}
