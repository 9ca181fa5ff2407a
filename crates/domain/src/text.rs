//! The one rule for free text (names, places, messages), so that every field has a bound.

/// The longest free text, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 4096;

/// Why a text is refused. The caller has to change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// A field that must have a value has none.
    #[error("must not be empty")]
    Empty,
    /// Longer than [`MAX_TEXT_BYTES`].
    #[error("is {0} bytes long; at most {MAX_TEXT_BYTES} bytes of UTF-8 are allowed")]
    TooLong(usize),
}

/// Checks a free text; `required` refuses the empty one. Any other character is taken as it is.
///
/// # Errors
/// [`TextFault`], for the caller to mend.
pub fn check_text(text: &str, required: bool) -> Result<(), TextFault> {
    if required && text.trim().is_empty() {
        return Err(TextFault::Empty);
    }
    if text.len() > MAX_TEXT_BYTES {
        return Err(TextFault::TooLong(text.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        assert_eq!(check_text("", false), Ok(()));
        assert_eq!(check_text(" \t", true), Err(TextFault::Empty));
        assert_eq!(check_text(&"x".repeat(4096), true), Ok(()));
        assert_eq!(check_text(&"x".repeat(4097), false), Err(TextFault::TooLong(4097)));
    }
}
