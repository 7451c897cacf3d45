//! What a well-behaved Hub answers.

use serde_json::{Value, json};

use super::repo::{FakeFile, FakeRepo, FakeToken, Reticence};
use super::wire::{Answer, Request};
use super::{Page, State};

pub(super) fn answer(state: &State, request: &Request, store: &str) -> Answer {
    let path = request.path.split('?').next().unwrap_or("");
    if let Some(page) = state.pages.iter().rev().find(|p| p.path == path) {
        return of_page(page);
    }
    let token = request.header("authorization").and_then(|v| v.strip_prefix("Bearer "));
    let known = token.and_then(|t| state.tokens.iter().find(|k| k.token == t));
    if request.to_store {
        return from_store(state, path).unwrap_or_else(|| refuse(404, None, "no such object"));
    }
    if path == "/api/whoami-v2" {
        return whoami(known);
    }
    // A token that the Hub does not know spoils every request, public repositories included.
    if token.is_some() && known.is_none() {
        return refuse(401, None, "Invalid credentials in Authorization header");
    }
    if path == "/api/models" {
        return search(state, &request.path);
    }
    match route(path) {
        Some((id, rest)) => of_repo(state, request, &id, &rest, known, store),
        None => refuse(404, None, "not found"),
    }
}

fn of_page(page: &Page) -> Answer {
    let mut answer = Answer::new(200, &page.content_type, page.body.clone());
    answer.ranges = true;
    answer.header("etag", format!("\"{}\"", super::sha256(&page.body)))
}

/// `/api/models/<org>/<name>/…` or `/<org>/<name>/resolve/…` as id and the rest.
fn route(path: &str) -> Option<(String, String)> {
    let (path, api) = match path.strip_prefix("/api/models/") {
        Some(rest) => (rest, true),
        None => (path.strip_prefix('/')?, false),
    };
    let mut parts = path.splitn(3, '/');
    let (org, name) = (parts.next()?, parts.next()?);
    let rest = parts.next().unwrap_or("");
    Some((format!("{org}/{name}"), if api { format!("api/{rest}") } else { rest.to_owned() }))
}

fn of_repo(
    state: &State,
    request: &Request,
    id: &str,
    rest: &str,
    token: Option<&FakeToken>,
    store: &str,
) -> Answer {
    let Some(repo) = state.repos.iter().find(|r| r.id == id) else {
        return refuse(
            if token.is_some() { 404 } else { 401 },
            Some("RepoNotFound"),
            "Repository not found",
        );
    };
    if let Some(new) = &repo.renamed_to {
        let to = request.path.replacen(id, new, 1);
        return Answer::new(307, "text/plain", "").header("location", to);
    }
    let granted = token.is_some_and(|t| t.grants.contains(&repo.id));
    if repo.disabled {
        return refuse(403, None, "Access to this resource is disabled.");
    }
    if repo.private && !granted {
        return refuse(
            if token.is_some() { 404 } else { 401 },
            Some("RepoNotFound"),
            "Repository not found",
        );
    }
    let main = |revision: &str| revision == "main" || revision == repo.commit;
    let unknown_revision = |revision: &str| {
        refuse(404, Some("RevisionNotFound"), &format!("Invalid rev id: {revision}"))
    };
    if let Some(call) = rest.strip_prefix("api/") {
        // A description may be read without access; the files may not.
        let mut parts = call.splitn(2, '/');
        return match (parts.next().unwrap_or(""), parts.next().unwrap_or("main")) {
            ("" | "revision", revision) if main(revision) => json_answer(&repo.description()),
            ("tree", _) if repo.reticence >= Reticence::NoTree => refuse(404, None, "not found"),
            ("tree", revision) if main(revision.split('/').next().unwrap_or("")) => {
                json_answer(&repo.tree())
            }
            ("refs", _) => json_answer(
                &json!({"branches": [{"name": "main", "ref": "refs/heads/main", "targetCommit": repo.commit}], "tags": [], "converts": []}),
            ),
            (_, revision) => unknown_revision(revision),
        };
    }
    if repo.gated.is_some() && !granted {
        let message = repo.refusal.clone().unwrap_or_else(|| {
            if token.is_some() {
                format!("Access to model {id} is restricted and you are not in the authorized list. Visit https://huggingface.co/{id} to ask for access.")
            } else {
                format!("Access to model {id} is restricted. You must have access to it and be authenticated to access it. Please log in.")
            }
        });
        return refuse(if token.is_some() { 403 } else { 401 }, Some("GatedRepo"), &message);
    }
    let Some((revision, file)) = rest.strip_prefix("resolve/").and_then(|r| r.split_once('/'))
    else {
        return refuse(404, None, "not found");
    };
    if !main(revision) {
        return unknown_revision(revision);
    }
    match repo.files.iter().find(|f| f.path == decode(file)) {
        Some(file) => resolve(repo, file, store),
        None => refuse(404, Some("EntryNotFound"), "Entry not found")
            .header("x-repo-commit", &repo.commit),
    }
}

fn resolve(repo: &FakeRepo, file: &FakeFile, store: &str) -> Answer {
    if repo.reticence == Reticence::NoHashes {
        return Answer::new(200, "text/plain", file.bytes.clone()).header("etag", "\"of-no-use\"");
    }
    if file.large {
        return Answer::new(302, "text/plain", "")
            .header("x-repo-commit", &repo.commit)
            .header("x-linked-etag", format!("\"{}\"", file.etag()))
            .header("x-linked-size", file.bytes.len().to_string())
            .header("location", format!("{store}/objects/{}?X-Signature=secret", file.etag()));
    }
    let mut answer = Answer::new(200, "text/plain", file.bytes.clone());
    answer.ranges = true;
    answer
        .header("x-repo-commit", &repo.commit)
        .header("etag", format!("\"{}\"", file.etag()))
        .header("accept-ranges", "bytes")
}

fn from_store(state: &State, path: &str) -> Option<Answer> {
    let etag = path.strip_prefix("/objects/")?;
    let file = state.repos.iter().flat_map(|r| &r.files).find(|f| f.large && f.etag() == etag)?;
    let mut answer = Answer::new(200, "application/octet-stream", file.bytes.clone());
    answer.ranges = true;
    // As the real store does: another tag than the Hub's own.
    Some(answer.header("etag", format!("\"s3-{}\"", &etag[..32])).header("accept-ranges", "bytes"))
}

fn whoami(token: Option<&FakeToken>) -> Answer {
    match token {
        Some(token) => json_answer(&json!({
            "type": "user", "name": token.account, "orgs": [{"name": "friends"}],
            "auth": {"type": "access_token", "accessToken": token.access},
        })),
        None => refuse(401, None, "Invalid credentials in Authorization header"),
    }
}

fn search(state: &State, path: &str) -> Answer {
    let word =
        path.split(['?', '&']).find_map(|p| p.strip_prefix("search=")).unwrap_or("").to_lowercase();
    let found: Value = state
        .repos
        .iter()
        .filter(|r| r.id.to_lowercase().contains(&word))
        .map(|r| json!({"id": r.id}))
        .collect();
    json_answer(&found)
}

fn json_answer(value: &Value) -> Answer {
    Answer::new(200, "application/json", value.to_string())
}

fn refuse(status: u16, code: Option<&str>, message: &str) -> Answer {
    let mut answer = Answer::new(status, "application/json", json!({"error": message}).to_string())
        .header("x-error-message", message);
    if let Some(code) = code {
        answer = answer.header("x-error-code", code);
    }
    answer
}

fn decode(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escape = (byte == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
        out.push(escape.unwrap_or(byte));
        rest = if escape.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&out).into_owned()
}
