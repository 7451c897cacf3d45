use std::error::Error as Cause;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::kind::Kind;
use crate::place::Place;
use crate::remedy::Remedy;

/// A failure: its [`Kind`], its [`Place`], a sentence that says what happened and what it means, and
/// the [remedies](Remedy).
///
/// As text it is the place, the sentence and the remedies, each in a line of its own. A cause is
/// not repeated there; it is [`source`](std::error::Error::source), and [`cause`](Self::cause) finds
/// one of a known type.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    place: Place,
    sentence: String,
    remedies: Vec<Remedy>,
    in_order: bool,
    model: Option<String>,
    cause: Option<Arc<dyn Cause + Send + Sync>>,
}

impl Error {
    /// A failure in words; [`err!`](crate::err) takes them as `format!` does.
    pub fn new(kind: Kind, sentence: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            place: Place::default(),
            sentence: sentence.into(),
            remedies: Vec::new(),
            in_order: false,
            model: None,
            cause: None,
        }))
    }

    /// The system refused to `action` (a verb: open, read, …) a file or directory; made for
    /// `map_err`.
    pub fn io(action: &str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| {
            let kind = match cause.kind() {
                io::ErrorKind::NotFound => Kind::NotFound,
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Kind::Damaged,
                _ => Kind::Unavailable,
            };
            Self::new(kind, format!("cannot {action} {}: {cause}", path.display()))
                .of_file(path)
                .because(cause)
        }
    }

    /// Words and a colon before the sentence: what failed with it.
    #[must_use]
    pub fn prefixed(mut self, words: impl fmt::Display) -> Self {
        self.0.sentence = format!("{words}: {}", self.0.sentence);
        self
    }

    /// It is this file that is wrong, which the sentence does not say.
    #[must_use]
    pub fn in_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.place.told = true;
        self.of_file(path)
    }

    /// It is this file that is wrong, as the sentence says.
    #[must_use]
    pub fn of_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.place.file = Some(path.into());
        self
    }

    /// The line of the file, from 1.
    #[must_use]
    pub fn at_line(mut self, line: usize) -> Self {
        self.0.place.line = Some(line);
        self
    }

    /// Bytes from the start of the file.
    #[must_use]
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.0.place.offset = Some(offset);
        self
    }

    /// The key, the setting or the parameter.
    #[must_use]
    pub fn of_key(mut self, key: impl Into<String>) -> Self {
        self.0.place.key = Some(key.into());
        self
    }

    /// The tensor.
    #[must_use]
    pub fn of_tensor(mut self, name: impl Into<String>) -> Self {
        self.0.place.tensor = Some(name.into());
        self
    }

    /// It is this one of several that is wrong, from 0, as the sentence says.
    #[must_use]
    pub fn of_item(mut self, index: usize) -> Self {
        self.0.place.item = Some(index);
        self
    }

    /// It is this one of several things of a kind (`text`) that is wrong, from 0, which the
    /// sentence does not say.
    #[must_use]
    pub fn in_item(mut self, kind: &'static str, index: usize) -> Self {
        self.0.place.item_kind = Some(kind);
        self.of_item(index)
    }

    /// There were so many of them before those that were counted.
    #[must_use]
    pub fn after_items(mut self, count: usize) -> Self {
        self.0.place.item = self.0.place.item.map(|index| index + count);
        self
    }

    /// The model that was asked; the first that is named stays.
    #[must_use]
    pub fn of_model(mut self, name: impl Into<String>) -> Self {
        self.0.model.get_or_insert_with(|| name.into());
        self
    }

    /// What to do, after what is there already.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<Remedy>) -> Self {
        self.0.remedies.push(remedy.into());
        self
    }

    /// What to do, one after the other, after what is there already.
    #[must_use]
    pub fn steps(mut self, steps: impl IntoIterator<Item = Remedy>) -> Self {
        self.0.in_order = true;
        self.0.remedies.extend(steps);
        self
    }

    /// What to do before anything else.
    #[must_use]
    pub fn remedy_first(mut self, remedy: impl Into<Remedy>) -> Self {
        self.0.remedies.insert(0, remedy.into());
        self
    }

    /// What led to it.
    #[must_use]
    pub fn because(mut self, cause: impl Cause + Send + Sync + 'static) -> Self {
        self.0.cause = Some(Arc::new(cause));
        self
    }

    /// What a program decides by.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whether the model, the file or the request itself is at fault; otherwise a setting or the
    /// environment (disk, network, memory) is in the way, and the same may succeed elsewhere. What
    /// the system says of a file is no word on what is in it.
    pub fn is_refusal(&self) -> bool {
        let of_content = matches!(
            self.0.kind,
            Kind::NotFound | Kind::Damaged | Kind::Unsupported | Kind::Refused | Kind::TooLarge
        );
        of_content && self.cause::<io::Error>().is_none()
    }

    /// Where.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// What happened and what it means, without place and remedies.
    pub fn sentence(&self) -> &str {
        &self.0.sentence
    }

    /// What to do.
    pub fn remedies(&self) -> &[Remedy] {
        &self.0.remedies
    }

    /// The model that was asked, where it was one.
    pub fn model(&self) -> Option<&str> {
        self.0.model.as_deref()
    }

    /// The cause of a known type, however far down.
    pub fn cause<T: Cause + 'static>(&self) -> Option<&T> {
        let mut next = Cause::source(self);
        while let Some(cause) = next {
            if let Some(found) = cause.downcast_ref() {
                return Some(found);
            }
            next = cause.source();
        }
        None
    }

    /// The text, with each remedy in the words of a door.
    pub fn worded(&self, door: impl Fn(&Remedy) -> String) -> String {
        let told = format!("{}{}", self.0.place, self.0.sentence);
        crate::remedy::listed(told, &self.0.remedies, self.0.in_order, door)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.worded(Remedy::to_string))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

impl Cause for Error {
    fn source(&self) -> Option<&(dyn Cause + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::err;

    #[test]
    fn text_is_place_sentence_and_remedies() {
        let error = err!(Damaged, "key `{}` is missing", "a").in_file("x/config.json").at_line(3);
        assert_eq!(error.to_string(), "x/config.json:3: key `a` is missing");
        let error = error.prefixed("the model failed");
        assert_eq!(error.sentence(), "the model failed: key `a` is missing");
        let error = err!(NotFound, "no such model")
            .remedy(Remedy::Pull("a/b".into()))
            .remedy("give a path");
        assert_eq!(error.to_string(), "no such model\n  to do: fetch a/b\n  or: give a path");
        assert!(format!("{error:?}").starts_with("NotFound: no such model"));
        let error = err!(Refused, "gated").steps(["ask for access".into(), Remedy::Login]);
        let steps = "gated\n  1. ask for access\n  2. sign in with an access token";
        assert_eq!(error.to_string(), steps);
    }

    #[test]
    fn the_systems_own_error_decides_the_kind_and_stays_the_cause() {
        for (of_system, kind) in [
            (io::ErrorKind::NotFound, Kind::NotFound),
            (io::ErrorKind::PermissionDenied, Kind::Unavailable),
            (io::ErrorKind::UnexpectedEof, Kind::Damaged),
        ] {
            let error = Error::io("open", "x")(io::Error::new(of_system, "the system's words"));
            assert_eq!((error.kind(), error.place().file()), (kind, Some("x".as_ref())));
            assert_eq!(error.to_string(), "cannot open x: the system's words");
            let outer = err!(Unavailable, "no model").because(error);
            assert_eq!(outer.cause::<io::Error>().map(io::Error::kind), Some(of_system));
            assert!(outer.cause::<fmt::Error>().is_none());
        }
    }

    #[test]
    fn the_model_that_was_named_first_stays() {
        let error = err!(Busy, "busy").of_model("a").of_model("b");
        assert_eq!(error.model(), Some("a"));
    }
}
