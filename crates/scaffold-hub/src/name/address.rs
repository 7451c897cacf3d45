//! Addresses of the Hub's pages, as they are copied out of a browser: to the name that they stand
//! for.

use scaffold_error::{Error, err};

use super::part::{Part, has_gguf_suffix};
use crate::url::{Url, percent_decode};

/// Routes of the Hub's pages that lead to a revision and a file or directory of it.
const LOCATIONS: [&str; 5] = ["blob", "tree", "resolve", "raw", "blame"];

/// The hosts that are the Hub whatever is configured.
const SITES: [&str; 2] = ["huggingface.co", "hf.co"];

/// What follows the Hub's host, or the whole text where none does.
pub(super) enum Stripped<'a> {
    /// `org/name…` as people write it.
    Plain(&'a str),
    /// `org/name…` out of an address.
    OfHub(&'a str),
}

/// Takes the Hub's host, or that of the configured endpoint, off the front in all spellings.
pub(super) fn strip<'a>(text: &'a str, endpoint: Option<&Url>) -> Result<Stripped<'a>, Error> {
    if let Some(rest) = without_prefix(text, "hf://") {
        return Ok(Stripped::OfHub(without_kind(rest)?));
    }
    // As `git clone` has it.
    for git in ["git@hf.co:", "git@huggingface.co:"] {
        if let Some(rest) = without_prefix(text, git) {
            return Ok(Stripped::OfHub(without_kind(rest)?));
        }
    }
    let bare = without_prefix(text, "https://").or_else(|| without_prefix(text, "http://"));
    let tail = bare.unwrap_or(text);
    let (authority, path) = tail.split_once('/').unwrap_or((tail, ""));
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host_of(authority);
    let path = path.split(['?', '#']).next().unwrap_or(path);
    if is_site(host) {
        return behind_host(path);
    }
    let host = without_www(host);
    // Without a scheme, `org/name` is a repository even where the endpoint's host is called `org`.
    let own = endpoint.filter(|own| {
        host.eq_ignore_ascii_case(own.host()) && (bare.is_some() || path.contains('/'))
    });
    match own {
        Some(own) => {
            let prefix = own.path().trim_matches('/');
            let below = path.strip_prefix(prefix).filter(|_| !prefix.is_empty());
            behind_host(below.map_or(path, |below| below.trim_start_matches('/')))
        }
        None if bare.is_some() => Err(err!(
            Usage,
            "it is an address, but not one of huggingface.co, hf.co or the mirror that HF_ENDPOINT names"
        )),
        None => Ok(Stripped::Plain(text)),
    }
}

/// Whether a host is the Hub whatever is configured.
pub(super) fn is_site(host: &str) -> bool {
    let host = without_www(host);
    SITES.iter().any(|site| host.eq_ignore_ascii_case(site))
}

fn without_www(host: &str) -> &str {
    without_prefix(host, "www.").unwrap_or(host)
}

fn behind_host(path: &str) -> Result<Stripped<'_>, Error> {
    let path = path.trim_matches('/');
    let path = path.strip_prefix("api/").unwrap_or(path);
    Ok(Stripped::OfHub(without_kind(path)?))
}

/// The host of `host:port`.
fn host_of(authority: &str) -> &str {
    let bracket = authority.rfind(']').unwrap_or(0);
    match authority[bracket..].rfind(':') {
        Some(colon) => &authority[..bracket + colon],
        None => authority,
    }
}

fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (front, rest) = text.split_at_checked(prefix.len())?;
    front.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn without_kind(rest: &str) -> Result<&str, Error> {
    for (prefix, kind) in [
        ("datasets/", "data set"),
        ("spaces/", "space"),
        ("kernels/", "kernel"),
        ("buckets/", "bucket"),
    ] {
        if rest.starts_with(prefix) {
            return Err(err!(Usage, "it names a {kind}, and only models can be run"));
        }
    }
    Ok(rest.strip_prefix("models/").unwrap_or(rest))
}

/// Reads what follows `org/name/` in an address: a revision, and which part of it.
///
/// `None` where it is no location. A file that is not a GGUF file stands for the repository that
/// has it.
pub(super) fn location(rest: &str) -> Option<(String, Part)> {
    let (route, tail) = rest.split_once('/')?;
    // The description of a revision, in the API.
    if route == "revision" {
        return Some((percent_decode(tail), Part::Whole));
    }
    if !LOCATIONS.contains(&route) {
        return None;
    }
    let (revision, file) = split_revision(tail);
    let file = percent_decode(file.unwrap_or(""));
    let part = if has_gguf_suffix(&file) { Part::File(file) } else { Part::Whole };
    Some((percent_decode(revision), part))
}

/// `name` and what follows it in an address of a repository from before organisations:
/// `gpt2/tree/main`.
pub(super) fn without_organisation(rest: &str) -> Option<(&str, (String, Part))> {
    let (name, tail) = rest.split_once('/')?;
    // `org/raw/tree/main` is in a repository that is called like a route.
    let with_one = tail.split_once('/').is_some_and(|(_, tail)| location(tail).is_some());
    if with_one { None } else { Some((name, location(tail)?)) }
}

/// Splits `revision/path`. A slash within a revision is percent-encoded in addresses, but for
/// `refs/pr/N` and `refs/convert/NAME`.
fn split_revision(tail: &str) -> (&str, Option<&str>) {
    let slashes =
        if tail.starts_with("refs/pr/") || tail.starts_with("refs/convert/") { 3 } else { 1 };
    match tail.match_indices('/').nth(slashes - 1) {
        Some((at, _)) => (&tail[..at], Some(&tail[at + 1..])),
        None => (tail, None),
    }
}
