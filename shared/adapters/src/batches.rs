//! Splitting what is sent into calls that AWS accepts.

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
}
