//! Splitting what is sent into calls that AWS accepts.

use fundhook_ports::{Disposition, PortError};

/// What could be made of a list, and in its place what could not, which costs the others nothing.
pub(crate) struct Made<T> {
    pub(crate) items: Vec<T>,
    /// One for each place: why nothing was made, or `None`.
    faults: Vec<Option<PortError>>,
}

impl<T> Made<T> {
    pub(crate) fn of(made: impl Iterator<Item = Result<T, PortError>>) -> Self {
        let (mut items, mut faults) = (Vec::new(), Vec::new());
        for item in made {
            match item {
                Ok(item) => {
                    items.push(item);
                    faults.push(None);
                }
                Err(fault) => faults.push(Some(fault)),
            }
        }
        Self { items, faults }
    }

    /// An outcome for each place: its fault, or how sending its item ended. `sent` are the outcomes of the items, in order.
    pub(crate) fn outcomes(self, sent: Vec<Result<(), PortError>>) -> Vec<Result<(), PortError>> {
        let mut sent = sent.into_iter();
        let missing = || PortError::new("send a message", Disposition::Retry, "the call returned no outcome for it");
        let outcome = |fault: Option<PortError>| match fault {
            Some(fault) => Err(fault),
            None => sent.next().unwrap_or_else(|| Err(missing())),
        };
        self.faults.into_iter().map(outcome).collect()
    }
}

/// Splits `items` into batches of at most `items_max` items and `bytes_max` bytes, in order. An item that is larger by
/// itself is a batch of its own, so that only this item fails.
pub(crate) fn in_batches<T>(
    items: &[T],
    items_max: usize,
    bytes_max: usize,
    bytes_of: impl Fn(&T) -> usize,
) -> Vec<&[T]> {
    let mut batches = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (at, item) in items.iter().enumerate() {
        if at > from && (at - from == items_max || bytes + bytes_of(item) > bytes_max) {
            batches.push(&items[from..at]);
            (from, bytes) = (at, 0);
        }
        bytes += bytes_of(item);
    }
    if from < items.len() {
        batches.push(&items[from..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_at_most_so_many_items_and_bytes_and_no_item_is_left_out() {
        for (sizes, expected) in [
            (vec![1; 23], vec![10, 10, 3]),
            (vec![100; 5], vec![2, 2, 1]),
            (vec![1, 300, 1], vec![1, 1, 1]),
            (vec![], vec![]),
        ] {
            let batches = in_batches(&sizes, 10, 256, |size| *size);
            assert_eq!(batches.iter().map(|batch| batch.len()).collect::<Vec<_>>(), expected);
            assert_eq!(batches.concat(), sizes);
        }
    }

    #[test]
    fn what_cannot_be_made_fails_in_its_place_and_the_others_keep_theirs() {
        let fault = |why: &'static str| PortError::new("send", Disposition::DeadLetter, why);
        let made = Made::of([Ok(1), Err(fault("not made")), Ok(2), Ok(3)].into_iter());
        assert_eq!(made.items, [1, 2, 3]);
        // The outcome of the last one is missing.
        let outcomes = made.outcomes(vec![Ok(()), Err(fault("refused"))]);
        let why = |outcome: &Result<(), PortError>| outcome.as_ref().err().map(|error| fundhook_ports::chain(error));
        let why: Vec<Option<String>> = outcomes.iter().map(why).collect();
        let expected = [None, Some("not made"), Some("refused"), Some("no outcome")];
        for (why, part) in why.iter().zip(expected) {
            assert_eq!(why.is_some(), part.is_some());
            assert!(why.as_deref().unwrap_or_default().contains(part.unwrap_or_default()), "{why:?}");
        }
        assert_eq!(why.len(), expected.len());
    }
}
