//! Little memory: an answer or a refusal with numbers, never a kill. In control groups where the
//! test may make some, and under `ulimit`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use scaffold_testing::golden;
use serde_json::Value;

use crate::project::{Project, Ran, ran};

/// The tiny llama with a wide multi-layer perceptron: some 120 MiB of weights, all zero, in a file
/// that has holes.
pub(crate) fn wide_model(project: &Project) -> PathBuf {
    const INNER: u64 = 80_000;
    let (from, to) = (golden::tiny("llama").dir, project.path().join("wide"));
    fs::create_dir(&to).unwrap();
    let mut config: Value =
        serde_json::from_slice(&fs::read(from.join("config.json")).unwrap()).unwrap();
    let old = config["intermediate_size"].as_u64().unwrap();
    config["intermediate_size"] = INNER.into();
    fs::write(to.join("config.json"), config.to_string()).unwrap();
    let bytes = fs::read(from.join("model.safetensors")).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let mut at = 0;
    for (name, tensor) in header.as_object_mut().unwrap() {
        if name == "__metadata__" {
            continue;
        }
        let mut count = 1;
        for side in tensor["shape"].as_array_mut().unwrap() {
            if name.contains("mlp") && side.as_u64() == Some(old) {
                *side = INNER.into();
            }
            count *= side.as_u64().unwrap();
        }
        let end = at + 4 * count;
        tensor["dtype"] = "F32".into();
        tensor["data_offsets"] = serde_json::json!([at, end]);
        at = end;
    }
    let text = header.to_string();
    let mut file = fs::File::create(to.join("model.safetensors")).unwrap();
    file.write_all(&(text.len() as u64).to_le_bytes()).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.set_len(8 + text.len() as u64 + at).unwrap();
    to
}

/// A memory control group of this test, removed at its end.
pub(crate) struct Group(PathBuf);

impl Group {
    pub(crate) fn make(purpose: &str) -> Option<Group> {
        let name = format!("scaffold-test-{purpose}-{}", std::process::id());
        for (root, limit) in
            [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")]
        {
            let path = Path::new(root).join(&name);
            if fs::create_dir(&path).is_ok() {
                let group = Group(path);
                if group.0.join(limit).is_file() {
                    return Some(group);
                }
            }
        }
        None
    }

    pub(crate) fn limit(&self, mib: u64) {
        let bytes = (mib << 20).to_string();
        for file in ["memory.limit_in_bytes", "memory.max"] {
            let path = self.0.join(file);
            if path.is_file() {
                fs::write(path, &bytes).unwrap();
            }
        }
    }
}

impl Group {
    /// What a shell does to be in the group.
    pub(crate) fn enter(&self) -> String {
        format!("echo $$ > {}/cgroup.procs", self.0.display())
    }

    /// Bytes that its processes have.
    pub(crate) fn used(&self) -> u64 {
        let files = ["memory.usage_in_bytes", "memory.current"].into_iter();
        let mut text = files.filter_map(|file| fs::read_to_string(self.0.join(file)).ok());
        text.find_map(|text| text.trim().parse().ok()).unwrap_or(0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// The command, started by a shell that does `first`.
fn after(project: &Project, first: &str, arguments: &[&str]) -> Ran {
    let inner = project.command(arguments);
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("{first} && exec \"$0\" \"$@\""))
        .arg(inner.get_program())
        .args(inner.get_args())
        .current_dir(project.path())
        .env_clear()
        .env("HOME", project.path());
    ran(&mut command)
}

#[test]
fn in_control_groups_there_is_an_answer_or_a_refusal() {
    let Some(group) = Group::make("limits") else {
        scaffold_testing::skip::without("this test may make no control group");
        return;
    };
    let project = Project::new();
    let model = wide_model(&project);
    let enter = group.enter();
    let (mut done, mut refused) = (0, 0);
    for mib in [80, 100, 150, 180, 250, 400] {
        group.limit(mib);
        for arguments in [
            &["debug", "logits", model.to_str().unwrap(), "--ids", "1,2"][..],
            &["debug", "logits", model.to_str().unwrap(), "--ids", "1,2", "--dtype", "int8"],
            &[
                "bench",
                model.to_str().unwrap(),
                "--profile",
                "--prompt",
                "8",
                "--gen",
                "2",
                "--repeats",
                "1",
            ],
        ] {
            let ran = after(&project, &enter, arguments);
            match ran.code {
                Some(0) => done += 1,
                Some(2) => {
                    refused += 1;
                    assert!(
                        ran.stderr.contains("may be used") && ran.stderr.contains("control group"),
                        "{ran:?}"
                    );
                }
                code => panic!("{mib} MiB: {arguments:?}: {code:?}: {ran:?}"),
            }
        }
    }
    assert!(done >= 4 && refused >= 4, "{done} {refused}");
}

#[test]
fn limits_of_the_process_are_named() {
    let project = Project::new();
    let model = wide_model(&project);
    let logits = ["debug", "logits", model.to_str().unwrap(), "--ids", "1,2"];
    let mut refused = 0;
    for kib in [100_000, 150_000, 250_000, 300_000, 400_000] {
        let ran = after(&project, &format!("ulimit -v {kib}"), &logits);
        match ran.code {
            Some(0) => {}
            Some(1 | 2) => {
                refused += 1;
                assert!(ran.stderr.contains("ulimit -v"), "{kib}: {ran:?}");
            }
            code => panic!("{kib} KiB: {code:?}: {ran:?}"),
        }
    }
    assert!(refused >= 2, "{refused}");
    // A stack of the program's own.
    let ran = after(&project, "ulimit -s 64", &["list"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}
