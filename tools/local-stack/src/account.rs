//! Accounts of the emulator: a 12-digit access key is one, isolated from all the others.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An account on the emulator. Its number is also the access key that opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Account(String);

/// A text that is not an account number.
#[derive(Debug, Error)]
#[error("an account is 12 digits, not {0:?}")]
pub struct NotAnAccount(String);

impl Account {
    /// An account that nothing else uses: 11 random digits, so tests may run side by side on one emulator.
    #[must_use]
    pub fn unique() -> Self {
        Self(format!("9{:011}", fastrand::u64(0..100_000_000_000)))
    }

    /// The 12 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The one account of `demo` and `up`. It never equals a [`Account::unique`] one.
impl Default for Account {
    fn default() -> Self {
        Self("123456789012".to_owned())
    }
}

impl FromStr for Account {
    type Err = NotAnAccount;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnAccount(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Account {
    type Error = NotAnAccount;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Account> for String {
    fn from(account: Account) -> Self {
        account.0
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_twelve_digits() {
        for account in [Account::default(), Account::unique()] {
            assert_eq!(account.as_str().parse::<Account>().expect("what we make is valid"), account);
        }
        for text in ["", "12345678901", "1234567890123", "12345678901a", "١٢٣٤٥٦"] {
            assert!(text.parse::<Account>().is_err(), "{text:?}");
        }
    }
}
