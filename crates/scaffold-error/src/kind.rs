use std::fmt;

/// What sort of failure it is: what a program decides by. A door maps it to its own answer, such as
/// an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// What was named does not exist, or nobody may know that it does.
    NotFound,
    /// A file or an answer is not what it claims to be: cut short, changed, or of a faulty tool.
    Damaged,
    /// It is whole and understood, and not done here.
    Unsupported,
    /// Somebody who may say no did: the Hub, the authors of a model, its chat template.
    Refused,
    /// More than the model, the format or this program takes.
    TooLarge,
    /// All places are taken at present; the same request may succeed later.
    Busy,
    /// It was stopped on request.
    Cancelled,
    /// Something outside of the request is in the way: memory, disk, network, a model that is not
    /// loaded.
    Unavailable,
    /// The request or a setting says something that it cannot say.
    Usage,
    /// A fault of this program.
    Internal,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 10] = [
        Kind::NotFound,
        Kind::Damaged,
        Kind::Unsupported,
        Kind::Refused,
        Kind::TooLarge,
        Kind::Busy,
        Kind::Cancelled,
        Kind::Unavailable,
        Kind::Usage,
        Kind::Internal,
    ];

    /// Its name for machines, in small letters: `not_found`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::NotFound => "not_found",
            Kind::Damaged => "damaged",
            Kind::Unsupported => "unsupported",
            Kind::Refused => "refused",
            Kind::TooLarge => "too_large",
            Kind::Busy => "busy",
            Kind::Cancelled => "cancelled",
            Kind::Unavailable => "unavailable",
            Kind::Usage => "usage",
            Kind::Internal => "internal",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
