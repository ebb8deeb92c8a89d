//! Facts of any kind with few different details, so that ties, conflicts and equal statements are common.

use fundhook_domain::{
    DecidedBy, DepositStatus, Details, FeeBearer, HoldReason, Kind, Outflow, Quantity, RecoveryStatus, Statement,
    Status, Transaction, TransferDetails, WebhookFamily, WithdrawalStatus, digest_hex,
};
use proptest::prelude::*;
use proptest::sample::Index;

use super::money::{in_kind, with_fee};
use super::readings::{reading, reread};
use super::recovery::{announced, paid, with_outflow};
use super::{in_other_bytes, quantity, received, signed, statement_in};

/// What selects the details of a statement.
#[derive(Clone, Debug)]
struct Picks {
    status: Status,
    seconds: u64,
    details: (usize, usize, usize),
    /// The hold of a held deposit, and the credit of a confirmed one.
    money: usize,
    family: usize,
    /// Whether it reports its status.
    has_status: bool,
}

fn picks(statuses: Vec<Status>) -> impl Strategy<Value = Picks> {
    let details = (0..3_usize, 0..3_usize, 0..3_usize);
    let statuses = prop::sample::select(statuses);
    let money = (0..HoldReason::ALL.len(), 0..3_usize);
    let has_status = prop::bool::weighted(0.85);
    (statuses, 0..3_u64, details, money, has_status).prop_map(
        |(status, seconds, details, (money, family), has_status)| Picks {
            status,
            seconds,
            details,
            money,
            family,
            has_status,
        },
    )
}

/// What a deposit states about the money.
fn state_money(details: &mut TransferDetails, status: DepositStatus, pick: usize) {
    match status {
        DepositStatus::Held => details.hold = Some(HoldReason::ALL[pick].into()),
        DepositStatus::Confirmed => {
            details.credit = Some(match pick % 4 {
                0 => with_fee(FeeBearer::Customer, DecidedBy::Numbers),
                1 => with_fee(FeeBearer::Platform, DecidedBy::Setting),
                2 => with_fee(FeeBearer::Customer, DecidedBy::Setting),
                _ => in_kind("1", "BTC"),
            });
        }
        DepositStatus::Pending
        | DepositStatus::Submitted
        | DepositStatus::Abandoned
        | DepositStatus::Failed
        | DepositStatus::Unexpected
        | DepositStatus::Reversed => {}
    }
}

/// The statement in the body `body`, with the details that the picks select.
fn statement(body: &str, picks: &Picks) -> Statement {
    let Picks { status, seconds, details: (one, two, three), money, family, has_status } = *picks;
    let amount = [None, Some("1"), Some("119078888888888888887")][one];
    let word = [None, Some("word")][two % 2].map(str::to_owned);
    let memo = (three > 0).then(|| ("memo".to_owned(), seconds.into()));
    let mut statement = statement_in(body, status, seconds);
    match &mut statement.content.details {
        Details::Transfer(details) => {
            details.quantity = amount.map(quantity);
            details.transaction = Transaction { hash: word, ..Transaction::default() };
            details.provider_data.extend(memo);
            let families = [None, Some(WebhookFamily::ZerohashFund), Some(WebhookFamily::ZerohashDepositStatus)];
            details.family = families[family];
            if let Status::Deposit(status) = status {
                state_money(details, status, money);
            }
        }
        Details::Account(details) => {
            details.status_reason = amount.map(str::to_owned);
            details.nickname = word;
            details.provider_data.extend(memo);
        }
        Details::Balance(details) => {
            details.quantity = amount.map(quantity);
            details.sub_account = word;
            details.provider_data.extend(memo);
        }
        Details::Unrecognized(details) => (details.payload_type, details.body_bytes) = (word, seconds),
        Details::Recovery(details) => {
            // A deposit or a payment with one of three ids, in one of two transactions or one of three statuses.
            let native = ["a", "b", "c"][two];
            let family = [
                WebhookFamily::ConnectDeposits,
                WebhookFamily::ZerohashDepositStatus,
                WebhookFamily::ZerohashDepositFailed,
            ][three];
            let steps = [WithdrawalStatus::Broadcast, WithdrawalStatus::Confirmed, WithdrawalStatus::Failed];
            let statement = if status == Status::Recovery(RecoveryStatus::Required) {
                announced(family, native, ["0xab", "ab-0", "cd"][one], ["2", "0.5", "2"][two], seconds)
            } else {
                paid(native, steps[three], amount, seconds)
            };
            if let Details::Recovery(stated) = statement.content.details {
                *details = stated;
            }
        }
    }
    if !has_status {
        statement.content.status = None;
    }
    let (signed_at, received_at) = delays(&statement);
    signed(seconds + signed_at, received(seconds + received_at, statement))
}

/// How long after it happened a statement was signed and received: the same for all statements with the same content.
///
/// Of copies that arrive in another order than they were sent in, only the first publishes an event, so what the view
/// shows between them depends on their order.
fn delays(statement: &Statement) -> (u64, u64) {
    let content = &statement.content;
    let digest = digest_hex(format!("{:?} {:?}", content.status, content.details).as_bytes());
    let digits: Vec<u64> = digest.bytes().take(2).map(|digit| u64::from(digit) % 3).collect();
    (digits[0], digits[1])
}

/// The same bytes in another reading: with the settings or by the revision that `pick` selects, and with details that
/// no other statement has.
fn restatement(number: usize, statement: &Statement, pick: usize) -> Statement {
    let (first, readings) = (&statement.content.reading, [(2, ""), (1, "aa"), (2, "aa")]);
    let (revision, settings) = readings[pick];
    let mut again = reread(statement, reading(0, revision, settings));
    again.content.reading.at = first.at;
    let member = || ("restated".to_owned(), number.into());
    match &mut again.content.details {
        Details::Transfer(details) => {
            details.provider_data.extend([member()]);
            // A credit that could not be told, and can be now.
            if details.hold.take_if(|hold| hold.reason == HoldReason::FeeBearerUnknown).is_some() {
                again.content.status = Some(Status::Deposit(DepositStatus::Confirmed));
                details.credit = Some(with_fee(FeeBearer::Platform, DecidedBy::Setting));
            }
        }
        Details::Account(details) => details.provider_data.extend([member()]),
        Details::Balance(details) => details.provider_data.extend([member()]),
        Details::Unrecognized(details) => details.reason = format!("restated {number}"),
        Details::Recovery(details) => {
            let value = || format!("{number}.75").parse().expect("a decimal");
            details.deposits.values_mut().for_each(|deposit| deposit.value = value());
            let outflow = Outflow { total: Some(Quantity::major(value())), ..Outflow::default() };
            details.payments.values_mut().for_each(|payment| with_outflow(payment, &outflow));
        }
    }
    again
}

/// Up to 30 facts about one resource of any kind, some of them repetitions in other bytes and some of them the same
/// bytes in other readings, with few different times.
///
/// A statement that is restated is not repeated in other bytes too: how often the two are published depends on whether
/// the restatement or the repetition comes first.
pub(crate) fn facts() -> impl Strategy<Value = Vec<Statement>> {
    let of_kind = |kind: Kind| Status::ALL.into_iter().filter(|status| status.kind() == kind).collect::<Vec<_>>();
    let statements = prop::sample::select(Kind::ALL.to_vec())
        .prop_flat_map(move |kind| prop::collection::vec(picks(of_kind(kind)), 1..=20));
    let repeated = prop::collection::vec(any::<Index>(), 0..=6);
    let restated = prop::collection::vec((any::<Index>(), 0..3_usize), 0..=4);
    (statements, repeated, restated).prop_map(|(picked, repeated, restated)| {
        let numbered = picked.iter().enumerate();
        let first: Vec<Statement> =
            numbered.map(|(number, picks)| statement(&format!("body {number}"), picks)).collect();
        let mut facts = first.clone();
        for (number, index) in repeated.into_iter().enumerate() {
            facts.push(in_other_bytes(&format!("repetition {number}"), index.get(&first)));
        }
        for (number, (index, pick)) in restated.into_iter().enumerate() {
            let restated = index.get(&first);
            let again = restatement(number, restated, pick);
            let says_the_same = |fact: &&Statement| {
                let (one, other) = (&fact.content, &restated.content);
                let what = |content: &fundhook_domain::StatementContent| {
                    (content.status, content.occurred_at, content.details.clone())
                };
                what(one) == what(other)
            };
            let has_this_reading =
                |fact: &Statement| fact.content.id == again.content.id && fact.content.reading == again.content.reading;
            if facts.iter().filter(says_the_same).count() == 1 && !facts.iter().any(has_this_reading) {
                facts.push(again);
            }
        }
        facts
    })
}
