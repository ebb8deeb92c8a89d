//! Messages between functions: the reader accepts what the writer writes and rejects anything else with the reason.

use fundhook_domain::{Kind, NewFact, NewFactError, Statement, Status};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};

use crate::support::readings::{reading, reread};
use crate::support::whole::whole;
use crate::support::{deposit, in_other_bytes, json, quantity, statement, status, whole_deposit, with};

fn message(statement: &Statement) -> Value {
    json(&NewFact::from(statement.clone()).to_message().expect("a message"))
}

#[test]
fn a_statement_of_every_status_reads_back_as_it_was_written() {
    for status in Status::ALL {
        for written in [statement(status, 7), whole(status, 7)].map(NewFact::from) {
            let message = written.to_message().expect("a message");
            assert_eq!(NewFact::from_message(&message).expect("a fact to record"), written, "{message}");
        }
    }
}

#[test]
fn a_statement_without_a_status_reads_back_as_it_was_written() {
    let mut silent = statement(status(Kind::Withdrawal, "initiated"), 7);
    silent.content.status = None;
    let written = NewFact::from(silent);
    let message = written.to_message().expect("a message");
    assert_eq!(json(&message)["fact"]["content"]["statement"].get("status"), None);
    assert_eq!(NewFact::from_message(&message).expect("a fact to record"), written, "{message}");
}

#[test]
fn a_reading_reads_back_as_it_was_written() {
    for written in [reading(7, 1, ""), reading(u64::from(u32::MAX), u32::MAX, "a digest of settings")] {
        let written = NewFact::from(reread(&deposit("confirmed", 0), written));
        let message = written.to_message().expect("a message");
        assert_eq!(NewFact::from_message(&message).expect("a fact to record"), written, "{message}");
    }
}

#[test]
fn a_message_of_another_version_is_rejected() {
    for version in [0, 2, 255] {
        let mut message = message(&deposit("confirmed", 0));
        message["v"] = json!(version);
        let read = NewFact::from_message(&message.to_string());
        assert!(matches!(read, Err(NewFactError::Version(found)) if found == version), "{read:?}");
    }
}

#[test]
fn a_status_that_the_resource_cannot_have_is_rejected() {
    let mut rejected = 0;
    for of in Status::ALL {
        for status in Status::ALL.into_iter().filter(|status| status.kind() != of.kind()) {
            let mut mixed = statement(of, 0);
            mixed.content.status = Some(status);
            let read = NewFact::from_message(&message(&mixed).to_string());
            assert!(
                matches!(read, Err(NewFactError::Status(kind, found)) if (kind, found) == (of.kind(), status)),
                "{of:?} with {status:?}: {read:?}"
            );
            rejected += 1;
        }
    }
    let of_one_kind = |count: usize| count * count;
    assert_eq!(rejected, of_one_kind(40) - [8, 7, 2, 3, 4, 8, 6, 1, 1].map(of_one_kind).iter().sum::<usize>());
}

#[test]
fn a_message_of_another_form_is_rejected() {
    let whole = message(&with(deposit("confirmed", 0), whole_deposit));
    let without = |path: &[&str]| {
        let mut message = whole.clone();
        let (last, parents) = path.split_last().expect("a path");
        let parent = parents.iter().fold(&mut message, |value, name| &mut value[*name]);
        parent.as_object_mut().expect("an object").remove(*last).expect("the member was there");
        message.to_string()
    };
    let altered = |pointer: &str, value: Value| {
        let mut message = whole.clone();
        *message.pointer_mut(pointer).expect("the member is there") = value;
        message.to_string()
    };
    for message in [
        String::new(),
        "not JSON".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        without(&["v"]),
        without(&["fact"]),
        without(&["fact", "resource"]),
        without(&["fact", "content"]),
        without(&["fact", "content", "statement"]),
        without(&["fact", "content", "statement", "id"]),
        without(&["fact", "content", "statement", "reading"]),
        without(&["fact", "content", "statement", "reading", "revision"]),
        without(&["fact", "content", "statement", "occurred_at"]),
        without(&["fact", "content", "statement", "evidence", "archived"]),
        altered("/fact/resource", json!("deposit#connect#")),
        altered("/fact/resource", json!("loan#connect#1")),
        altered("/fact/content/statement/id", json!("ABCD")),
        altered("/fact/content/statement/status", json!({ "deposit": "done" })),
        altered("/fact/content/statement/details/transfer/credit/net/value", json!(0.013)),
        altered("/fact/content/statement/details/transfer/credit/decided_by", json!("a coin")),
        altered("/fact/content/statement/occurred_at", json!(1_759_866_290)),
        altered("/fact/content/statement/details/transfer/quantity/value", json!("1e")),
        altered("/fact/content/statement/details/transfer/quantity/value", json!(0.013)),
    ] {
        let read = NewFact::from_message(&message);
        assert!(matches!(read, Err(NewFactError::Shape(_))), "{message}: {read:?}");
    }
}

proptest! {
    // The seed of a failing case is printed and stored next to this file.
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("seeds"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_text_and_number_reads_back_unchanged(
        amount in "-?[0-9]{1,60}(\\.[0-9]{1,60})?",
        texts in prop::collection::vec(any::<String>(), 3),
        number in "-?(0|[1-9][0-9]{0,50})(\\.[0-9]{1,50})?([eE][+-]?[0-9]{1,3})?",
    ) {
        let written = with(deposit("confirmed", 0), |details| {
            details.quantity = Some(quantity(&amount));
            details.account = Some(texts[0].clone());
            details.session.metadata = Some(json!({ texts[1].clone(): json(&number) }));
            details.provider_data.insert(texts[2].clone(), json(&number));
        });
        let written = NewFact::from(in_other_bytes(&number, &written));
        let message = written.to_message().expect("a message");
        prop_assert_eq!(NewFact::from_message(&message).expect("a fact to record"), written);
    }
}
