//! Accounts of the emulator. A 12-digit access key selects an account, which is isolated from the others.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An account on the emulator. Its number is also its access key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Account(String);

#[derive(Debug, Error)]
#[error("an account number has 12 digits, not {0:?}")]
pub struct NotAnAccount(String);

impl Account {
    /// A random account, so that tests can run side by side on one emulator.
    #[must_use]
    pub fn unique() -> Self {
        Self(format!("9{:011}", fastrand::u64(0..100_000_000_000)))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The account of `demo` and `up`. It differs from every [`Account::unique`] one, which begins with 9.
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
            assert_eq!(account.as_str().parse::<Account>().expect("generated accounts are valid"), account);
        }
        for text in ["", "12345678901", "1234567890123", "12345678901a", "١٢٣٤٥٦"] {
            assert!(text.parse::<Account>().is_err(), "{text:?}");
        }
    }
}
