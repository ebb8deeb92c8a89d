//! Resources with many facts: the publisher reads the earlier ones from their pages.

use fundhook_adapters::table::{FACTS, PAGES};
use fundhook_domain::{Resource, Statement};
use fundhook_ports::fakes::{Fail, Fake, ReceiptTable, ResourceTable, Topic};
use serde_json::{Value, json};

use crate::support::{changed, folded, handled, handled_with, published_ids, statement};

fn life() -> Vec<Statement> {
    vec![
        statement("a", "pending", 0),
        statement("a", "submitted", 10),
        statement("a", "held", 20),
        statement("a", "confirmed", 40),
    ]
}

/// The record of the write of the last fact. The first half of the facts are on a page.
fn last_of(resource: &Resource) -> Value {
    let before = folded(&life()[..3]);
    let mut record = changed("1", Some(&before), resource);
    let image = &mut record["dynamodb"]["NewImage"];
    let facts = image[FACTS]["L"].as_array_mut().expect("a list");
    facts.drain(..facts.len() / 2);
    image[PAGES] = json!({ "N": "1" });
    record
}

#[tokio::test]
async fn the_events_are_those_of_all_facts() {
    let resource = folded(&life());
    let (whole, topic) = (Fake::<Topic>::default(), Fake::<Topic>::default());
    let record = changed("1", Some(&folded(&life()[..3])), &resource);
    assert_eq!(handled(&whole, &[record]).await, None);

    let (receipts, table) = (Fake::<ReceiptTable>::default(), Fake::<ResourceTable>::holding([resource.clone()]));
    assert_eq!(handled_with(60, &topic, &receipts, &table, &[last_of(&resource)]).await, None);
    assert_eq!(published_ids(&topic), ["a#4"]);
    assert_eq!(topic.events(), whole.events());
}

#[tokio::test]
async fn a_page_that_cannot_be_read_has_its_record_delivered_again() {
    let resource = folded(&life());
    let (topic, receipts) = (Fake::<Topic>::default(), Fake::<ReceiptTable>::default());
    let table = Fake::<ResourceTable>::holding([resource.clone()]);
    table.now().on_read = Fail::Always;
    let failed = handled_with(60, &topic, &receipts, &table, &[last_of(&resource)]).await;
    assert_eq!((failed.as_deref(), topic.calls()), (Some("1"), 0));
}
