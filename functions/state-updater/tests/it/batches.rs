//! What becomes of a batch of signals: one read, one write, and for each message whether it was finished.

use std::sync::Mutex;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use fundhook_domain::Statement;
use fundhook_ports::Disposition;
use state_updater::{ATTEMPTS_MAX, StateUpdater};

use crate::support::{Fate, Table, at, batch, batch_of, deposit, failed, folded, lock, message, messages, statement};

/// Handles one batch, and notes before which repetitions it paused.
async fn handled_with_pauses(table: &Table, event: SqsEvent) -> (SqsBatchResponse, Vec<u32>) {
    let pauses = Mutex::new(Vec::new());
    let pause = async |repetition| lock(&pauses).push(repetition);
    let response = StateUpdater::new(table.clone(), pause).handle(event, at(100)).await;
    let pauses = lock(&pauses).clone();
    (response, pauses)
}

async fn handled(table: &Table, event: SqsEvent) -> SqsBatchResponse {
    handled_with_pauses(table, event).await.0
}

#[tokio::test]
async fn a_batch_is_one_read_and_one_write_however_many_resources_it_speaks_of() {
    let statements = [
        statement("a", "confirmed", 40),
        statement("b", "pending", 0),
        statement("a", "pending", 0),
        statement("c", "held", 20),
        statement("b", "submitted", 10),
        statement("a", "submitted", 10),
    ];
    let table = Table::holding([folded(&[statement("c", "pending", 0)])]);
    assert!(failed(&handled(&table, batch_of(&statements)).await).is_empty());

    let all = ["a", "b", "c"].map(deposit);
    assert_eq!(table.reads(), [all.to_vec()], "distinct ids, in one call");
    assert_eq!(table.writes(), [all.to_vec()]);
    for (native, version, status) in [("a", 3, "confirmed"), ("b", 2, "submitted"), ("c", 2, "held")] {
        let resource = table.resource(native);
        assert_eq!((resource.version(), resource.view().expect("a view").status.as_str()), (version, status));
    }
}

#[tokio::test]
async fn what_stands_twice_in_a_batch_is_recorded_once_and_both_messages_are_finished() {
    let confirmed = statement("a", "confirmed", 40);
    let statements = [confirmed.clone(), statement("a", "pending", 0), confirmed];
    let table = Table::default();
    assert!(failed(&handled(&table, batch_of(&statements)).await).is_empty());
    assert_eq!(table.resource("a"), folded(&statements[..2]));
}

#[tokio::test]
async fn what_is_known_is_finished_without_a_write() {
    let known = [statement("a", "pending", 0), statement("a", "confirmed", 40)];
    let table = Table::holding([folded(&known)]);
    let (response, pauses) = handled_with_pauses(&table, batch_of(&known)).await;
    assert!(failed(&response).is_empty() && pauses.is_empty());
    assert_eq!((table.reads().len(), table.writes().len()), (1, 0));

    // Beside it, what is new is written.
    let statements = [known[0].clone(), statement("b", "pending", 0)];
    assert!(failed(&handled(&table, batch_of(&statements)).await).is_empty());
    assert_eq!(table.writes(), [[deposit("b")]]);
}

#[tokio::test]
async fn a_batch_without_signals_touches_nothing() {
    for bodies in [vec![], vec!["poison"]] {
        let table = Table::default();
        assert_eq!(failed(&handled(&table, batch(&bodies)).await).len(), bodies.len());
        assert!(table.reads().is_empty() && table.writes().is_empty());
    }
}

#[tokio::test]
async fn a_message_that_is_no_signal_fails_alone() {
    let (one, other) = (statement("a", "pending", 0), statement("b", "pending", 0));
    let another_version = message(&one).replacen(r#""v":1"#, r#""v":3"#, 1);
    let another_kind = message(&one).replace("deposit#connect", "withdrawal#connect");
    for poison in ["", "not JSON", "{}", &another_version, &another_kind] {
        let table = Table::default();
        let response = handled(&table, batch(&[&message(&one), poison, &message(&other)])).await;
        assert_eq!(failed(&response), messages(&[1]), "{poison}");
        assert_eq!((table.resource("a").version(), table.resource("b").version()), (1, 1));
    }
}

#[tokio::test]
async fn a_write_that_lost_goes_on_from_what_beat_it_and_reads_only_when_it_was_not_told() {
    let rival = statement("a", "submitted", 10);
    let all = || vec![deposit("a"), deposit("b")];
    for (fate, reads) in [
        (Fate::LosesTo(rival.clone().into()), vec![all()]),
        (Fate::LosesUntoldTo(rival.clone().into()), vec![all(), vec![deposit("a")]]),
    ] {
        let table = Table::default().with("a", [fate]);
        let statements = [statement("a", "confirmed", 40), statement("b", "pending", 0)];
        let (response, pauses) = handled_with_pauses(&table, batch_of(&statements)).await;
        assert!(failed(&response).is_empty());
        assert_eq!(pauses, [1]);
        assert_eq!(table.resource("a"), folded(&[rival.clone(), statements[0].clone()]));
        assert_eq!(table.resource("b"), folded(&statements[1..]));
        assert_eq!(table.reads(), reads);
        // The one that won is not written again.
        assert_eq!(table.writes(), [all(), vec![deposit("a")]]);
    }
}

#[tokio::test]
async fn a_write_that_lost_to_the_same_facts_has_nothing_left_to_do() {
    // By another updater that had the same message, or by itself, when the answer to a write was lost on the way.
    let said = statement("a", "confirmed", 40);
    for fate in [Fate::LosesTo(said.clone().into()), Fate::LosesUntoldTo(said.clone().into()), Fate::LosesToItself] {
        let table = Table::default().with("a", [fate]);
        assert!(failed(&handled(&table, batch_of(std::slice::from_ref(&said))).await).is_empty());
        assert_eq!(table.resource("a"), folded(std::slice::from_ref(&said)));
        assert_eq!(table.writes().len(), 1);
    }
}

#[tokio::test]
async fn after_the_last_attempt_exactly_the_contended_messages_go_back_to_the_queue() {
    let rivals = (0..).map(|seconds| statement("a", "held", seconds));
    for (losses, is_written) in [(ATTEMPTS_MAX - 1, true), (ATTEMPTS_MAX, false)] {
        let losses_in_a_row = rivals.clone().take(losses as usize).map(|rival| Fate::LosesTo(rival.into()));
        let table = Table::default().with("a", losses_in_a_row);
        let statements = [statement("b", "pending", 0), statement("a", "pending", 0), statement("a", "confirmed", 40)];
        let (response, pauses) = handled_with_pauses(&table, batch_of(&statements)).await;
        assert_eq!(failed(&response), if is_written { vec![] } else { messages(&[1, 2]) });
        assert_eq!(pauses, (1..ATTEMPTS_MAX).collect::<Vec<_>>());
        assert_eq!(table.writes().len(), ATTEMPTS_MAX as usize);
        assert_eq!(table.resource("a").version(), u64::from(losses) + if is_written { 2 } else { 0 });
        assert_eq!(table.resource("b").version(), 1);
    }
}

#[tokio::test]
async fn a_write_that_failed_goes_back_to_the_queue_at_once_and_its_neighbours_do_not() {
    for disposition in [Disposition::Retry, Disposition::DeadLetter] {
        let table = Table::default().with("a", [Fate::Fails(disposition)]);
        let statements = [statement("a", "pending", 0), statement("b", "pending", 0), statement("a", "confirmed", 40)];
        let (response, pauses) = handled_with_pauses(&table, batch_of(&statements)).await;
        assert_eq!(failed(&response), messages(&[0, 2]));
        assert!(pauses.is_empty(), "the queue waits longer than a function can");
        assert_eq!((table.resource("a").version(), table.resource("b").version()), (0, 1));
    }
}

#[tokio::test]
async fn when_the_table_cannot_be_read_everything_not_yet_written_goes_back_to_the_queue() {
    let statements = [statement("a", "pending", 0), statement("b", "pending", 0), statement("a", "confirmed", 40)];
    let bodies: Vec<String> = statements.iter().map(message).chain(["poison".to_owned()]).collect();

    let table = Table::default();
    table.contents().reads_fail.push_back(true);
    assert_eq!(failed(&handled(&table, batch(&bodies)).await), messages(&[0, 1, 2, 3]));
    assert!(table.writes().is_empty());

    // Not at first, but when what beat a write must be read: what was written before stays finished.
    let table = Table::default().with("a", [Fate::LosesUntoldTo(statement("a", "held", 20).into())]);
    table.contents().reads_fail.extend([false, true]);
    assert_eq!(failed(&handled(&table, batch(&bodies)).await), messages(&[0, 2, 3]));
    assert_eq!(table.resource("b"), folded(&statements[1..2]));
}

#[tokio::test]
async fn contradicting_ends_are_recorded_both_and_finished() {
    let statements: [Statement; 2] = [statement("a", "confirmed", 40), statement("a", "failed", 50)];
    let table = Table::default();
    assert!(failed(&handled(&table, batch_of(&statements)).await).is_empty());
    assert_eq!(table.resource("a").view().expect("a view").conflicting.len(), 2);
}
