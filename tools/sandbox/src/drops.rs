//! Webhooks that never arrive: zerohash drops one after its last attempt, and the platform must ask.

use fundhook_domain::digest_hex;
use serde::{Deserialize, Serialize};

/// How many of the webhooks are dropped, and which ones.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct DropShare {
    /// How many of a hundred, 0 for none.
    pub(super) percent: u8,
    /// Chooses among them.
    #[serde(default)]
    pub(super) seed: u64,
}

impl DropShare {
    /// Whether the webhook with this body is dropped: with one seed always, or never.
    pub(super) fn drops(self, body: &[u8]) -> bool {
        let digest = digest_hex(&[self.seed.to_string().as_bytes(), b" ", body].concat());
        // 32 bits of the digest: a remainder by 100 prefers none by more than one in forty million.
        let drawn = u64::from_str_radix(&digest[..8], 16).unwrap_or_default() % 100;
        drawn < u64::from(self.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(percent: u8, seed: u64) -> Vec<u32> {
        let share = DropShare { percent, seed };
        (0..1000).filter(|number| share.drops(format!("{{\"number\":{number}}}").as_bytes())).collect()
    }

    #[test]
    fn a_share_is_about_that_share_and_the_seed_chooses() {
        assert!(dropped(0, 7).is_empty());
        assert_eq!(dropped(100, 7).len(), 1000);
        let some = dropped(30, 7);
        assert!((250..350).contains(&some.len()), "{}", some.len());
        assert_eq!(some, dropped(30, 7));
        assert_ne!(some, dropped(30, 8));
    }

    #[test]
    fn what_a_share_drops_a_larger_one_drops_too() {
        let (few, many) = (dropped(10, 7), dropped(60, 7));
        assert!(few.iter().all(|number| many.contains(number)));
    }
}
