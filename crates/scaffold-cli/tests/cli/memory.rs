//! One answer to what a model needs of memory: `check`, `doctor` and a load say the same, in a
//! container that is half full.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use scaffold_testing::gguf::BlockType;
use scaffold_testing::golden;
use scaffold_testing::hub::{FakeHub, FakeRepo};
use serde_json::json;

use crate::limits::{Group, wide_model};
use crate::project::{Project, Ran, ran};
use crate::starter::variables;

const MIB: u64 = 1 << 20;

/// A program in the group that holds so many MiB for as long as it lives.
struct Holder(Child);

impl Holder {
    fn start(group: &Group, mib: u64) -> Holder {
        // The last line is all there is, so it keeps everything until its input ends.
        let script = format!("{} && exec tail -n 1", group.enter());
        let child = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut holder = Holder(child);
        let piece = vec![b'0'; MIB as usize];
        let input = holder.0.stdin.as_mut().unwrap();
        for _ in 0..mib {
            input.write_all(&piece).unwrap();
        }
        let start = Instant::now();
        while group.used() < mib * MIB && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        holder
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A model of 7 billion parameters, in files that are all hole.
fn large_model(project: &Project) -> PathBuf {
    let (hidden, inner, layers, vocab, kv) = (4096, 14_336, 32, 32_000, 1024);
    let path = project.path().join("large");
    fs::create_dir(&path).unwrap();
    let config = json!({
        "model_type": "mistral", "hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers,
        "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": vocab, "max_position_embeddings": 32_768,
        "rms_norm_eps": 1e-5, "rope_theta": 1_000_000.0, "sliding_window": null, "tie_word_embeddings": false,
        "hidden_act": "silu", "torch_dtype": "bfloat16",
    });
    fs::write(path.join("config.json"), config.to_string()).unwrap();
    let mut tensors = vec![
        ("model.embed_tokens".to_owned(), vec![vocab, hidden]),
        ("model.norm".to_owned(), vec![hidden]),
        ("lm_head".to_owned(), vec![vocab, hidden]),
    ];
    for layer in 0..layers {
        for (name, shape) in [
            ("input_layernorm", vec![hidden]),
            ("post_attention_layernorm", vec![hidden]),
            ("self_attn.q_proj", vec![hidden, hidden]),
            ("self_attn.k_proj", vec![kv, hidden]),
            ("self_attn.v_proj", vec![kv, hidden]),
            ("self_attn.o_proj", vec![hidden, hidden]),
            ("mlp.gate_proj", vec![inner, hidden]),
            ("mlp.up_proj", vec![inner, hidden]),
            ("mlp.down_proj", vec![hidden, inner]),
        ] {
            tensors.push((format!("model.layers.{layer}.{name}"), shape));
        }
    }
    let (mut header, mut at) = (serde_json::Map::new(), 0_u64);
    for (name, shape) in tensors {
        let end = at + 2 * shape.iter().product::<u64>();
        let tensor = json!({"dtype": "BF16", "shape": shape, "data_offsets": [at, end]});
        header.insert(format!("{name}.weight"), tensor);
        at = end;
    }
    let text = serde_json::Value::Object(header).to_string();
    let mut file = fs::File::create(path.join("model.safetensors")).unwrap();
    file.write_all(&(text.len() as u64).to_le_bytes()).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.set_len(8 + text.len() as u64 + at).unwrap();
    path
}

/// What `first` and `last` stand around.
fn between<'a>(text: &'a str, first: &str, last: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(first)?;
    Some(rest.split_once(last)?.0)
}

/// What is said of one model: its numbers, and what may be had.
#[derive(Debug, PartialEq)]
struct Said {
    needs: String,
    /// What bounds memory, and how much of it there is: that changes from one process to the next,
    /// by some KiB.
    limit: String,
    tenths: u64,
    note: Option<String>,
}

/// A number of bytes, in tenths of a GiB.
fn tenths(text: &str) -> u64 {
    let (number, unit) = text.split_once(' ').unwrap();
    let gib = match unit {
        "GiB" => 1.0,
        "MiB" => 1.0 / 1024.0,
        _ => panic!("{text}"),
    };
    (number.parse::<f64>().unwrap() * gib * 10.0).round() as u64
}

impl Said {
    /// From a line such as `… needs 1.00 GiB: …; 2.00 GiB may be used (…)`, or a refusal.
    fn of(line: &str, all: &str) -> Said {
        let (needs, rest) = line
            .split_once("; ")
            .or_else(|| line.split_once(", but "))
            .unwrap_or_else(|| panic!("no numbers in: {line}"));
        let note = all.lines().find_map(|line| line.split_once("note: the context is"));
        Said {
            needs: needs.to_owned(),
            limit: between(rest, " may be used (", ")").unwrap().to_owned(),
            tenths: tenths(rest.split_once(" may be used").unwrap().0),
            note: note.map(|(_, note)| note.to_owned()),
        }
    }

    fn line<'a>(ran: &'a Ran, text: &'a str, first: &str) -> &'a str {
        between(text, first, "\n").unwrap_or_else(|| panic!("{first}: {ran:?}"))
    }
}

struct Place<'a> {
    project: &'a Project,
    group: &'a Group,
    variables: Vec<(&'static str, String)>,
}

impl Place<'_> {
    fn run(&self, arguments: &[&str]) -> Ran {
        let inner = self.project.command(arguments);
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{} && exec \"$0\" \"$@\"", self.group.enter())])
            .arg(inner.get_program())
            .args(inner.get_args())
            .current_dir(self.project.path())
            .env_clear()
            .env("HOME", self.project.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        ran(&mut command)
    }

    /// What `check`, `doctor` and a load say of a model, which are to be one thing. What a group
    /// has left may change from one to the next, by what the system takes back: one of some tries
    /// has to agree.
    fn said(&self, model: &str, flags: &[&str]) -> (Said, i32) {
        let mut tries = (0..4).map(|_| self.try_said(model, flags));
        tries.find_map(Result::ok).unwrap_or_else(|| self.try_said(model, flags).unwrap())
    }

    fn try_said(&self, model: &str, flags: &[&str]) -> Result<(Said, i32), String> {
        let with = |first: &[&str]| self.run(&[first, flags].concat());
        let check = with(&["check", model]);
        let by_check = Said::of(Said::line(&check, &check.stdout, " needs "), &check.stdout);
        let doctor = with(&["doctor", model, "--offline"]);
        let by_doctor = Said::of(Said::line(&doctor, &doctor.stdout, " needs "), "");
        let load = with(&["run", model, "Hi", "--verbose", "--max-new-tokens", "1"]);
        let first = match load.code {
            Some(0) => "memory       ",
            _ => " needs ",
        };
        let by_load = Said::of(Said::line(&load, &load.stderr, first), &load.stderr);
        let of_doctor = (&by_doctor.needs, &by_doctor.limit, by_doctor.tenths);
        let fits = check.stdout.contains(" fits\n");
        if by_check != by_load
            || of_doctor != (&by_load.needs, &by_load.limit, by_load.tenths)
            || fits != (load.code == Some(0))
        {
            return Err(format!("{check:?}\n{doctor:?}\n{load:?}"));
        }
        Ok((by_load, load.code.unwrap()))
    }
}

#[test]
fn check_doctor_and_a_load_say_the_same() {
    let Some(group) = Group::make("said") else {
        scaffold_testing::skip::without("this test may make no control group");
        return;
    };
    let project = Project::new();
    let wide = wide_model(&project);
    let tokenizer = scaffold_testing::tokenizer::byte_level();
    fs::write(wide.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let large = large_model(&project);
    let starter = variables();
    let place = Place {
        project: &project,
        group: &group,
        variables: starter.clone().into_iter().flatten().collect(),
    };
    group.limit(2048);
    let _holder = Holder::start(&group, 1024);

    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (said, code) = place.said(&text(&wide), &[]);
    assert_eq!((code, &said.note), (0, &None), "{said:?}");
    assert!(said.limit.contains("control group"), "{said:?}");
    let (said, code) = place.said(&text(&large), &[]);
    assert!(code == 2 && said.needs.contains("13.5 GiB weights"), "{said:?}");
    if starter.is_some() {
        let (said, code) = place.said("starter", &[]);
        assert!(code == 0 && said.needs.contains("8192 tokens"), "{said:?}");
        // The room for the context of an automatic choice, and for one that was asked for.
        group.limit(1024 + 260);
        let (said, code) = place.said("starter", &[]);
        assert!(code == 0 && said.note.is_some(), "{said:?}");
        let (said, code) = place.said("starter", &["--ctx", "8192"]);
        assert!(code == 2 && said.needs.contains("8192 tokens"), "{said:?}");
    }
}

/// The plan is no guess: with that much and hardly more, a model is loaded and answers.
#[test]
fn what_is_planned_is_enough() {
    let Some(group) = Group::make("enough") else {
        scaffold_testing::skip::without("this test may make no control group");
        return;
    };
    let project = Project::new();
    let wide = wide_model(&project);
    let tokenizer = scaffold_testing::tokenizer::byte_level();
    fs::write(wide.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let wide = wide.to_str().unwrap();
    let starter = variables();
    let place = Place {
        project: &project,
        group: &group,
        variables: starter.clone().into_iter().flatten().collect(),
    };
    let mut loads = vec![(wide, "auto"), (wide, "float32"), (wide, "int8")];
    loads.extend(starter.map(|_| ("starter", "auto")));
    for (model, dtype) in loads {
        let flags = ["--dtype", dtype, "--ctx", "256"];
        group.limit(4096);
        let check = place.run(&[&["check", model, "--json"], &flags[..]].concat());
        let told: serde_json::Value = serde_json::from_str(&check.stdout).unwrap();
        let needs = told["needs"][0]["memory"].as_u64().unwrap();
        // What is in use before memory is looked at; 24 MiB of the group's file pages are left to
        // its programs.
        group.limit(needs / MIB + 40);
        let run = [&["run", model, "Hi", "--max-new-tokens", "8"], &flags[..]].concat();
        let ran = place.run(&run);
        assert_eq!(ran.code, Some(0), "{model} {dtype}: {ran:?}");
        // With less it is refused and not killed.
        group.limit(needs / MIB - 10);
        let ran = place.run(&run);
        assert_eq!(ran.code, Some(2), "{model} {dtype}: {ran:?}");
    }
}

/// What the Hub's listing tells is worked out by the same plan: for the look, for the choice, and
/// for what was fetched.
#[test]
fn the_choice_among_quantizations_goes_by_the_same_numbers() {
    let (project, hub) = (Project::new(), FakeHub::start());
    let mut repo = FakeRepo::new("org/several");
    for (name, ty) in [("m-F16.gguf", BlockType::F16), ("m-F32.gguf", BlockType::F32)] {
        let path = project.path().join(name);
        golden::tiny("llama").write_gguf(&path, ty);
        repo = repo.large_file(name, fs::read(path).unwrap());
    }
    hub.add(repo);
    let run = |arguments: &[&str]| project.run_with(arguments, &[("HF_ENDPOINT", &hub.url())]);
    let check = run(&["check", "org/several"]);
    let listed = Said::line(&check, &check.stdout, "\nF16 needs ");
    let listed = Said::of(listed, "").needs;
    assert!(listed.starts_with("about ") && listed.contains("256 tokens"), "{listed}");
    let pull = run(&["pull", "org/several"]);
    assert!(pull.stderr.contains(&listed), "{listed}: {pull:?}");
    let here = run(&["check", "./m-F16.gguf"]);
    let here = Said::of(Said::line(&here, &here.stdout, "\ngguf needs "), "").needs;
    let beside = |needs: &str| needs.split_once(" weights, ").unwrap().1.to_owned();
    assert_eq!(beside(&here), beside(&listed));
}
