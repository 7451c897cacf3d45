//! The effective configuration: every value with the place that set it.
//!
//! The order, first wins: a flag, the environment, `.env` in the project directory, `scaffold.toml`
//! there, the default. The keys are the same in all of them ([`Key`]). The process environment is
//! reached only through [`Inputs::variable`], so that tests and embedding programs decide what is
//! seen.

mod dotenv;
pub(crate) mod fuzzing;
mod hub;
mod inputs;
mod key;
mod layers;
mod secret;
mod settings;
mod show;
mod source;
mod toml_file;
mod value;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use inputs::{Flag, Inputs};
pub use key::{Files, Key, KeyInfo};
use layers::Layers;
use scaffold_engine::parameter;
use scaffold_error::{Error, Notice, Topic, err};
use scaffold_hub::{Address, HubConfig};
use scaffold_kernels::Level;
use scaffold_model::KvType;
pub use scaffold_model::UnknownKeys;
pub use secret::Secret;
use settings::settings;
pub use show::Row;
pub use source::{Setting, Source};
pub use value::{Device, Dtype, PackedMode, PlainPolicy, Quantize};

macro_rules! config {
    ($($(#[$doc:meta])* $key:ident $field:ident: $type:ty {
        names: $names:expr, default: $default:expr, from: $from:ident,
        accepted: $accepted:expr,
        meaning: $meaning:expr,
        $(secret: $secret:expr,)?
        read: $read:ident($($reader:expr)?), show: $show:ident($($used:tt)*),
    })*) => {
        /// The effective configuration.
        ///
        /// ```
        /// use scaffold::config::{Config, Inputs};
        ///
        /// let environment = |name: &str| (name == "LLM_TEMPERATURE").then(|| "0.2".into());
        /// let config = Config::load(Inputs { variable: &environment, project: None, file: None, flags: vec![] })?;
        /// assert_eq!(config.temperature.value, 0.2);
        /// assert_eq!(config.temperature.source.to_string(), "environment variable LLM_TEMPERATURE");
        /// assert_eq!(config.max_length.value, 512);
        /// # Ok::<(), scaffold::Error>(())
        /// ```
        #[derive(Clone, Debug)]
        pub struct Config {
            $($(#[$doc])* pub $field: $type,)*
            /// The Hub client's settings: those above, and what else the environment says (proxies,
            /// certificates, the package index, token files).
            pub hub: HubConfig,
            /// What was found and not used, to be told to the user.
            pub notices: Vec<Notice>,
        }

        impl Config {
            /// What the sources say, without what follows from it.
            fn read(layers: &Layers<'_>) -> Result<Config, Error> {
                Ok(Config {
                    $($field: layers.$read(Key::$key $(, $reader)?)?,)*
                    hub: HubConfig::new(""),
                    notices: Vec::new(),
                })
            }

            /// Every key with its effective value, in the order of [`Key::all`].
            pub fn rows(&self) -> Vec<Row> {
                vec![$(config!(@row $show(Key::$key, &self.$field) &self.hub, $($used)*),)*]
            }
        }
    };
    (@row $show:ident($($setting:tt)*) $hub:expr,) => { show::$show($($setting)*) };
    (@row $show:ident($($setting:tt)*) $hub:expr, $($used:tt)+) => {
        show::$show($($setting)*, $hub.$($used)+)
    };
}

settings!(config);

impl Config {
    /// Reads every source and checks every value.
    ///
    /// # Errors
    /// A value that its key does not take, a `scaffold.toml` that is not valid or has unknown keys,
    /// a file that cannot be read. Each names the place.
    pub fn load(inputs: Inputs<'_>) -> Result<Config, Error> {
        let layers = Layers::gather(inputs)?;
        let mut config = Config::read(&layers)?;
        config.hub = hub::settings(&config, &layers);
        if let Some(problem) = config.hub.problems.first() {
            return Err(problem.clone());
        }
        config.notices = layers.into_notices();
        if let Some(bad) = &config.hub.bad_token {
            let source =
                config.token.as_ref().map_or(Source::Default, |token| token.source.clone());
            config.notices.push(Notice::new(Topic::Settings, format!("{source}: {bad}")));
        }
        Ok(config)
    }

    /// The configuration of this process: its environment, and the files of its current directory.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn of_process() -> Result<Config, Error> {
        Config::load(Inputs {
            variable: &process_variable,
            project: std::env::current_dir().ok(),
            file: None,
            flags: Vec::new(),
        })
    }

    /// The defaults, whatever the environment and the files say, with everything that is kept on the
    /// disk below `directory`.
    ///
    /// # Errors
    /// The directory's name is not text.
    pub fn isolated(directory: &Path) -> Result<Config, Error> {
        let directory = std::path::absolute(directory).map_err(Error::io("find", directory))?;
        let variable = |name: &str| match name {
            "HOME" => Some(directory.clone().into_os_string()),
            "HF_HOME" => Some(directory.join("huggingface").into_os_string()),
            "SCAFFOLD_CACHE" => Some(directory.join("packages").into_os_string()),
            "SCAFFOLD_MODELS" => Some(directory.join("models").into_os_string()),
            _ => None,
        };
        Config::load(Inputs { variable: &variable, project: None, file: None, flags: Vec::new() })
    }

    /// The device that `auto` comes to, and why.
    ///
    /// # Errors
    /// `cuda` where there is none.
    pub fn chosen_device(&self) -> Result<ChosenDevice, Error> {
        match self.device.value {
            Device::Cuda => Err(err!(
                Usage,
                "LLM_DEVICE is cuda ({}), but this build of Scaffold computes on the processor only",
                self.device.source
            )
            .of_key("LLM_DEVICE")
            .remedy("set it to cpu, or to auto, which takes the best device there is")),
            Device::Cpu => Ok(ChosenDevice {
                device: Device::Cpu,
                why: format!("set by {}", self.device.source),
            }),
            Device::Auto => Ok(ChosenDevice {
                device: Device::Cpu,
                why: "auto: this build computes on the processor".to_owned(),
            }),
        }
    }
}

/// What a device setting came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenDevice {
    /// Never [`Device::Auto`].
    pub device: Device,
    /// Why this one.
    pub why: String,
}

/// A variable of this process. `HOME` is the user's home also where the variable is missing.
pub fn process_variable(name: &str) -> Option<OsString> {
    let value = std::env::var_os(name);
    if name == "HOME" && value.is_none() {
        std::env::home_dir().map(PathBuf::into_os_string)
    } else {
        value
    }
}

#[cfg(test)]
mod tests;
