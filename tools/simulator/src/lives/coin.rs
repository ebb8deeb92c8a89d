//! One coin in two feeds: Connect and zerohash tell the same deposit, each under an id and in a spelling of its own.

use fundhook_domain::{ListKind, Provider, Timestamp};

use super::{Coin, Draws, Life, connect, newest, walk, zerohash};
use crate::provider::Told;

pub(super) fn deposit(draws: &Draws, begins: Timestamp) -> Life {
    let (chance, coin) = (&draws.chance, draws.coin());
    // zerohash leaves the prefix out.
    let theirs = Coin { hash: coin.hash.trim_start_matches("0x").to_owned(), ..coin.clone() };
    let theirs = zerohash::Deposit { id: chance.uuid(), coin: theirs };
    let ours = connect::Deposit { id: chance.uuid(), session: chance.uuid(), coin, begins };
    let at_connect: &[&[&str]] = &[&["pending", "confirmed"], &["pending", "submitted", "confirmed"], &["confirmed"]];
    let at_zerohash: &[&[&str]] = &[&["initial", "completed"], &["confirmed", "completed"], &["completed"]];
    // Half of the coins are told as credited in both feeds within the same moment.
    let (at_connect, at_zerohash, apart) = match chance.one_in(2) {
        true => (&at_connect[2..], &at_zerohash[2..], chance.ms(0..100)),
        false => (at_connect, at_zerohash, chance.ms(0..600_000) / draws.pace),
    };
    let by_connect = walk(draws, begins, at_connect);
    let by_zerohash = walk(draws, begins.plus(apart), at_zerohash);

    let of_connect = by_connect.iter().map(|(at, word)| (*at, Provider::Connect, ours.body(*at, word)));
    let of_zerohash = by_zerohash.iter().map(|(at, word)| (*at, Provider::Zerohash, theirs.body(*at, word)));
    let told = of_connect.chain(of_zerohash).map(|(at, provider, body)| Told { at, provider, body });
    let coin = vec![format!("deposit#connect#{}", ours.id), format!("deposit#zerohash#{}", theirs.id)];
    Life { told: told.collect(), coin, ..Life::default() }
        .listed(ListKind::ConnectTransactions, &ours.id, &by_connect, |steps| ours.row(newest(steps)))
        .listed(ListKind::Deposits, &theirs.id, &by_zerohash, |steps| Some(theirs.row(steps)))
}
