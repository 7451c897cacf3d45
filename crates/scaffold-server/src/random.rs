//! Numbers that nobody can guess well enough to collide with: for names of requests and answers.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

/// Sixteen hexadecimal digits, from the operating system's randomness through the standard hasher.
pub(crate) fn digits() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
