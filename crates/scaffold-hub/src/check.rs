//! What can be said of a model before anything large is downloaded.

use std::io::Read;

use scaffold_error::{Error, err};

use crate::access::{Diagnosis, Refusal};
use crate::digest::Digest;
use crate::fault::Fault;
use crate::fit::{HEAD, Head, LARGEST_CONFIG};
use crate::http::{Follow, Request};
use crate::hub::Hub;
use crate::listing::{Gate, Listing, RepoFile};
use crate::name::{Part, RepoName, is_safe_path};
use crate::progress::Progress;
use crate::quantization::{self, GgufChoice};
use crate::select::{self, Selection};
use crate::transfer;
use crate::url::encode_path;

/// What the Hub and the first bytes of a repository tell.
#[derive(Debug, Clone)]
pub struct Check {
    /// The repository's name by the server's account.
    pub id: String,
    /// Whether that is another name than was asked for.
    pub renamed: bool,
    /// The commit.
    pub commit: String,
    /// The licence's identifier.
    pub licence: Option<String>,
    /// What the Hub says it is for.
    pub task: Option<String>,
    /// Whether readers must agree to something first.
    pub gate: Gate,
    /// Whether it is private.
    pub private: bool,
    /// Why its files may not be read, if so.
    pub refusal: Option<Refusal>,
    /// The files that would be fetched.
    pub files: Vec<CheckedFile>,
    /// Why no files would be, if so: no usable weights, an unclear quantization.
    pub unusable: Option<String>,
    /// All GGUF models of the repository.
    pub quantizations: Vec<GgufChoice>,
    /// The contents of `config.json`.
    pub config: Option<Vec<u8>>,
    /// The first bytes of the weights: of the GGUF file, or of the first safetensors file.
    pub head: Option<Head>,
}

/// A file that would be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedFile {
    /// Its path in the repository.
    pub path: String,
    /// Its size, where the server says it.
    pub bytes: Option<u64>,
    /// Whether it is in the cache already.
    pub present: bool,
}

impl Check {
    /// Bytes that would still have to be downloaded, as far as sizes are known.
    pub fn bytes_to_fetch(&self) -> u64 {
        self.files.iter().filter(|f| !f.present).filter_map(|f| f.bytes).sum()
    }

    /// Bytes of the weights among the files.
    pub fn weight_bytes(&self) -> u64 {
        self.files.iter().filter(|f| is_weights(&f.path)).filter_map(|f| f.bytes).sum()
    }
}

impl Hub {
    /// Answers, from descriptions, headers and first bytes alone: is it there, may it be read, what
    /// would be fetched. A refusal to read the files is part of the answer; that the repository
    /// cannot even be found is an error.
    ///
    /// # Errors
    /// Every refusal of the description, and trouble of the network.
    pub fn check(&self, name: &RepoName, progress: &mut dyn Progress) -> Result<Check, Error> {
        if self.config.offline {
            return Err(self.not_here(name));
        }
        let mut listing = match self.listing(&name.id, name.revision(), None, progress) {
            Ok(listing) => listing,
            Err(error) => return Err(self.with_candidates(name, error, progress)),
        };
        self.fill_in(name, &mut listing, progress)?;
        let sized: Vec<_> = listing.files.iter().map(|f| (f.path.as_str(), f.size)).collect();
        let known = self.known(name, &listing);
        let selected = select::select(name, &sized, &|choice| self.fits(choice, &known));
        let (files, unusable) = match &selected {
            Ok(selection) => (self.checked_files(name, &listing, selection), None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let weights = files.iter().map(|f| &f.path).find(|p| is_weights(p)).cloned();
        let probe = weights.clone().or_else(|| listing.files.first().map(|f| f.path.clone()));
        let refusal = match probe {
            Some(file) => self.probe(name, &listing, &file)?,
            None => None,
        };
        let mut check = Check {
            id: listing.id.clone(),
            renamed: listing.id != name.id.as_str(),
            commit: listing.commit.to_string(),
            licence: listing.licence.clone(),
            task: listing.task.clone(),
            gate: listing.gate,
            private: listing.private,
            refusal,
            files,
            unusable,
            quantizations: quantization::gguf_choices(sized.iter().copied()),
            config: None,
            head: None,
        };
        if check.refusal.is_none() {
            if known.config.is_some() {
                check.config = known.config;
            } else if matches!(name.part, Part::Whole)
                && listing.files.iter().any(|f| f.path == "config.json")
            {
                check.config =
                    Some(self.read_start(name, &listing, "config.json", LARGEST_CONFIG)?);
            }
            if let Some(file) = weights {
                check.head =
                    Some(Head { bytes: self.read_start(name, &listing, &file, HEAD)?, file });
            }
        }
        Ok(check)
    }

    fn checked_files(
        &self,
        name: &RepoName,
        listing: &Listing,
        selection: &Selection,
    ) -> Vec<CheckedFile> {
        // Where there is no place for a cache, nothing is there.
        let repo = self.repo(&name.id).ok();
        let there = |digest: &Digest, file: &RepoFile| {
            let Some(repo) = &repo else {
                return false;
            };
            // In a cache without links the file itself lies in the snapshot.
            transfer::is_there_at(&repo.blob(digest), file.size)
                || transfer::is_there_at(
                    &repo.snapshot(&listing.commit).join(&file.path),
                    file.size,
                )
        };
        let file = |path: &String| {
            let listed = listing.files.iter().find(|f| f.path == *path);
            let present = listed.is_some_and(|f| f.digest.as_ref().is_some_and(|d| there(d, f)));
            CheckedFile { path: path.clone(), bytes: listed.and_then(|f| f.size), present }
        };
        selection.files().iter().map(file).collect()
    }

    /// Whether a file may be read, by asking for its headers.
    fn probe(
        &self,
        name: &RepoName,
        listing: &Listing,
        file: &str,
    ) -> Result<Option<Refusal>, Error> {
        let url = self.file_url(name, listing, file)?;
        let mut request = Request::get(&url).bearer(self.token()?);
        request.head = true;
        request.follow = Follow::WithinHub;
        let reply =
            self.http.send(&request).map_err(|fault| self.unreachable(url.host(), &fault))?;
        if reply.status < 400 {
            return Ok(None);
        }
        let refusal = self.refusal(name.id.as_str(), &reply)?;
        if refusal.diagnosis.is_unreachable()
            || matches!(refusal.diagnosis, Diagnosis::RateLimited { .. })
        {
            return Err(refusal.into());
        }
        Ok(Some(refusal))
    }

    /// The first bytes of a file, at most `most`.
    pub(crate) fn read_start(
        &self,
        name: &RepoName,
        listing: &Listing,
        file: &str,
        most: u64,
    ) -> Result<Vec<u8>, Error> {
        let url = self.file_url(name, listing, file)?;
        let request = Request::get(&url)
            .bearer(self.token()?)
            .header("accept-encoding", "identity")
            .header("range", format!("bytes=0-{}", most - 1));
        let failed = |fault: Fault| fault.of(file, url.host());
        let reply = self.http.send(&request).map_err(|fault| failed(Fault::Network(fault)))?;
        // An empty file has no first byte to send.
        if reply.status == 416 {
            return Ok(Vec::new());
        }
        if !reply.is_success() {
            return Err(failed(Fault::Status {
                status: reply.status,
                message: reply.header("x-error-message").map(str::to_owned),
            }));
        }
        let mut bytes = Vec::new();
        let read = reply.into_reader().take(most).read_to_end(&mut bytes);
        read.map_err(|e| failed(Fault::Network(crate::http::classify_io(&e))))?;
        Ok(bytes)
    }

    pub(crate) fn file_url(
        &self,
        name: &RepoName,
        listing: &Listing,
        file: &str,
    ) -> Result<crate::url::Url, Error> {
        if !is_safe_path(file) {
            return Err(err!(
                Damaged,
                "the repository {} lists a file named {file:?}, which would be written outside of its own directory. Nothing \
                 of it was downloaded; do not use this repository",
                name.id
            ));
        }
        Ok(self.endpoint()?.below(&format!(
            "{}/resolve/{}/{}",
            name.id,
            listing.commit,
            encode_path(file)
        )))
    }
}

fn is_weights(path: &str) -> bool {
    let extension = std::path::Path::new(path).extension();
    extension
        .is_some_and(|e| e.eq_ignore_ascii_case("safetensors") || e.eq_ignore_ascii_case("gguf"))
}
