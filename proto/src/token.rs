//! How every opaque token is dressed: bytes, a checksum, base64 without padding, URL-safe.
//!
//! The checksum finds tokens that were cut, mistyped or edited; it is no signature. A forged token
//! gains nothing: what it could ask for, any caller may ask for.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The longest token that is looked at, in characters: room for 1,000 shards' positions.
pub const MAX_TOKEN: usize = 64 * 1024;

/// The text is not a token of this kind as it was handed out. The caller has to pass it unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a token as it was handed out; pass it on unchanged")]
pub struct Mangled;

/// Dresses `body`; `kind` keeps tokens of different kinds apart.
#[must_use]
pub fn seal(kind: u64, body: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(body.len() + 8);
    bytes.extend_from_slice(&xxh3_64_with_seed(body, kind).to_le_bytes());
    bytes.extend_from_slice(body);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Gives back the body that [`seal`] was given.
///
/// # Errors
/// [`Mangled`] for anything else.
pub fn open(kind: u64, token: &str) -> Result<Vec<u8>, Mangled> {
    if token.len() > MAX_TOKEN {
        return Err(Mangled);
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Mangled)?;
    let (sum, body) = bytes.split_first_chunk::<8>().ok_or(Mangled)?;
    if u64::from_le_bytes(*sum) != xxh3_64_with_seed(body, kind) {
        return Err(Mangled);
    }
    Ok(body.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_is_found() {
        let token = seal(7, b"body");
        assert_eq!(open(7, &token), Ok(b"body".to_vec()));
        assert_eq!(open(8, &token), Err(Mangled));
        assert_eq!(open(7, ""), Err(Mangled));
        for at in 0..token.len() {
            let mut other = token.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(open(7, std::str::from_utf8(&other).unwrap()), Err(Mangled));
        }
    }
}
