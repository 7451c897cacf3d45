use std::cell::RefCell;
use std::collections::HashSet;

use super::*;

thread_local! {
    static STEPS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn tell(step: &'static str) {
    STEPS.with_borrow_mut(|steps| steps.push(step));
}

fn steps(run: impl FnOnce()) -> Vec<&'static str> {
    STEPS.take();
    run();
    STEPS.take()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A name that is on the disk before its contents is a file of zeros after a loss of power.
#[test]
fn contents_are_durable_before_their_name_and_the_name_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let order = ["sync file", "rename", "sync directory"];
    assert_eq!(steps(|| write(&path, b"1").unwrap()), order);
    assert_eq!(steps(|| write_secret(&path, b"2").unwrap()), order);
    let other = directory.path().join("b");
    assert_eq!(steps(|| publish(&path, &other).unwrap()), order);
    assert_eq!(steps(|| write_unsynced(&path, b"3").unwrap()), ["rename"]);
    assert_eq!(fs::read(&other).unwrap(), b"2");
    assert_eq!(names(directory.path()), ["a", "b"]);
}

#[test]
fn the_old_file_stays_until_the_new_one_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    fs::write(&path, "old").unwrap();
    let mut file = Pending::create(&path).unwrap();
    file.write_all(b"ne").unwrap();
    file.flush().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(directory.path()).len(), 2);
    drop(file);
    assert_eq!(names(directory.path()), ["a"]);
    assert_eq!(fs::read(&path).unwrap(), b"old");
}

#[test]
fn a_failure_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    // A directory with something in it cannot be replaced by a file.
    let path = directory.path().join("taken");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("x"), "").unwrap();
    assert!(write(&path, b"1").is_err());
    assert!(write_secret(&path, b"1").is_err());
    assert!(write_unsynced(&path, b"1").is_err());
    assert_eq!(names(directory.path()), ["taken"]);
    assert!(write(&directory.path().join("no/such/place"), b"1").is_err());
}

#[cfg(unix)]
#[test]
fn secrets_are_never_readable_by_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let file = Pending::secret(&path).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(file.temporary()), 0o600);
    file.finish().unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn temporary_names_are_unique_and_known_again() {
    let path = Path::new("/cache/model.gguf");
    let marks: HashSet<_> = (0..1000).map(|_| beside(path)).collect();
    assert_eq!(marks.len(), 1000);
    for name in marks {
        let name = name.file_name().unwrap().to_str().unwrap();
        assert!(is_unfinished_of(name, "model.gguf"), "{name}");
        assert!(!is_unfinished_of(name, "model"), "{name}");
    }
    assert!(is_unfinished_of(".model.gguf.4711-0.part", "model.gguf"));
    for other in ["model.gguf", ".model.gguf", "model.gguf.x.incomplete", ".model.gguf.txt"] {
        assert!(!is_unfinished_of(other, "model.gguf"), "{other}");
    }
}

#[test]
fn names_of_any_length_have_one_beside_them() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["x".repeat(255), "\u{fc}".repeat(127)] {
        write(&directory.path().join(&name), b"1").unwrap();
        assert!(is_unfinished_of(beside(Path::new(&name)).to_str().unwrap(), &name));
    }
    assert_eq!(names(directory.path()).len(), 2);
}

#[test]
fn many_writers_leave_one_whole_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    std::thread::scope(|scope| {
        for byte in b'a'..b'i' {
            let path = &path;
            scope.spawn(move || (0..20).for_each(|_| write(path, &[byte; 5000]).unwrap()));
        }
    });
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.len() == 5000 && bytes.iter().all(|byte| *byte == bytes[0]));
    assert_eq!(names(directory.path()), ["a"]);
}
