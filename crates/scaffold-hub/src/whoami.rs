//! What the Hub says about a token and the account behind it.

use scaffold_error::Error;
use serde_json::Value;

use crate::listing::not_understood;

/// What the Hub says about a token and the account behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoAmI {
    /// The account's name.
    pub name: String,
    /// The name that was given to the token.
    pub token_name: Option<String>,
    /// When the token was made (ISO 8601).
    pub token_created: Option<String>,
    /// What kind of token it is and what it may do.
    pub kind: TokenKind,
    /// Organisations of the account.
    pub organisations: Vec<String>,
}

/// A kind of access token, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    /// One of the older tokens that may do everything of their role.
    Classic {
        /// `read` or `write`.
        role: String,
    },
    /// A token that may do what was ticked when it was made.
    FineGrained {
        /// Whether it may read the contents of all public gated repositories that the account can.
        reads_gated: bool,
        /// Repositories that it was given permissions for, by name.
        repositories: Vec<String>,
        /// Users and organisations whose repositories it may read.
        owners: Vec<String>,
        /// All of its permissions, as the Hub spells them.
        scopes: Vec<String>,
    },
    /// Something newer, by the Hub's own word for it.
    Other(String),
}

impl WhoAmI {
    /// Whether the token's permissions cover reading the gated repository `repo`, as far as they
    /// tell. (Whether the account was granted access is another question.)
    pub fn reads_gated(&self, repo: &str) -> bool {
        match &self.kind {
            TokenKind::FineGrained { reads_gated, repositories, owners, .. } => {
                let owner = repo.split_once('/').map(|(owner, _)| owner);
                *reads_gated
                    || repositories.iter().any(|r| r == repo)
                    || owners.iter().any(|o| Some(o.as_str()) == owner)
            }
            TokenKind::Classic { .. } | TokenKind::Other(_) => true,
        }
    }

    /// In words, whether the token will do for gated repositories.
    pub fn gated_advice(&self) -> String {
        match &self.kind {
            TokenKind::FineGrained { reads_gated: true, .. } => "may read every gated repository that the account was granted".into(),
            TokenKind::FineGrained { repositories, .. } if !repositories.is_empty() => {
                format!("may read only these repositories: {}", repositories.join(", "))
            }
            TokenKind::FineGrained { .. } => {
                "may not read gated repositories: tick \"Read access to contents of all public gated repos you can access\" in its settings".into()
            }
            TokenKind::Classic { role } => {
                format!("is a classic `{role}` token: it reads what the account may read, but some organisations refuse it; a fine-grained token is safer")
            }
            TokenKind::Other(kind) => format!("is of the kind `{kind}`"),
        }
    }

    /// Parses the answer of `/api/whoami-v2`.
    pub(crate) fn parse(text: &[u8], host: &str) -> Result<WhoAmI, Error> {
        let fail = |problem: String| not_understood(host, "a description of an account", &problem);
        let value: Value =
            serde_json::from_slice(text).map_err(|e| fail(format!("not JSON ({e})")))?;
        let name = value
            .get("name")
            .and_then(Value::as_str)
            .ok_or_else(|| fail("it has no `name`".into()))?;
        let token = value.pointer("/auth/accessToken");
        let text =
            |key: &str| token.and_then(|t| t.get(key)).and_then(Value::as_str).map(str::to_owned);
        let kind = match text("role").as_deref() {
            Some("fineGrained") => fine_grained(token.and_then(|t| t.get("fineGrained"))),
            Some(role @ ("read" | "write")) => TokenKind::Classic { role: role.to_owned() },
            Some(other) => TokenKind::Other(other.to_owned()),
            None => {
                let kind = value.pointer("/auth/type").and_then(Value::as_str).unwrap_or("unknown");
                TokenKind::Other(kind.to_owned())
            }
        };
        let organisations = value.get("orgs").and_then(Value::as_array).map(|orgs| {
            orgs.iter().filter_map(|o| o.get("name")?.as_str().map(str::to_owned)).collect()
        });
        Ok(WhoAmI {
            name: name.to_owned(),
            token_name: text("displayName"),
            token_created: text("createdAt"),
            kind,
            organisations: organisations.unwrap_or_default(),
        })
    }
}

fn fine_grained(value: Option<&Value>) -> TokenKind {
    let strings = |list: Option<&Value>| -> Vec<String> {
        list.and_then(Value::as_array)
            .map(|l| l.iter().filter_map(|s| s.as_str().map(str::to_owned)).collect())
            .unwrap_or_default()
    };
    let mut scopes = strings(value.and_then(|v| v.get("global")));
    let (mut repositories, mut owners) = (Vec::new(), Vec::new());
    let scoped = value.and_then(|v| v.get("scoped")).and_then(Value::as_array);
    for entry in scoped.into_iter().flatten() {
        let permissions = strings(entry.get("permissions"));
        let name = entry.pointer("/entity/name").and_then(Value::as_str);
        let kind = entry.pointer("/entity/type").and_then(Value::as_str);
        if let Some(name) = name
            .filter(|_| permissions.iter().any(|p| p == "repo.content.read" || p == "repo.write"))
        {
            match kind {
                Some("user" | "org") => owners.push(name.to_owned()),
                _ => repositories.push(name.to_owned()),
            }
        }
        scopes.extend(permissions.into_iter().map(|p| format!("{}: {p}", name.unwrap_or("?"))));
    }
    let reads_gated =
        value.and_then(|v| v.get("canReadGatedRepos")).and_then(Value::as_bool).unwrap_or(false);
    TokenKind::FineGrained { reads_gated, repositories, owners, scopes }
}
