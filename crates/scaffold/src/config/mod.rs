//! The effective configuration: every value with the place that set it.
//!
//! The order, first wins: a flag, the environment, `.env` in the project directory, `scaffold.toml`
//! there, the default. The keys are the same in all of them ([`Key`]). The process environment is
//! reached only through [`Inputs::variable`], so that tests and embedding programs decide what is
//! seen.

mod dotenv;
mod error;
pub(crate) mod fuzzing;
mod hub;
mod inputs;
mod key;
mod layers;
mod secret;
mod show;
mod source;
mod toml_file;
mod value;

use std::ffi::OsString;
use std::path::PathBuf;

pub use error::ConfigError;
pub use inputs::{Flag, Inputs, Notice};
pub use key::{Files, Key, KeyInfo};
use layers::Layers;
use scaffold_engine::parameter;
use scaffold_hub::{Address, HubConfig};
pub use secret::Secret;
pub use show::Row;
pub use source::{Setting, Source};
pub use value::{Device, Dtype, KeyPolicy, KvFormat, PackedMode, PlainPolicy};

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
/// # Ok::<(), scaffold::config::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// The model: a repository, a local path or an alias.
    pub model: Setting<String>,
    /// New tokens in an answer, at most.
    pub max_length: Setting<usize>,
    /// 0 always takes the likeliest token.
    pub temperature: Setting<f32>,
    /// `false` always takes the likeliest token.
    pub do_sample: Setting<bool>,
    /// From 0 to 1; 1 is off.
    pub top_p: Setting<f32>,
    /// 0 is off.
    pub top_k: Setting<usize>,
    /// Where the model is computed; [`Config::chosen_device`] resolves `auto`.
    pub device: Setting<Device>,
    /// The number format of the weights.
    pub torch_dtype: Setting<Dtype>,
    /// Whether `tokenizer.json` is preferred to `tokenizer.model`.
    pub use_fast_tokenizer: Setting<bool>,
    /// The Hub's access token, if a flag, the environment or `.env` gives one.
    pub token: Option<Setting<Secret>>,
    /// Threads that compute; `None` is `auto`.
    pub threads: Setting<Option<usize>>,
    /// The instruction set; `None` is `auto`.
    pub cpu: Setting<Option<scaffold_kernels::Level>>,
    /// Tokens of prompt and answer together; `None` is `auto`.
    pub context: Setting<Option<usize>>,
    /// The number format of the cache of keys and values.
    pub kv_type: Setting<KvFormat>,
    /// Whether packed weights are kept between runs.
    pub packed_cache: Setting<PackedMode>,
    /// What happens to keys of a model's `config.json` that are not known.
    pub unknown_keys: Setting<KeyPolicy>,
    /// The directory of the Hub's cache and token, if set.
    pub hub_home: Option<Setting<PathBuf>>,
    /// The directory of downloaded models, if set.
    pub hub_cache: Option<Setting<PathBuf>>,
    /// The directory of models that a package index serves, if set.
    pub package_cache: Option<Setting<PathBuf>>,
    /// The file with the access token, if set.
    pub token_path: Option<Setting<PathBuf>>,
    /// Whether the network is left alone.
    pub offline: Setting<bool>,
    /// The address of the Hub, without a trailing slash.
    pub endpoint: Setting<Address>,
    /// Whether the token may go over plain HTTP to another machine.
    pub token_over_http: Setting<PlainPolicy>,
    /// The Hub client's settings: those above, and what else the environment says (proxies,
    /// certificates, the package index, token files).
    pub hub: HubConfig,
    /// What was found and not used, to be told to the user.
    pub notices: Vec<Notice>,
}

impl Config {
    /// Reads every source and checks every value.
    ///
    /// # Errors
    /// A value that its key does not take, a `scaffold.toml` that is not valid or has unknown keys,
    /// a file that cannot be read. Each names the place.
    pub fn load(inputs: Inputs<'_>) -> Result<Config, ConfigError> {
        let variable = inputs.variable;
        let layers = Layers::gather(inputs)?;
        let home = hub::home(variable);
        let path = |key| layers.path(key, &home, variable);
        let mut config = Config {
            model: layers.setting(Key::Model, value::text)?,
            max_length: layers
                .setting(Key::MaxLength, value::count_of(&parameter::MAX_NEW_TOKENS))?,
            temperature: layers
                .setting(Key::Temperature, value::real_of(&parameter::TEMPERATURE))?,
            do_sample: layers.setting(Key::DoSample, value::boolean)?,
            top_p: layers.setting(Key::TopP, value::real_of(&parameter::TOP_P))?,
            top_k: layers.setting(Key::TopK, value::count_of(&parameter::TOP_K))?,
            device: layers.setting(Key::Device, value::device)?,
            torch_dtype: layers.setting(Key::TorchDtype, value::dtype)?,
            use_fast_tokenizer: layers.setting(Key::UseFastTokenizer, value::boolean)?,
            token: layers.optional(Key::Token, |text| value::text(text.trim()).map(Secret::new))?,
            threads: layers.setting(Key::Threads, |text| value::auto_or(text, value::threads))?,
            cpu: layers.setting(Key::Cpu, |text| value::auto_or(text, value::cpu_level))?,
            context: layers
                .setting(Key::Context, |text| value::auto_or(text, value::positive_count))?,
            kv_type: layers.setting(Key::KvType, value::kv_format)?,
            packed_cache: layers.setting(Key::PackedCache, value::packed_mode)?,
            unknown_keys: layers.setting(Key::UnknownKeys, value::key_policy)?,
            hub_home: path(Key::HubHome)?,
            hub_cache: path(Key::HubCache)?,
            package_cache: path(Key::PackageCache)?,
            token_path: path(Key::TokenPath)?,
            offline: layers.setting(Key::Offline, value::python_boolean)?,
            endpoint: layers.setting(Key::Endpoint, value::address)?,
            token_over_http: layers.setting(Key::TokenOverHttp, value::plain_policy)?,
            hub: HubConfig::new(""),
            notices: Vec::new(),
        };
        config.hub = hub::settings(&config, layers.name_of(Key::Token), &home, variable);
        if let Some(problem) = config.hub.problems.first() {
            return Err(ConfigError::Variable(problem.clone()));
        }
        config.notices = layers.into_notices();
        if let Some(bad) = &config.hub.bad_token {
            let source =
                config.token.as_ref().map_or(Source::Default, |token| token.source.clone());
            config.notices.push(Notice { source, text: bad.to_string() });
        }
        Ok(config)
    }

    /// The configuration of this process: its environment, and the files of its current directory.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn of_process() -> Result<Config, ConfigError> {
        Config::load(Inputs {
            variable: &process_variable,
            project: std::env::current_dir().ok(),
            file: None,
            flags: Vec::new(),
        })
    }

    /// The device that `auto` comes to, and why.
    ///
    /// # Errors
    /// `cuda` where there is none.
    pub fn chosen_device(&self) -> Result<ChosenDevice, ConfigError> {
        match self.device.value {
            Device::Cuda => Err(ConfigError::NoCuda { source_of: self.device.source.clone() }),
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
