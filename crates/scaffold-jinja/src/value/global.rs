//! The names of the functions that every template has.

/// A function of every template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Global {
    Cycler,
    Dict,
    Joiner,
    Lipsum,
    Namespace,
    RaiseException,
    Range,
    StrftimeNow,
}

impl Global {
    pub(crate) fn named(name: &str) -> Option<Global> {
        Some(match name {
            "cycler" => Global::Cycler,
            "dict" => Global::Dict,
            "joiner" => Global::Joiner,
            "lipsum" => Global::Lipsum,
            "namespace" => Global::Namespace,
            "raise_exception" => Global::RaiseException,
            "range" => Global::Range,
            "strftime_now" => Global::StrftimeNow,
            _ => return None,
        })
    }
}
