//! Pages: a resource with many facts is stored in items of bounded size, and is read with all of them.

use fundhook_adapters::WriteMethod;
use fundhook_adapters::table::{FACTS, FACTS_BYTES_MAX, PAGES};
use fundhook_domain::{Kind, Provider, Resource, ResourceId, Statement};
use fundhook_ports::{Disposition, FactPages as _, Resources as _, Write, WriteOutcome};
use serde_json::json;

use crate::support::{Local, deposit, folded, id_of, read_one, statement, table, with, write, write_one};

/// A statement with about this many bytes of metadata.
fn large(id: &ResourceId, name: &str, number: i64, bytes: usize) -> Statement {
    with(statement(id, name, number, &number.to_string()), |details| {
        details.session.metadata = Some(json!({ "number": number, "text": "x".repeat(bytes) }));
    })
}

/// The bytes of the facts in the item with this key.
async fn fact_bytes(local: &Local, pk: &str) -> Option<usize> {
    let item = local.item(pk).await?;
    let facts = item[FACTS].as_l().expect("a list").iter();
    Some(facts.map(|fact| fact.as_s().expect("a text").len()).sum())
}

async fn pages(local: &Local, id: &ResourceId) -> u32 {
    let item = local.item(&id.to_string()).await.expect("it is stored");
    item.get(PAGES).map_or(0, |pages| pages.as_n().expect("a number").parse().expect("a number"))
}

async fn a_resource_of_any_size_is_read_as_it_was_written_and_no_item_is_large(writes: WriteMethod) {
    let (local, table) = table(writes).await;
    let id = deposit("retold");
    let mut expected = Resource::unknown(id.clone());
    for number in 0..60 {
        let read = read_one(&table, &id).await;
        assert_eq!(read.facts(), expected.facts());
        let told = large(&id, "pending", number, 12_000);
        expected = folded(expected, [told.clone()]);
        assert!(matches!(write_one(&table, write(&read, told)).await, WriteOutcome::Written), "{number}");
        let bytes = fact_bytes(&local, &id.to_string()).await.expect("it is stored");
        assert!(bytes <= FACTS_BYTES_MAX, "{bytes} bytes after {number}");
    }
    let confirmed = write(&read_one(&table, &id).await, large(&id, "confirmed", 60, 12_000));
    assert!(matches!(write_one(&table, confirmed).await, WriteOutcome::Written), "a final status always fits");
    let read = read_one(&table, &id).await;
    assert_eq!(
        (read.version(), read.view().expect("a view").status.map(|status| status.as_str())),
        (61, Some("confirmed"))
    );

    let count = pages(&local, &id).await;
    assert!(count > 5, "{count}");
    for number in 1..=count {
        let bytes = fact_bytes(&local, &format!("page#{id}#{number}")).await.expect("the page is stored");
        assert!(bytes <= FACTS_BYTES_MAX, "{bytes} bytes on page {number}");
    }
    let on_pages = table.paged_facts(&id, count).await.expect("the table answers");
    assert_eq!(on_pages, read.facts()[..read.paged_facts()]);
}

async fn facts_that_are_written_at_once_take_as_many_pages_as_they_need(writes: WriteMethod) {
    let (local, table) = table(writes).await;
    let id = deposit("at once");
    let resource = folded(Resource::unknown(id.clone()), (0..10).map(|number| large(&id, "pending", number, 48_000)));
    assert!(matches!(write_one(&table, Write::of(resource.clone(), 0)).await, WriteOutcome::Written));
    assert_eq!(read_one(&table, &id).await.facts(), resource.facts());
    assert!(pages(&local, &id).await > 3);
}

async fn a_writer_that_lost_reads_all_facts_again(writes: WriteMethod) {
    let (_local, table) = table(writes).await;
    let id = deposit("contended");
    let known = folded(Resource::unknown(id.clone()), (0..20).map(|number| large(&id, "pending", number, 12_000)));
    assert!(matches!(write_one(&table, Write::of(known, 0)).await, WriteOutcome::Written));
    let read = read_one(&table, &id).await;
    // Both make a new page, and one of them must win.
    let tell = |from: i64| {
        let told = (from..from + 10).map(|number| large(&id, "pending", number, 12_000));
        Write::of(folded(read.clone(), told), read.version())
    };
    let (one, other) = tokio::join!(write_one(&table, tell(100)), write_one(&table, tell(200)));
    let loser = match (one, other) {
        (WriteOutcome::Written, loser) | (loser, WriteOutcome::Written) => loser,
        neither => unreachable!("one of them must win: {neither:?}"),
    };
    // The item alone would look like a resource with few facts.
    assert!(matches!(loser, WriteOutcome::Lost(None)), "{loser:?}");
    let read = read_one(&table, &id).await;
    assert_eq!(read.facts().len(), 30);
    assert!(read.facts().iter().map(|fact| fact.version).eq(1..=30));
}

async fn a_missing_page_is_an_error_and_not_a_resource_with_fewer_facts(writes: WriteMethod) {
    let (local, table) = table(writes).await;
    let id = deposit("damaged");
    let resource = folded(Resource::unknown(id.clone()), (0..20).map(|number| large(&id, "pending", number, 12_000)));
    assert!(matches!(write_one(&table, Write::of(resource, 0)).await, WriteOutcome::Written));
    local.delete(&format!("page#{id}#1")).await;
    let error = table.read(std::slice::from_ref(&id)).await.expect_err("a page is missing");
    assert_eq!(error.disposition(), Disposition::DeadLetter);
    assert!(fundhook_ports::chain(&error).contains(&format!("page#{id}#1")), "{}", fundhook_ports::chain(&error));
}

async fn a_kind_that_forgets_its_oldest_facts_has_no_pages(writes: WriteMethod) {
    let (local, table) = table(writes).await;
    let id = id_of(Kind::Participant, Provider::Zerohash, "CUST01");
    let told = (0..64).map(|number| {
        let mut statement = statement(&id, "approved", number, &number.to_string());
        statement.content.event_type = "x".repeat(3000);
        statement
    });
    let resource = folded(Resource::unknown(id.clone()), told);
    assert!(matches!(write_one(&table, Write::of(resource, 0)).await, WriteOutcome::Written));
    assert_eq!(pages(&local, &id).await, 0);
}

crate::support::by_statements_and_by_puts! {
    a_resource_of_any_size_is_read_as_it_was_written_and_no_item_is_large,
    facts_that_are_written_at_once_take_as_many_pages_as_they_need,
    a_writer_that_lost_reads_all_facts_again,
    a_missing_page_is_an_error_and_not_a_resource_with_fewer_facts,
    a_kind_that_forgets_its_oldest_facts_has_no_pages,
}
