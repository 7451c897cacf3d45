//! `scaffold serve`

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

use crate::project::Project;

#[test]
fn what_it_cannot_do_is_told_before_it_serves() {
    let project = Project::new().file("keys.txt", "laptop short\n");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, words) in [
        (&["serve", "--port", &port][..], "is in use"),
        (&["serve", "--host", "0.0.0.0", "--port", "0"], "--api-key-file"),
        (&["serve", "--host", "no-such-host.invalid"], "no address is known"),
        (&["serve", "--keep-alive", "soon"], "accepted is 5m"),
        (&["serve", "--api-key-file", "keys.txt"], "keys.txt:1: the key has 5 characters"),
        (&["serve", "--api-key-file", "none.txt"], "cannot read"),
        (&["serve", "--api-key-file", "keys.txt", "--no-auth"], "cannot be used with"),
    ] {
        let ran = project.run(arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
        assert!(ran.stdout.is_empty() && !ran.stderr.contains("listening"), "{ran:?}");
    }
}

#[test]
fn a_model_of_the_start_that_is_not_here_ends_it() {
    let ran = Project::new().run(&["serve", "--port", "0", "--offline", "--model", "org/none"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("scaffold pull org/none"), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn it_says_where_it_listens_answers_and_ends_when_it_is_told() {
    let project = Project::new();
    let mut command = project.command(&["serve", "--port", "0"]);
    let mut serving = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(serving.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let address =
        line.strip_prefix("listening on http://").and_then(|rest| rest.split(": ").next());
    let mut stream = TcpStream::connect(address.unwrap_or_else(|| panic!("{line}"))).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("Ollama is running"), "{answer}");
    let id = serving.id().to_string();
    assert!(std::process::Command::new("kill").arg(&id).status().unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(serving.wait().unwrap().code(), Some(0), "{rest}");
    assert!(rest.contains("path=\"/\"") && rest.contains("stopped"), "{rest}");
}
