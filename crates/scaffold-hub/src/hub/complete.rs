//! Snapshots that another program filled in part: what they lack is fetched, or said.
//!
//! A snapshot tells what it has and not what its repository has. Python's libraries fetch the files
//! they happen to need (an older one knows nothing of `chat_template.jinja`), so weights and a
//! tokenizer are no proof that the rest is there. What is neither there nor known to be absent is
//! asked for once; the answer is kept beside the snapshot.

use scaffold_error::{Error, Kind, Notice, Remedy, Topic};

use super::Hub;
use scaffold_files::{has_tokenizer, is_tokenizer_file};

use crate::access::in_short;
use crate::cache::{RepoCache, read_tree};
use crate::commit::Commit;
use crate::local::{LocalModel, ModelFiles};
use crate::name::{Part, RepoName};
use crate::progress::{Event, Progress};
use crate::select::{self, Selection};

/// Files of the repository that a snapshot does not have.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lacking {
    /// The repository has them.
    known: Vec<String>,
    /// It may have them.
    possible: Vec<String>,
}

impl Hub {
    /// Completes a repository's files that were found in the cache, at the commit that they are of.
    ///
    /// # Errors
    /// [`Kind::Cancelled`] alone: whatever else is in the way, what is here can be used and it
    /// is said what may be missing.
    pub(super) fn completed(
        &self,
        name: &RepoName,
        found: LocalModel,
        progress: &mut dyn Progress,
    ) -> Result<LocalModel, Error> {
        let (ModelFiles::Directory(_), Some(commit)) = (&found.files, &found.revision) else {
            return Ok(found);
        };
        let repo = self.repo(&name.id)?;
        let lacking = lacking(&repo, commit, name);
        if lacking == Lacking::default() {
            return Ok(found);
        }
        if self.config.offline {
            progress.event(&Event::Notice(lacking.notice(name, "offline mode is on")));
            return Ok(found);
        }
        let pinned = RepoName { revision: Some(commit.to_string()), ..name.clone() };
        match self.fetch_pinned(&pinned, progress) {
            Ok(()) => Ok(found),
            Err(error) if error.kind() == Kind::Cancelled => Err(error),
            Err(error) => {
                progress.event(&Event::Notice(lacking.notice(name, &in_short(&error))));
                Ok(found)
            }
        }
    }

    /// Fetches what the snapshot of a commit lacks, without moving any branch.
    fn fetch_pinned(&self, pinned: &RepoName, progress: &mut dyn Progress) -> Result<(), Error> {
        // Whoever waits for an answer of a model that is here should not wait long for a network
        // that is not.
        let connect = Some(self.config.timeouts.connect_with_fallback);
        let plan = self.plan(pinned, connect, progress)?;
        self.carry_out(pinned, plan, progress).map(|_| ())
    }
}

impl Lacking {
    fn notice(&self, name: &RepoName, reason: &str) -> Notice {
        const SHOWN: usize = 4;
        let (files, verb) = if self.known.is_empty() {
            (&self.possible, "may lack")
        } else {
            (&self.known, "lacks")
        };
        let shown: Vec<&str> = files.iter().take(SHOWN).map(String::as_str).collect();
        let more = if files.len() > SHOWN { ", …" } else { "" };
        let text = format!(
            "the copy of {name} was made by another program and {verb} {}{more}, so that answers may differ; the Hub was not \
             asked ({})",
            shown.join(", "),
            reason.trim_end_matches('.')
        );
        Notice::new(Topic::Source, text).remedy(Remedy::Pull(name.to_string()))
    }
}

/// What the snapshot of `commit` lacks of what [`select::select`] would choose of the whole
/// repository.
fn lacking(repo: &RepoCache, commit: &Commit, name: &RepoName) -> Lacking {
    let files = repo.files(commit);
    let missing = |file: &String| !files.contains(file) && !repo.is_known_absent(commit, file);
    let Some(listing) = read_tree(repo, commit) else {
        // A second tokenizer would change nothing.
        let whole = has_tokenizer(files.iter().map(String::as_str));
        let needed = |file: &&str| !(whole && is_tokenizer_file(file));
        let possible = select::companions().filter(needed).map(str::to_owned);
        return Lacking { known: Vec::new(), possible: possible.filter(missing).collect() };
    };
    let listed: Vec<_> = listing.iter().map(|f| (f.path.as_str(), f.size)).collect();
    let whole = RepoName { part: Part::Whole, ..name.clone() };
    let needed = match select::select(&whole, &listed, &|_| true) {
        Ok(Selection::Directory(needed)) => needed,
        _ => Vec::new(),
    };
    Lacking {
        known: needed
            .into_iter()
            .filter(|file| !select::is_documentation(file) && missing(file))
            .collect(),
        possible: Vec::new(),
    }
}
