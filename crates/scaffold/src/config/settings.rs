//! The table of settings: one row for each, which holds everything that is known of it. The keys,
//! the fields of [`Config`](super::Config), how they are read and how they are shown follow from
//! it.

/// Hands the rows to the macro `$then`.
///
/// `read` names a method of `Layers` and what it reads the text with, `show` a function of `show`
/// and what of the Hub client's settings it needs.
macro_rules! settings {
    ($then:ident) => {
        $then! {
            /// The model: a repository, a local path or an alias.
            Model model: Setting<String> {
                names: &["LLM_MODEL"], default: "mistralai/Mistral-7B-Instruct-v0.2", from: Both,
                accepted: "a repository (org/name), a local directory or file, or an alias such as starter",
                meaning: "the model that answers",
                read: setting(value::text), show: word(),
            }

            /// New tokens in an answer, at most.
            MaxLength max_length: Setting<usize> {
                names: &["LLM_MAX_LENGTH"], default: "512", from: Both,
                accepted: parameter::MAX_NEW_TOKENS.accepted,
                meaning: parameter::MAX_NEW_TOKENS.meaning,
                read: setting(value::count_of(&parameter::MAX_NEW_TOKENS)), show: number(),
            }

            /// How far the choice of tokens is spread; 0 always takes the likeliest.
            Temperature temperature: Setting<f32> {
                names: &["LLM_TEMPERATURE"], default: "0.7", from: Both,
                accepted: parameter::TEMPERATURE.accepted,
                meaning: parameter::TEMPERATURE.meaning,
                read: setting(value::real_of(&parameter::TEMPERATURE)), show: number(),
            }

            /// Whether tokens are drawn at random; `false` always takes the likeliest.
            DoSample do_sample: Setting<bool> {
                names: &["LLM_DO_SAMPLE"], default: "true", from: Both,
                accepted: parameter::DO_SAMPLE.accepted,
                meaning: parameter::DO_SAMPLE.meaning,
                read: setting(value::boolean), show: truth(),
            }

            /// The share of probability that a token is drawn from, from 0 to 1; 1 is off.
            TopP top_p: Setting<f32> {
                names: &["LLM_TOP_P"], default: "0.9", from: Both,
                accepted: parameter::TOP_P.accepted,
                meaning: parameter::TOP_P.meaning,
                read: setting(value::real_of(&parameter::TOP_P)), show: number(),
            }

            /// How many of the likeliest tokens one is drawn from; 0 is off.
            TopK top_k: Setting<usize> {
                names: &["LLM_TOP_K"], default: "50", from: Both,
                accepted: parameter::TOP_K.accepted,
                meaning: parameter::TOP_K.meaning,
                read: setting(value::count_of(&parameter::TOP_K)), show: number(),
            }

            /// Where the model is computed; `Config::chosen_device` resolves `auto`.
            Device device: Setting<Device> {
                names: &["LLM_DEVICE"], default: "auto", from: Both,
                accepted: "auto, cpu, cuda",
                meaning: "where the model is computed",
                read: setting(value::one_of(Device::ALL)), show: word(),
            }

            /// The number format of the weights.
            TorchDtype torch_dtype: Setting<Dtype> {
                names: &["LLM_TORCH_DTYPE"], default: "auto", from: Both,
                accepted: "auto, float16, bfloat16, float32, int8",
                meaning: "number format of the weights; auto keeps the one they are stored in, int8 makes 8-bit blocks of floats",
                read: setting(value::one_of(Dtype::ALL)), show: word(),
            }

            /// What floating-point weights become while they are loaded.
            Quantize quantize: Setting<Quantize> {
                names: &["LLM_QUANTIZE"], default: "none", from: Both,
                accepted: "none, q4_0, q4_k, q5_k, q6_k, q8_0, auto",
                meaning: "what floating-point weights become while they are loaded; auto takes the finest that fits",
                read: setting(value::quantize), show: word(),
            }

            /// Whether `tokenizer.json` is preferred to `tokenizer.model`.
            UseFastTokenizer use_fast_tokenizer: Setting<bool> {
                names: &["LLM_USE_FAST_TOKENIZER"], default: "true", from: Both,
                accepted: parameter::DO_SAMPLE.accepted,
                meaning: "read tokenizer.json first; false prefers tokenizer.model where there is one",
                read: setting(value::boolean), show: truth(),
            }

            /// The Hub's access token, if a flag, the environment or `.env` gives one.
            Token token: Option<Setting<Secret>> {
                names: &["HF_TOKEN", "HUGGINGFACE_TOKEN", "HUGGING_FACE_HUB_TOKEN"], default: "", from: DotEnv,
                accepted: "an access token of the Hub (it starts with hf_), from https://huggingface.co/settings/tokens",
                meaning: "access token of the Hub, for gated and private models",
                secret: true,
                read: optional(value::token), show: token(token.as_ref()),
            }

            /// Threads that compute; `None` is `auto`.
            Threads threads: Setting<Option<usize>> {
                names: &["SCAFFOLD_THREADS"], default: "auto", from: Both,
                accepted: "auto, or a whole number from 1 to 1024",
                meaning: "threads that compute; auto takes as many as run at once, and never are there more",
                read: setting(value::auto(value::threads)), show: auto_number(),
            }

            /// The instruction set; `None` is `auto`.
            Cpu cpu: Setting<Option<Level>> {
                names: &["SCAFFOLD_CPU"], default: "auto", from: Both,
                accepted: "auto, scalar; on x86-64 avx2, avx-vnni, avx512-vnni, amx; on Arm neon, neon-dot",
                meaning: "instruction set; auto takes the best that this processor has",
                read: setting(value::auto(value::one_of(Level::ALL))), show: auto_word(),
            }

            /// Tokens of prompt and answer together; `None` is `auto`.
            Context context: Setting<Option<usize>> {
                names: &["SCAFFOLD_CONTEXT"], default: "auto", from: Both,
                accepted: "auto, or a whole number, 1 or more",
                meaning: "tokens of prompt and answer together; auto takes what the model was trained for and memory holds",
                read: setting(value::auto(value::positive_count)), show: auto_number(),
            }

            /// The number format of the cache of keys and values.
            KvType kv_type: Setting<KvType> {
                names: &["SCAFFOLD_KV_TYPE"], default: "f16", from: Both,
                accepted: "f32, f16, q8",
                meaning: "number format of the cache of keys and values",
                read: setting(value::one_of(KvType::ALL)), show: word(),
            }

            /// Whether packed weights are kept between runs.
            PackedCache packed_cache: Setting<PackedMode> {
                names: &["SCAFFOLD_PACKED_CACHE"], default: "auto", from: Both,
                accepted: "auto, on, off",
                meaning: "keep packed weights on disk for the next start; auto does where a start gains half a second",
                read: setting(value::one_of(PackedMode::ALL)), show: word(),
            }

            /// What happens to keys of a model's `config.json` that are not known.
            UnknownKeys unknown_keys: Setting<UnknownKeys> {
                names: &["SCAFFOLD_UNKNOWN_KEYS"], default: "refuse", from: Both,
                accepted: "refuse, ignore",
                meaning: "keys of a model's config.json that are not known and that code of its own may read; ignore computes all the same",
                read: setting(value::one_of([UnknownKeys::Refuse, UnknownKeys::PassOver])), show: word(),
            }

            /// The directory of the Hub's cache and token, if set.
            HubHome hub_home: Option<Setting<PathBuf>> {
                names: &["HF_HOME"], default: "", from: Both,
                accepted: "a directory",
                meaning: "directory of the Hub's cache and token; otherwise ~/.cache/huggingface",
                read: path(), show: path(hf_home.as_path()),
            }

            /// The directory of downloaded models, if set.
            HubCache hub_cache: Option<Setting<PathBuf>> {
                names: &["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"], default: "", from: Both,
                accepted: "a directory",
                meaning: "directory of downloaded models; otherwise $HF_HOME/hub",
                read: path(), show: path(cache_dir.as_path()),
            }

            /// The directory of models that a package index serves, if set.
            PackageCache package_cache: Option<Setting<PathBuf>> {
                names: &["SCAFFOLD_CACHE"], default: "", from: Both,
                accepted: "a directory",
                meaning: "directory of models that a package index serves; otherwise ~/.cache/scaffold",
                read: path(), show: path(packages_dir.parent()),
            }

            /// The directory of models of one's own, if set.
            MadeModels made_models: Option<Setting<PathBuf>> {
                names: &["SCAFFOLD_MODELS"], default: "", from: Both,
                accepted: "a directory",
                meaning: "directory of models of your own (scaffold create); otherwise ~/.local/share/scaffold/models",
                read: path(), show: path(made_dir.as_path()),
            }

            /// The file with the access token, if set.
            TokenPath token_path: Option<Setting<PathBuf>> {
                names: &["HF_TOKEN_PATH"], default: "", from: Neither,
                accepted: "a file",
                meaning: "file that holds the access token; otherwise $HF_HOME/token",
                read: path(), show: path(token_files.active.as_path()),
            }

            /// The file that keeps what was typed in chats, if any does.
            ChatHistory chat_history: Option<Setting<PathBuf>> {
                names: &["SCAFFOLD_HISTORY"], default: "", from: Neither,
                accepted: "a file",
                meaning: "file that keeps what is typed in chats, for the next one; otherwise nothing is kept",
                read: path(), show: own_path(),
            }

            /// Whether the network is left alone.
            Offline offline: Setting<bool> {
                names: &["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"], default: "false", from: Both,
                accepted: "1, on, yes or true in any case; as in Python, everything else is false",
                meaning: "use downloaded models only and leave the network alone",
                read: setting(value::python_boolean), show: truth(),
            }

            /// The address of the Hub, without a trailing slash.
            Endpoint endpoint: Setting<Address> {
                names: &["HF_ENDPOINT"], default: "https://huggingface.co", from: Neither,
                accepted: "an address that starts with https:// or http://",
                meaning: "address of the Hub, or of a mirror of it",
                read: setting(value::address), show: word(),
            }

            /// Whether the token may go over plain HTTP to another machine.
            TokenOverHttp token_over_http: Setting<PlainPolicy> {
                names: &["SCAFFOLD_TOKEN_OVER_HTTP"], default: "refuse", from: Neither,
                accepted: "refuse, send",
                meaning: "the access token where HF_ENDPOINT is plain http:// and another machine; send lets everyone on the way read it",
                read: setting(value::one_of(PlainPolicy::ALL)), show: word(),
            }
        }
    };
}

pub(super) use settings;
