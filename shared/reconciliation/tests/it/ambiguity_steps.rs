//! Whether a listed deposit may already be credited: which questions are asked, and what follows from the answers.

use std::time::Duration;

use fundhook_domain::{Claim, Network, Resource, Statement, TransferDetails};
use fundhook_reconciliation::{
    Ambiguity, AmbiguityStep, ConfirmedRow, KnownAboutRow, OrganizationFeeds, Question, SIMILAR_DEPOSITS_MAX, Verdict,
    next,
};

use crate::deposits::{id, recorded, row, row_with, sent};
use crate::support::coins::World;
use crate::support::{folded, with};

const ROW: &str = "deposit#connect#7";
const OTHER: &str = "deposit#connect#1";

/// What the executor would find out.
#[derive(Default)]
struct Answers {
    claims: Vec<Claim>,
    account_deposits: Vec<Resource>,
    /// The ids that the provider lists.
    listed: Vec<String>,
}

/// Asks until there is a verdict. Returns it with the questions, in order.
fn decide(row: ConfirmedRow<'_>, answers: &Answers) -> (Verdict, Vec<String>) {
    let mut known = KnownAboutRow::default();
    let mut questions = Vec::new();
    loop {
        let question = match next(row, &known) {
            AmbiguityStep::Verdict(verdict) => return (verdict, questions),
            AmbiguityStep::Ask(question) => question,
        };
        let name = match &question {
            Question::ClaimsOn(_) => "claims".to_owned(),
            Question::IsListed(id) => format!("is {id} listed"),
            Question::DepositsOf { account, .. } => format!("deposits of {account}"),
        };
        assert!(!questions.contains(&name), "{name} was answered before");
        questions.push(name);
        match question {
            Question::ClaimsOn(_) => known.add_claims(answers.claims.clone()),
            Question::IsListed(id) => {
                let is_listed = answers.listed.contains(&id.to_string());
                known.add_listed(id, is_listed);
            }
            Question::DepositsOf { .. } => known.add_account_deposits(answers.account_deposits.clone()),
        }
    }
}

fn chain_hash(details: &mut TransferDetails) {
    details.transaction.hash = Some("ab".repeat(32));
}

fn no_hash(details: &mut TransferDetails) {
    details.transaction.hash = None;
}

/// As in the list of [connect-guide §7]: an id of the provider in place of a hash.
fn not_a_hash(details: &mut TransferDetails) {
    details.transaction.hash = Some("ec963207-69f4-44d0-9251-2977dda86fcd".to_owned());
}

fn unreported(statement: &Statement, feeds: OrganizationFeeds) -> ConfirmedRow<'_> {
    ConfirmedRow { statement, recorded: None, feeds }
}

fn resembles(known: &str) -> Verdict {
    Verdict::Ambiguous(Ambiguity::Resembles(id(known)))
}

const NOT_IDENTIFIED: Verdict = Verdict::Ambiguous(Ambiguity::CoinNotIdentified);

#[test]
fn a_deposit_that_a_webhook_reported_under_its_id_is_decided_without_questions() {
    use OrganizationFeeds::{ConnectAndZerohash, One};
    type Say = fn(&mut TransferDetails);
    let cases: [(&str, OrganizationFeeds, Say, Say, Verdict); 5] = [
        ("one feed, no hash", One, no_hash, no_hash, Verdict::Queue),
        ("two feeds, no hash", ConnectAndZerohash, no_hash, no_hash, NOT_IDENTIFIED),
        ("two feeds, the row has a hash", ConnectAndZerohash, chain_hash, no_hash, Verdict::Queue),
        ("two feeds, the webhook has a hash", ConnectAndZerohash, no_hash, chain_hash, Verdict::Queue),
        ("two feeds, an id that is not a hash", ConnectAndZerohash, not_a_hash, not_a_hash, NOT_IDENTIFIED),
    ];
    for (name, feeds, row_says, webhook_says, verdict) in cases {
        let statement = row_with(ROW, row_says);
        let submitted = folded(&[with(sent(ROW, "submitted", 10), webhook_says)]);
        let row = ConfirmedRow { statement: &statement, recorded: Some(&submitted), feeds };
        assert_eq!(decide(row, &Answers::default()), (verdict, vec![]), "{name}");
    }
}

#[test]
fn a_deposit_that_only_the_list_reported_is_decided_as_if_nothing_were_recorded() {
    let statement = row_with(ROW, |_| {});
    let held = folded(&[row(ROW, "held", 10)]);
    let similar = recorded(&[with(sent(OTHER, "confirmed", 40), no_hash)]);
    let answers = Answers { account_deposits: vec![similar], ..Answers::default() };
    let listed = ConfirmedRow { statement: &statement, recorded: Some(&held), feeds: OrganizationFeeds::One };
    let (verdict, questions) = decide(listed, &answers);
    assert_eq!(verdict, resembles(OTHER));
    assert_eq!(questions, ["claims", "deposits of CUST01", "is deposit#connect#1 listed"]);
}

#[test]
fn without_a_transaction_hash_nothing_is_queued_where_each_coin_is_reported_twice() {
    for (name, statement, verdict) in [
        ("no hash", row_with(ROW, no_hash), NOT_IDENTIFIED),
        ("an id that is not a hash", row_with(ROW, not_a_hash), NOT_IDENTIFIED),
        ("a hash", row_with(ROW, chain_hash), Verdict::Queue),
    ] {
        let row = unreported(&statement, OrganizationFeeds::ConnectAndZerohash);
        assert_eq!(decide(row, &Answers::default()).0, verdict, "{name}");
    }
}

#[test]
fn a_coin_that_the_same_feed_claimed_under_another_id_is_ambiguous_unless_both_are_listed() {
    let claim_of = |of: &str, say: fn(&mut TransferDetails)| {
        let confirmed = with(sent(of, "confirmed", 40), |details| {
            chain_hash(details);
            say(details);
        });
        World::of(&[confirmed]).only_claim().clone()
    };
    let same_coin: fn(&mut TransferDetails) = |_| {};
    let other_chain: fn(&mut TransferDetails) = |details| details.network = Some(Network::named("ethereum"));
    let statement = row_with(ROW, chain_hash);
    for (name, claim, listed, verdict, is_asked) in [
        ("claimed by another id that is not listed", claim_of(OTHER, same_coin), &[][..], resembles(OTHER), true),
        ("claimed by another id that is listed", claim_of(OTHER, same_coin), &[OTHER], Verdict::Queue, true),
        ("claimed by itself", claim_of(ROW, same_coin), &[], Verdict::Queue, false),
        ("claimed by the other feed", claim_of("deposit#zerohash#1", same_coin), &[], Verdict::Queue, false),
        ("claimed on another chain", claim_of(OTHER, other_chain), &[], Verdict::Queue, false),
    ] {
        let listed = listed.iter().map(|id| (*id).to_owned()).collect();
        let answers = Answers { claims: vec![claim], listed, ..Answers::default() };
        let (decided, questions) = decide(unreported(&statement, OrganizationFeeds::One), &answers);
        assert_eq!(decided, verdict, "{name}");
        assert_eq!(questions[0], "claims", "{name}");
        assert_eq!(questions.contains(&"is deposit#connect#1 listed".to_owned()), is_asked, "{name}: {questions:?}");
    }
}

#[test]
fn a_similar_deposit_is_another_one_only_if_the_provider_lists_it_under_its_own_id() {
    let statement = row_with(ROW, no_hash);
    let similar = |count: usize| -> (Vec<String>, Vec<Resource>) {
        let ids: Vec<String> = (0..count).map(|nth| format!("deposit#connect#similar-{nth}")).collect();
        let deposits = ids.iter().map(|id| recorded(&[with(sent(id, "confirmed", 40), no_hash)])).collect();
        (ids, deposits)
    };
    for (count, listed, verdict, asked) in [
        (0, 0, Verdict::Queue, 0),
        (1, 0, resembles("deposit#connect#similar-0"), 1),
        (1, 1, Verdict::Queue, 1),
        (3, 2, resembles("deposit#connect#similar-2"), 3),
        (SIMILAR_DEPOSITS_MAX, SIMILAR_DEPOSITS_MAX, Verdict::Queue, SIMILAR_DEPOSITS_MAX),
        (SIMILAR_DEPOSITS_MAX + 1, 9, resembles("deposit#connect#similar-5"), SIMILAR_DEPOSITS_MAX),
    ] {
        let (ids, account_deposits) = similar(count);
        let listed = ids.into_iter().take(listed).collect();
        let answers = Answers { account_deposits, listed, ..Answers::default() };
        let (decided, questions) = decide(unreported(&statement, OrganizationFeeds::One), &answers);
        assert_eq!(decided, verdict, "{count} similar deposits");
        let is_asked = questions.iter().filter(|question| question.ends_with(" listed")).count();
        assert_eq!(is_asked, asked, "{count} similar deposits: {questions:?}");
    }
}

#[test]
fn a_row_without_an_account_resembles_nothing() {
    let statement = with(row_with(ROW, no_hash), |details| details.account = None);
    let (verdict, questions) = decide(unreported(&statement, OrganizationFeeds::One), &Answers::default());
    assert_eq!((verdict, questions), (Verdict::Queue, vec![]));
}

#[test]
fn deposits_of_the_account_are_requested_for_a_week_and_an_hour_before_the_row() {
    let statement = row_with(ROW, no_hash);
    let step = next(unreported(&statement, OrganizationFeeds::One), &KnownAboutRow::default());
    let since = statement.content.occurred_at.minus(Duration::from_secs(7 * 86_400 + 3600));
    let account = "CUST01".to_owned();
    assert_eq!(step, AmbiguityStep::Ask(Question::DepositsOf { account, since }));
}
