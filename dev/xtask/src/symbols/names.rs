//! What mangled names say. Both of Rust's manglings write a path as identifiers after their
//! lengths: `_ZN4core9core_arch3x864avx215_mm256_abs_epi817h…E`,
//! `_RNvNtNtNtCs…_4core9core_arch3x864avx215__mm256_abs_epi8`.

/// Whether this is a function of a level, which the kernels are inlined into.
pub(super) fn is_level(name: &str) -> bool {
    ["16scaffold_kernels3cpu3x86", "16scaffold_kernels3cpu3arm"]
        .iter()
        .any(|path| name.contains(path))
}

/// The path of an intrinsic that needs more than every processor of its kind has:
/// `x86::avx2::_mm256_abs_epi8`.
pub(super) fn intrinsic(name: &str) -> Option<String> {
    let (_, rest) = name.split_once("9core_arch")?;
    let path = identifiers(rest, name.starts_with("_R"));
    let path: Vec<&str> = path.into_iter().filter(|part| !is_hash(part)).collect();
    let (function, modules) = path.split_last()?;
    let wide =
        |module: &&str| ["avx", "fma", "f16c", "amx"].iter().any(|kind| module.starts_with(kind));
    let is_x86 = function.starts_with("_mm") && modules.iter().any(wide);
    let is_arm = function.starts_with('v') && modules.contains(&"neon");
    (is_x86 || is_arm).then(|| path.join("::"))
}

/// The identifiers at the beginning, each after its length.
fn identifiers(mut rest: &str, separated: bool) -> Vec<&str> {
    let mut found = Vec::new();
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(len) = rest[..digits].parse::<usize>() else {
            return found;
        };
        rest = &rest[digits..];
        // The newer mangling separates a length from an identifier that could be mistaken for a
        // part of it.
        if separated {
            rest = rest.strip_prefix('_').unwrap_or(rest);
        }
        let Some(identifier) = rest.get(..len) else {
            return found;
        };
        found.push(identifier);
        rest = &rest[len..];
    }
}

/// Whether this is the hash at the end of a name of the older mangling.
fn is_hash(identifier: &str) -> bool {
    let digits = identifier.strip_prefix('h').filter(|digits| digits.len() == 16);
    digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}
