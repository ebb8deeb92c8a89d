//! Signals between functions: what one writes the other reads, and what is not a signal is named as such.

use fundhook_domain::{Statement, StatementError, Status};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};

use crate::support::whole::whole;
use crate::support::{deposit, in_other_bytes, json, quantity, statement, whole_deposit, with};

fn message(statement: &Statement) -> Value {
    json(&statement.to_message().expect("a message"))
}

#[test]
fn a_signal_of_every_status_reads_back_as_it_was_written() {
    for status in Status::ALL {
        for written in [statement(status, 7), whole(status, 7)] {
            let message = written.to_message().expect("a message");
            assert_eq!(Statement::from_message(&message).expect("a signal"), written, "{message}");
        }
    }
}

#[test]
fn a_message_of_another_version_is_refused() {
    for version in [0, 3, 255] {
        let mut message = message(&deposit("confirmed", 0));
        message["v"] = json!(version);
        let read = Statement::from_message(&message.to_string());
        assert!(matches!(read, Err(StatementError::Version(found)) if found == version), "{read:?}");
    }
}

#[test]
fn a_status_that_the_resource_cannot_have_is_refused() {
    let mut refused = 0;
    for of in Status::ALL {
        for status in Status::ALL.into_iter().filter(|status| status.kind() != of.kind()) {
            let mut mixed = statement(of, 0);
            mixed.status = status;
            let read = Statement::from_message(&mixed.to_message().expect("a message"));
            assert!(
                matches!(read, Err(StatementError::Status(kind, found)) if (kind, found) == (of.kind(), status)),
                "{of:?} with {status:?}: {read:?}"
            );
            refused += 1;
        }
    }
    let of_one_kind = |count: usize| count * count;
    assert_eq!(refused, of_one_kind(34) - [7, 6, 2, 3, 8, 6, 1, 1].map(of_one_kind).iter().sum::<usize>());
}

#[test]
fn what_does_not_have_the_shape_is_refused() {
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
        without(&["statement"]),
        without(&["statement", "resource"]),
        without(&["statement", "fact"]),
        without(&["statement", "status"]),
        without(&["statement", "occurred_at"]),
        without(&["statement", "evidence", "archived"]),
        altered("/statement/resource", json!("deposit#connect#")),
        altered("/statement/resource", json!("loan#connect#1")),
        altered("/statement/fact", json!("ABCD")),
        altered("/statement/status", json!({ "deposit": "done" })),
        altered("/statement/occurred_at", json!(1_759_866_290)),
        altered("/statement/details/transfer/quantity/value", json!("1e3")),
        altered("/statement/details/transfer/quantity/value", json!(0.013)),
    ] {
        let read = Statement::from_message(&message);
        assert!(matches!(read, Err(StatementError::Shape(_))), "{message}: {read:?}");
    }
}

proptest! {
    // A failing case's seed is printed, and kept beside this file.
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("seeds"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_and_any_number_survives_the_message(
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
        let written = in_other_bytes(&number, &written);
        prop_assert_eq!(Statement::from_message(&written.to_message().expect("a message")).expect("a signal"), written);
    }
}
