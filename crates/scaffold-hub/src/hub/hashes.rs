//! Hashes that a description lacks: mirrors that list names alone give them with the tree of files,
//! or with each file.

use scaffold_error::Error;

use super::Hub;
use super::api::LARGEST_ANSWER;
use crate::digest::Digest;
use crate::fault::Fault;
use crate::http::{Follow, Reply, Request};
use crate::listing::{Listing, RepoFile, parse_tree_page};
use crate::name::RepoName;
use crate::progress::Progress;

/// Pages of a tree; the Hub puts a thousand files on one.
const MOST_PAGES: usize = 200;

impl Hub {
    /// Fills in sizes and hashes that the description of a repository lacks, from the tree of its
    /// files. Where there is no tree either, [`Hub::hash_of`] asks for the files one by one.
    pub(crate) fn fill_in(
        &self,
        name: &RepoName,
        listing: &mut Listing,
        progress: &mut dyn Progress,
    ) -> Result<(), Error> {
        if listing.files.iter().all(|file| file.digest.is_some()) {
            return Ok(());
        }
        let mut path = format!("api/models/{}/tree/{}?recursive=true", name.id, listing.commit);
        for _ in 0..MOST_PAGES {
            let reply = self.ask(&path, name.id.as_str(), None, progress)?;
            if !reply.is_success() {
                return Ok(());
            }
            let next = next_page(&reply);
            let Ok(text) = reply.bytes(LARGEST_ANSWER) else {
                return Ok(());
            };
            for found in parse_tree_page(&text).unwrap_or_default() {
                if let Some(file) = listing.files.iter_mut().find(|f| f.path == found.path) {
                    file.size = file.size.or(found.size);
                    file.digest = file.digest.take().or(found.digest);
                }
            }
            match next {
                Some(next) => path = next,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Size and hash of one file, out of the headers with which it is served (`ETag`,
    /// `X-Linked-Etag`).
    pub(super) fn hash_of(
        &self,
        name: &RepoName,
        listing: &Listing,
        file: &RepoFile,
    ) -> Result<RepoFile, Error> {
        let url = self.file_url(name, listing, &file.path)?;
        let mut request =
            Request::get(&url).bearer(self.token()?).header("accept-encoding", "identity");
        request.head = true;
        // The store behind a redirect has tags of its own; what the Hub says about the file stands
        // on the redirect.
        request.follow = Follow::WithinHub;
        let reply =
            self.http.send(&request).map_err(|fault| self.unreachable(url.host(), &fault))?;
        let no_hash = || Fault::NoHash.of(&file.path, url.host());
        if matches!(reply.status, 404 | 405 | 501) {
            return Err(no_hash());
        }
        if reply.status >= 400 {
            return Err(self.refusal(name.id.as_str(), &reply)?.into());
        }
        let number = |header: &str| reply.header(header).and_then(|v| v.trim().parse().ok());
        let etag = reply.header("x-linked-etag").or_else(|| reply.header("etag"));
        let Some(digest) = etag.and_then(|etag| Digest::parse(plain_etag(etag))) else {
            return Err(no_hash());
        };
        let own_length = || reply.is_success().then(|| number("content-length")).flatten();
        Ok(RepoFile {
            path: file.path.clone(),
            size: number("x-linked-size").or_else(own_length).or(file.size),
            digest: Some(digest),
        })
    }
}

/// `W/"abc"` and `"abc"` are `abc`.
fn plain_etag(etag: &str) -> &str {
    let etag = etag.trim();
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"')
}

/// Path and query of `Link: <https://…>; rel="next"`, below the endpoint.
fn next_page(reply: &Reply) -> Option<String> {
    let link = reply.header("link")?;
    let part =
        link.split(',').find(|part| part.contains("rel=\"next\"") || part.contains("rel=next"))?;
    let target = part.split_once('<')?.1.split_once('>')?.0;
    // Only the question is taken: pages of another host are none of this repository.
    let at = target.find("/api/models/")?;
    Some(target[at + 1..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_taken_out_of_their_quotes() {
        for tag in ["abc", "\"abc\"", "W/\"abc\"", " \"abc\" "] {
            assert_eq!(plain_etag(tag), "abc");
        }
    }
}
