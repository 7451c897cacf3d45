//! The keys: what each one is called, what it takes, and what it is when nobody sets it.

use scaffold_engine::parameter;

use super::settings::settings;

macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident $field:ident: $type:ty {
        names: $names:expr, default: $default:expr, from: $from:ident,
        accepted: $accepted:expr,
        meaning: $meaning:expr,
        $(secret: $secret:expr,)?
        read: $read:ident($($reader:expr)?), show: $show:ident($($used:tt)*),
    })*) => {
        /// A key that Scaffold reads from a flag, the environment, `.env` or `scaffold.toml`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Key {
            $($(#[$doc])* $key,)*
        }

        /// In the order of [`Key`]: [`Key::info`] indexes it.
        static TABLE: &[KeyInfo] = &[$(KeyInfo {
            key: Key::$key,
            names: $names,
            default: $default,
            accepted: $accepted,
            meaning: $meaning,
            secret: false $(|| $secret)?,
            from: Files::$from,
        },)*];
    };
}

settings!(keys);

/// One row of the table.
#[derive(Debug)]
pub struct KeyInfo {
    /// Which key this describes.
    pub key: Key,
    /// Its names, first the one that messages use; where several are set, the first one listed
    /// rules.
    pub names: &'static [&'static str],
    /// The value when no source sets one; empty where there is none.
    pub default: &'static str,
    /// What it takes, in words.
    pub accepted: &'static str,
    /// What it does, in one line.
    pub meaning: &'static str,
    /// Whether the value is never printed.
    pub secret: bool,
    /// Whether the files of a project (`.env`, `scaffold.toml`) may set it.
    pub from: Files,
}

/// Which files of a project may set a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// `.env` and `scaffold.toml`.
    Both,
    /// `.env` alone: `scaffold.toml` is usually committed, and this value must not be.
    DotEnv,
    /// Neither: a project that one has just cloned must not redirect a token, nor choose files that
    /// are written.
    Neither,
}

impl Key {
    /// The row of the table that describes this key.
    pub fn info(self) -> &'static KeyInfo {
        &TABLE[self as usize]
    }

    /// The name that messages use, for example `LLM_TEMPERATURE`.
    pub fn name(self) -> &'static str {
        self.info().names[0]
    }

    /// The key that goes by `name`.
    pub fn by_name(name: &str) -> Option<Key> {
        TABLE.iter().find(|row| row.names.contains(&name)).map(|row| row.key)
    }

    /// Every key, in the order in which `scaffold config show` prints them.
    pub fn all() -> impl Iterator<Item = Key> {
        TABLE.iter().map(|row| row.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.key as usize, index, "{}", row.names[0]);
            assert_eq!(row.key.info().names, row.names);
        }
    }

    #[test]
    fn no_name_is_listed_twice() {
        let mut names: Vec<_> = TABLE.iter().flat_map(|row| row.names).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
