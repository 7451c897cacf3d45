//! From a grammar to what follows it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use llguidance::Matcher;
use llguidance::api::TopLevelGrammar;
use scaffold_error::{Error, err};
use serde_json::{Value, json};

use crate::compose;
use crate::gbnf;
use crate::grammar::Grammar;
use crate::guide::{Guide, broken};
use crate::lark;
use crate::limits;
use crate::pattern;
use crate::schema::{self, Space};
use crate::vocabulary::Vocabulary;

/// The stack of the thread that compiles: the compiler goes down with the nesting of its input,
/// which is bounded so that this is enough.
const STACK: usize = 256 << 20;

/// A grammar that answers of one model can be held to.
pub struct Compiled {
    /// Before the first token. Behind a lock, because it is copied from several threads.
    start: Mutex<Matcher>,
    vocabulary: Arc<Vocabulary>,
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled").finish_non_exhaustive()
    }
}

/// What is compiled, and what helps to word errors.
struct Source {
    grammar: TopLevelGrammar,
    one_of: Vec<String>,
    counted: Vec<String>,
}

impl Compiled {
    /// Compiles a grammar for a model.
    ///
    /// # Errors
    /// What the grammar has that cannot be followed, with its place; or that it takes too much.
    pub fn new(grammar: &Grammar, vocabulary: Arc<Vocabulary>) -> Result<Self, Error> {
        let matcher = with_stack(|| {
            let source = source(grammar)?;
            let parser = vocabulary.factory.create_parser(source.grammar.clone());
            let mut matcher = Matcher::new(parser);
            let words =
                matcher.get_error().or_else(|| matcher.grammar_warnings().into_iter().next());
            if let Some(words) = words {
                return Err(source.worded(&words));
            }
            // Whether there is an answer at all, and what each answer asks first.
            Guide::new(matcher.deep_clone(), vocabulary.not_first.clone()).allowed()?;
            Ok(matcher)
        });
        let matcher = matcher.map_err(|error: Error| match error.place().key() {
            Some(_) => error,
            None => error.of_key("grammar"),
        })?;
        Ok(Self { start: Mutex::new(matcher), vocabulary })
    }

    /// A guide for a new answer.
    pub fn begin(&self) -> Guide {
        let start = self.start.lock().unwrap_or_else(PoisonError::into_inner);
        Guide::new(start.deep_clone(), self.vocabulary.not_first.clone())
    }
}

impl Grammar {
    /// Whether answers can be held to it, as far as can be said without a model.
    ///
    /// # Errors
    /// What it has that cannot be followed, with its place.
    pub fn check(&self) -> Result<(), Error> {
        with_stack(|| source(self).map(|_| ()))
    }
}

/// Does this on a thread with room for what nests deep; a panic in it is an error.
fn with_stack<T: Send>(work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("scaffold-grammar".into()).stack_size(STACK);
        let thread = thread.spawn_scoped(scope, work).map_err(|cause| {
            err!(Unavailable, "no thread can be started to compile the grammar: {cause}")
                .because(cause)
        })?;
        let broke_off =
            |_| err!(Internal, "the compiler of grammars broke off: report it with the grammar");
        thread.join().map_err(broke_off)?
    })
}

fn source(grammar: &Grammar) -> Result<Source, Error> {
    let (mut one_of, mut counted) = (Vec::new(), Vec::new());
    let lark = written(grammar, &mut one_of, &mut counted, 0)?;
    Ok(Source { grammar: TopLevelGrammar::from_lark(lark), one_of, counted })
}

/// A grammar in Lark's notation.
fn written(
    grammar: &Grammar,
    one_of: &mut Vec<String>,
    counted: &mut Vec<String>,
    depth: usize,
) -> Result<String, Error> {
    if depth > limits::DEPTH {
        return Err(err!(
            TooLarge,
            "grammars are nested too deep: {} within each other are accepted",
            limits::DEPTH
        ));
    }
    let mut schema = |schema: &Value, space| {
        let lowered = schema::lower(schema, space)?;
        one_of.extend(lowered.one_of);
        counted.extend(lowered.counted);
        Ok::<_, Error>(lowered.schema)
    };
    Ok(match grammar {
        Grammar::Schema(asked) => format!("start: %json {}", schema(asked, Space::Lines)?),
        Grammar::Object => {
            format!("start: %json {}", schema(&json!({ "type": "object" }), Space::Lines)?)
        }
        Grammar::Lines(asked) => {
            format!("start: line (\"\\n\" line)*\nline: %json {}", schema(asked, Space::OneLine)?)
        }
        Grammar::Regex(regex) => {
            let regex = pattern::whole(regex)?;
            format!("start: /{}/", llguidance::regex_to_lark(&regex, ""))
        }
        Grammar::Lark(text) => lark::checked(text)?,
        Grammar::Gbnf(text) => gbnf::to_lark(text)?,
        Grammar::Choices(choices) => chosen(choices)?,
        Grammar::Parts(parts) => {
            compose::parts(parts, &mut |inner| written(inner, one_of, counted, depth + 1))?
        }
    })
}

fn chosen(choices: &[String]) -> Result<String, Error> {
    let wrong = |words: String| err!(Usage, "the choices {words}").of_key("choices");
    if choices.is_empty() || choices.iter().any(String::is_empty) {
        return Err(wrong("have to be texts that are not empty, one at least".to_owned()));
    }
    if choices.len() > limits::CHOICES {
        return Err(wrong(format!("are {}, and {} are accepted", choices.len(), limits::CHOICES)));
    }
    let bytes = choices.iter().map(String::len).sum();
    limits::check_bytes("the list of choices", bytes, limits::TEXT)?;
    let quoted: Vec<String> = choices.iter().map(|choice| lark::quoted(choice)).collect();
    Ok(format!("start: CHOICE\nCHOICE: {}", quoted.join(" | ")))
}

impl Source {
    /// An error of the compiler, in words that say what to do.
    fn worded(&self, words: &str) -> Error {
        let first = words.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        // The place in a grammar that nobody wrote says nothing.
        let first = first.rsplit("failed to compile JSON schema: ").next().unwrap_or_default();
        let at = |places: &[String]| places.join("`, `");
        if words.contains("oneOf") && !self.one_of.is_empty() {
            return err!(
                Unsupported,
                "the schema asks for `oneOf` at `{}`, whose alternatives may be right for one value together, and answers cannot \
                 be held to exactly one: write `anyOf`, or tell the alternatives apart by a required property with another \
                 `const` in each",
                at(&self.one_of)
            )
            .of_key("schema");
        }
        if words.contains("min/maxProperties") && !self.counted.is_empty() {
            return err!(
                Unsupported,
                "the schema asks for a number of properties at `{}`, and answers cannot be held to that beside properties that \
                 may be left out: make them required, or leave the number out",
                at(&self.counted)
            )
            .of_key("schema");
        }
        let known = broken(first);
        if known.kind() == scaffold_error::Kind::TooLarge {
            return known;
        }
        if let Some(reason) = words.split("Unsatisfiable schema: ").nth(1) {
            let reason = reason.lines().next().unwrap_or_default();
            return err!(Usage, "no value is valid by the schema: {reason}").of_key("schema");
        }
        err!(Unsupported, "answers cannot be held to this grammar: {first}")
    }
}

#[cfg(test)]
pub(crate) mod tests;
