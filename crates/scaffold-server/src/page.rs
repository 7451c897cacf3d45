//! The chat page: what browsers get at `/`. Its files are built elsewhere (`page/`) and are part of
//! this program.

use std::sync::LazyLock;

use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_DNS_PREFETCH_CONTROL,
};
use sha2::{Digest, Sha256};

use crate::body::{Body, Reply, empty, reply};
use crate::fault::Fault;

/// Nothing runs, looks or asks but what this server sent, whatever a model writes; no other page
/// shows this one in a frame; and text becomes elements in one place only, which cleans it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types dompurify";

/// Where the files of the page are, all but the first.
pub(crate) const BELOW: &str = "/page/";

/// One of its files.
struct File {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! file {
    ($name:literal, $content_type:literal) => {
        File {
            name: $name,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../page/dist/", $name)),
        }
    };
}

static INDEX: File = file!("index.html", "text/html; charset=utf-8");

static FILES: [File; 4] = [
    file!("app.js", "text/javascript; charset=utf-8"),
    file!("app.css", "text/css; charset=utf-8"),
    file!("icon.svg", "image/svg+xml"),
    file!("NOTICE.txt", "text/plain; charset=utf-8"),
];

/// The digits of each file's bytes that stand in its name, in the order of [`FILES`].
static DIGITS: LazyLock<[String; 4]> = LazyLock::new(|| FILES.each_ref().map(File::digits));

impl File {
    /// The first 16 digits of the hash of its bytes.
    fn digits(&self) -> String {
        hex(&Sha256::digest(self.bytes)[..8])
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

/// Whether what asks is a browser that wants to show something. Programs ask for anything, and get
/// the words that they wait for.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|value| value.split(','));
    kinds.any(|kind| kind.split(';').next().unwrap_or_default().trim() == "text/html")
}

/// The page itself.
pub(crate) fn index(headers: &HeaderMap) -> Reply {
    let mut reply = sent(&INDEX, &INDEX.digits(), "no-cache", headers);
    // The same address has other words for programs.
    reply.headers_mut().insert(VARY, HeaderValue::from_static("accept, origin"));
    reply
}

/// A file of the page, by what stands behind [`BELOW`].
pub(crate) fn file(name: &str, headers: &HeaderMap) -> Result<Reply, Fault> {
    let found = FILES.iter().zip(DIGITS.iter()).find_map(|(file, digits)| {
        let (stem, ending) = file.name.rsplit_once('.')?;
        // A name with the digits of its bytes never means others.
        if name == format!("{stem}.{digits}.{ending}") {
            return Some(sent(file, digits, "public, max-age=31536000, immutable", headers));
        }
        (name == file.name).then(|| sent(file, digits, "no-cache", headers))
    });
    found.ok_or_else(|| Fault::new(404, format!("the page has no file {name}: load it anew")))
}

fn sent(file: &'static File, digits: &str, cache: &'static str, headers: &HeaderMap) -> Reply {
    let tag = format!("\"{digits}\"");
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut reply = if known.is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag)) {
        empty(304)
    } else {
        reply(200, file.content_type, Body::Whole(Some(Bytes::from_static(file.bytes))))
    };
    let map = reply.headers_mut();
    let mut put = |name: HeaderName, value: &'static str| {
        map.insert(name, HeaderValue::from_static(value));
    };
    put(CACHE_CONTROL, cache);
    put(CONTENT_SECURITY_POLICY, POLICY);
    put(REFERRER_POLICY, "no-referrer");
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Browsers look up the hosts of links before anybody follows them.
    put(X_DNS_PREFETCH_CONTROL, "off");
    put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        map.insert(ETAG, tag);
    }
    reply
}

#[cfg(test)]
mod tests;
