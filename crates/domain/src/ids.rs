//! Ids are text that anyone may choose, so their rules are few and checked in one place.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest id, in bytes of UTF-8.
pub const MAX_ID_BYTES: usize = 128;

/// Why a text can't be an id. The caller has to change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdFault {
    /// No text at all.
    #[error("must not be empty")]
    Empty,
    /// Longer than [`MAX_ID_BYTES`].
    #[error("is {0} bytes long; at most {MAX_ID_BYTES} bytes of UTF-8 are allowed")]
    TooLong(usize),
    /// A control character (Unicode category Cc); `at` is its byte offset.
    #[error("has a control character at byte {at}; remove it")]
    Control {
        /// Byte offset of the first control character.
        at: usize,
    },
    /// The bytes are not UTF-8 (only for ids that come as bytes, such as record keys).
    #[error("is not UTF-8")]
    NotUtf8,
}

/// Ids are kept free of control characters so that stores may use a zero byte as their end.
fn check(text: &str) -> Result<(), IdFault> {
    if text.is_empty() {
        return Err(IdFault::Empty);
    }
    if text.len() > MAX_ID_BYTES {
        return Err(IdFault::TooLong(text.len()));
    }
    match text.char_indices().find(|(_, c)| c.is_control()) {
        Some((at, _)) => Err(IdFault::Control { at }),
        None => Ok(()),
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes any text of 1 to [`MAX_ID_BYTES`] bytes without control characters.
            ///
            /// # Errors
            /// [`IdFault`] when the text breaks that rule; the caller has to change it.
            pub fn new(text: impl Into<Box<str>>) -> Result<Self, IdFault> {
                let text = text.into();
                check(&text)?;
                Ok(Self(text))
            }

            /// As [`Self::new`], for ids that arrive as bytes.
            ///
            /// # Errors
            /// Also [`IdFault::NotUtf8`].
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdFault> {
                Self::new(std::str::from_utf8(bytes).map_err(|_| IdFault::NotUtf8)?)
            }

            /// The id as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The id's bytes, as they stand in record keys and store keys.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// Names a customer; the record key on `customer` and `order`.
    CustomerId
);
id!(
    /// Names an order within its customer.
    OrderId
);
id!(
    /// Names a greeting; the record key on `greetings`.
    GreetingId
);
id!(
    /// A CloudEvents `id` (`ce_id`). Two records with the same event id are the same event.
    EventId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_people_use() {
        for text in ["a/b", "C?x", "{x}", "ü", "..", " ", "%2F", &"x".repeat(128)] {
            assert_eq!(CustomerId::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        assert_eq!(OrderId::new(""), Err(IdFault::Empty));
        assert_eq!(OrderId::new("x".repeat(129)), Err(IdFault::TooLong(129)));
        assert_eq!(OrderId::new("a\u{0}b"), Err(IdFault::Control { at: 1 }));
        assert_eq!(OrderId::new("a\u{85}"), Err(IdFault::Control { at: 1 }));
        assert_eq!(OrderId::from_bytes(&[0xff]), Err(IdFault::NotUtf8));
    }
}
