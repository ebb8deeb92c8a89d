//! The outcome of a batch of statements: one read, one write, and which messages are delivered again.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use fundhook_domain::{Details, Quantity, Statement};
use fundhook_ports::Disposition;
use fundhook_ports::fakes::{Fail, Fake, Fate};
use state_updater::{ATTEMPTS_MAX, StateUpdater};

use crate::support::logs::logged;
use crate::support::{Table, at, batch, batch_of, deposit, failed, folded, message, messages, statement};

/// Handles one batch. Returns also the repetitions before which it paused.
async fn handled_with_pauses(table: &Table, event: SqsEvent) -> (SqsBatchResponse, Vec<u32>) {
    let pauses = Fake::<Vec<u32>>::default();
    let pause = async |repetition| pauses.now().push(repetition);
    let response = StateUpdater::new(table.clone(), pause).handle(event, at(100)).await;
    let pauses = pauses.now().clone();
    (response, pauses)
}

async fn handled(table: &Table, event: SqsEvent) -> SqsBatchResponse {
    handled_with_pauses(table, event).await.0
}

#[tokio::test]
async fn a_batch_is_one_read_and_one_write_for_all_its_resources() {
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
        let resource = table.resource(&deposit(native));
        let reached = resource.view().expect("a view").status.expect("a status");
        assert_eq!((resource.version(), reached.as_str()), (version, status));
    }
}

#[tokio::test]
async fn a_statement_that_is_twice_in_a_batch_is_recorded_once_and_both_messages_are_finished() {
    let confirmed = statement("a", "confirmed", 40);
    let statements = [confirmed.clone(), statement("a", "pending", 0), confirmed];
    let table = Table::default();
    assert!(failed(&handled(&table, batch_of(&statements)).await).is_empty());
    assert_eq!(table.resource(&deposit("a")), folded(&statements[..2]));
}

#[tokio::test]
async fn statements_that_are_already_recorded_are_finished_without_a_write() {
    let known = [statement("a", "pending", 0), statement("a", "confirmed", 40)];
    let table = Table::holding([folded(&known)]);
    let (response, pauses) = handled_with_pauses(&table, batch_of(&known)).await;
    assert!(failed(&response).is_empty() && pauses.is_empty());
    assert_eq!((table.reads().len(), table.writes().len()), (1, 0));

    // A new statement in the same batch is written.
    let statements = [known[0].clone(), statement("b", "pending", 0)];
    assert!(failed(&handled(&table, batch_of(&statements)).await).is_empty());
    assert_eq!(table.writes(), [[deposit("b")]]);
}

#[tokio::test]
async fn a_batch_without_statements_reads_and_writes_nothing() {
    for bodies in [vec![], vec!["poison"]] {
        let table = Table::default();
        assert_eq!(failed(&handled(&table, batch(&bodies)).await).len(), bodies.len());
        assert!(table.reads().is_empty() && table.writes().is_empty());
    }
}

#[tokio::test]
async fn a_message_that_is_not_a_statement_fails_alone() {
    let (one, other) = (statement("a", "pending", 0), statement("b", "pending", 0));
    let another_version = message(&one).replacen(r#""v":1"#, r#""v":3"#, 1);
    let another_kind = message(&one).replace("deposit#connect", "withdrawal#connect");
    for poison in ["", "not JSON", "{}", &another_version, &another_kind] {
        let table = Table::default();
        let response = handled(&table, batch(&[&message(&one), poison, &message(&other)])).await;
        assert_eq!(failed(&response), messages(&[1]), "{poison}");
        assert_eq!((table.resource(&deposit("a")).version(), table.resource(&deposit("b")).version()), (1, 1));
    }
}

#[tokio::test]
async fn a_write_that_lost_is_repeated_on_the_current_resource_and_reads_it_only_if_the_answer_did_not_contain_it() {
    let rival = statement("a", "submitted", 10);
    let all = || vec![deposit("a"), deposit("b")];
    for (fate, reads) in [
        (Fate::LosesTo(rival.clone().into()), vec![all()]),
        (Fate::LosesBlindlyTo(rival.clone().into()), vec![all(), vec![deposit("a")]]),
    ] {
        let table = Table::default().with_fates(deposit("a"), [fate]);
        let statements = [statement("a", "confirmed", 40), statement("b", "pending", 0)];
        let (response, pauses) = handled_with_pauses(&table, batch_of(&statements)).await;
        assert!(failed(&response).is_empty());
        assert_eq!(pauses, [1]);
        assert_eq!(table.resource(&deposit("a")), folded(&[rival.clone(), statements[0].clone()]));
        assert_eq!(table.resource(&deposit("b")), folded(&statements[1..]));
        assert_eq!(table.reads(), reads);
        // The write that succeeded is not repeated.
        assert_eq!(table.writes(), [all(), vec![deposit("a")]]);
    }
}

#[tokio::test]
async fn a_write_that_lost_to_the_same_facts_is_not_repeated() {
    // Another updater had the same message, or the SDK repeated a write whose answer was lost.
    let confirmed = statement("a", "confirmed", 40);
    for fate in
        [Fate::LosesTo(confirmed.clone().into()), Fate::LosesBlindlyTo(confirmed.clone().into()), Fate::LosesToItself]
    {
        let table = Table::default().with_fates(deposit("a"), [fate]);
        assert!(failed(&handled(&table, batch_of(std::slice::from_ref(&confirmed))).await).is_empty());
        assert_eq!(table.resource(&deposit("a")), folded(std::slice::from_ref(&confirmed)));
        assert_eq!(table.writes().len(), 1);
    }
}

#[tokio::test]
async fn after_the_last_attempt_only_the_contended_messages_go_back_to_the_queue() {
    let rivals = (0..).map(|seconds| statement("a", "held", seconds));
    for (losses, is_written) in [(ATTEMPTS_MAX - 1, true), (ATTEMPTS_MAX, false)] {
        let losses_in_a_row = rivals.clone().take(losses as usize).map(|rival| Fate::LosesTo(rival.into()));
        let table = Table::default().with_fates(deposit("a"), losses_in_a_row);
        let statements = [statement("b", "pending", 0), statement("a", "pending", 0), statement("a", "confirmed", 40)];
        let (response, pauses) = handled_with_pauses(&table, batch_of(&statements)).await;
        assert_eq!(failed(&response), if is_written { vec![] } else { messages(&[1, 2]) });
        assert_eq!(pauses, (1..ATTEMPTS_MAX).collect::<Vec<_>>());
        assert_eq!(table.writes().len(), ATTEMPTS_MAX as usize);
        assert_eq!(table.resource(&deposit("a")).version(), u64::from(losses) + if is_written { 2 } else { 0 });
        assert_eq!(table.resource(&deposit("b")).version(), 1);
    }
}

#[tokio::test]
async fn the_messages_of_a_write_that_failed_go_back_to_the_queue_at_once_and_others_do_not() {
    for disposition in [Disposition::Retry, Disposition::DeadLetter] {
        let table = Table::default().with_fates(deposit("a"), [Fate::Fails(disposition)]);
        let statements = [statement("a", "pending", 0), statement("b", "pending", 0), statement("a", "confirmed", 40)];
        let (response, pauses) = handled_with_pauses(&table, batch_of(&statements)).await;
        assert_eq!(failed(&response), messages(&[0, 2]));
        assert!(pauses.is_empty(), "the queue waits longer than a function could");
        assert_eq!((table.resource(&deposit("a")).version(), table.resource(&deposit("b")).version()), (0, 1));
    }
}

#[tokio::test]
async fn when_the_table_cannot_be_read_all_messages_not_yet_written_go_back_to_the_queue() {
    let statements = [statement("a", "pending", 0), statement("b", "pending", 0), statement("a", "confirmed", 40)];
    let bodies: Vec<String> = statements.iter().map(message).chain(["poison".to_owned()]).collect();

    let table = Table::default();
    table.now().on_read = Fail::Next(1);
    assert_eq!(failed(&handled(&table, batch(&bodies)).await), messages(&[0, 1, 2, 3]));
    assert!(table.writes().is_empty());

    // The first read succeeds, and the one after a lost write fails: what was written stays finished.
    let table = Table::default().with_fates(deposit("a"), [Fate::LosesBlindlyTo(statement("a", "held", 20).into())]);
    table.now().on_read = Fail::After(1);
    assert_eq!(failed(&handled(&table, batch(&bodies)).await), messages(&[0, 2, 3]));
    assert_eq!(table.resource(&deposit("b")), folded(&statements[1..2]));
}

#[tokio::test]
async fn contradicting_final_statuses_are_both_recorded_and_finished() {
    let statements: [Statement; 2] = [statement("a", "confirmed", 40), statement("a", "failed", 50)];
    let table = Table::default();
    assert!(failed(&handled(&table, batch_of(&statements)).await).is_empty());
    assert_eq!(table.resource(&deposit("a")).view().expect("a view").conflicting().len(), 2);
}

#[tokio::test]
async fn a_conflict_is_logged_with_its_statuses_and_what_it_is_about() {
    let with_amount = |mut statement: Statement, amount: &str| {
        let Details::Transfer(details) = &mut statement.content.details else { unreachable!("a deposit") };
        details.quantity = Some(Quantity::major(amount.parse().expect("a decimal")));
        statement
    };
    let confirmed = || with_amount(statement("a", "confirmed", 40), "100");
    for (other, statuses, about) in [
        (statement("a", "failed", 50), "confirmed, failed", "status"),
        (with_amount(statement("a", "confirmed", 50), "99"), "confirmed", "amount"),
    ] {
        let lines = logged(async {
            assert!(failed(&handled(&Table::default(), batch_of(&[confirmed(), other])).await).is_empty());
        })
        .await;
        let warnings: Vec<&str> = lines.lines().filter(|line| line.contains("WARN")).collect();
        let [warning] = &warnings[..] else { unreachable!("one warning: {lines}") };
        let sentence =
            format!("deposit#connect#a has conflicting statements ({statuses}; about: {about}); it needs review");
        for part in [&sentence, "resource.id=deposit#connect#a", &format!("about=\"{about}\"")] {
            assert!(warning.contains(part), "{part:?} is not in {warning}");
        }
    }
    let lines = logged(async {
        let statements = [confirmed(), statement("a", "pending", 0)];
        assert!(failed(&handled(&Table::default(), batch_of(&statements)).await).is_empty());
    })
    .await;
    assert!(!lines.contains("WARN"), "a late statement does not conflict: {lines}");
}
