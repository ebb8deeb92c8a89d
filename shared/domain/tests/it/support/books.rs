//! What events book.

use std::collections::BTreeMap;

use fundhook_domain::{Books, DecimalValue, Direction, Event, Posting, Resource};

/// What some lines add up to, by asset and ledger account. Debits are above zero.
pub(crate) type Balances = BTreeMap<(String, String), DecimalValue>;

/// What the lines add up to.
pub(crate) fn balances<'a>(lines: impl IntoIterator<Item = &'a Posting>) -> Balances {
    let mut balances = Balances::new();
    for line in lines {
        let key = (line.asset.clone(), line.ledger_account.to_string());
        let sum = balances.remove(&key).unwrap_or_else(DecimalValue::zero);
        let sum = match line.direction {
            Direction::Debit => sum + &line.value,
            Direction::Credit => sum - &line.value,
        };
        if sum != DecimalValue::zero() {
            balances.insert(key, sum);
        }
    }
    balances
}

fn of_books(books: &Books) -> Balances {
    let line = |(asset, account, value): (&str, &fundhook_domain::LedgerAccount, &DecimalValue)| {
        ((asset.to_owned(), account.to_string()), value.clone())
    };
    books.balances().map(line).collect()
}

/// The lines as texts: `credit customer:CUST01 100 USDC`.
pub(crate) fn lines(postings: &[Posting]) -> Vec<String> {
    let line =
        |line: &Posting| format!("{} {} {} {}", line.direction.as_str(), line.ledger_account, line.value, line.asset);
    postings.iter().map(line).collect()
}

/// Asserts that each of `events`, all of `resource` so far, balances, and that they and the opening balance add up to what its
/// view books.
pub(crate) fn assert_booked<'a>(resource: &Resource, events: impl IntoIterator<Item = &'a Event>) {
    let mut all = Vec::new();
    for event in events {
        let mut by_asset: BTreeMap<&str, DecimalValue> = BTreeMap::new();
        for line in &event.data.postings {
            assert!(line.value.is_positive(), "{}: {line:?}", event.id);
            let sum = by_asset.entry(&line.asset).or_insert_with(DecimalValue::zero);
            *sum = match line.direction {
                Direction::Debit => sum.clone() + &line.value,
                Direction::Credit => sum.clone() - &line.value,
            };
        }
        assert!(
            by_asset.values().all(|sum| *sum == DecimalValue::zero()),
            "{} does not balance: {by_asset:?}",
            event.id
        );
        all.extend(&event.data.postings);
    }
    let books = |resource: &Resource| resource.view().map(|view| view.books(resource.id())).unwrap_or_default();
    let (view, opening) = (books(resource), books(&resource.opening()).postings());
    let told = balances(all.into_iter().chain(&opening));
    assert_eq!(told, of_books(&view), "{}: the events add up to what the view books", resource.id());
}
