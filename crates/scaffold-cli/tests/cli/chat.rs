//! The chat, on a terminal of its own.

use crate::project::Project;
use crate::starter;
use crate::terminal::Terminal;

/// A chat with the starter model; `None` where there is no model or no terminal.
fn chat(flags: &[&str]) -> Option<Terminal> {
    chat_with(flags, &[])
}

fn chat_with(flags: &[&str], more: &[(&'static str, String)]) -> Option<Terminal> {
    let variables = [&starter::variables()?[..], more].concat();
    Terminal::open(Project::new(), &[&["run", "starter"], flags].concat(), &variables)
}

fn leave(mut terminal: Terminal) {
    terminal.press("/bye\r");
    assert_eq!(terminal.ended().0, Some(0));
}

#[test]
fn commands_and_messages_of_several_lines() {
    let Some(mut terminal) = chat(&["--greedy", "--max-new-tokens", "1"]) else {
        return;
    };
    terminal.wait_for("Send a message (/? for help)");
    terminal.wait_for(">>> ");
    terminal.press("/?\r");
    terminal.wait_for("Ctrl-C stops an answer.");
    terminal.press("/set parameter top_k 3\r");
    terminal.wait_for("Set top_k to 3");
    terminal.press("/set parameter top_k many\r");
    terminal.wait_for("top_k takes a whole number");
    terminal.press("/show system\r");
    terminal.wait_for("There is no system message");
    terminal.press("/set system Be brief.\r");
    terminal.wait_for("Set the system message");
    terminal.press("\"\"\"\r");
    terminal.wait_for("... ");
    terminal.press("Say\r");
    terminal.wait_for("... ");
    terminal.press("hello.\"\"\"\r");
    terminal.wait_for("cut off after 1 new token,");
    terminal.wait_for(">>> ");
    terminal.press("/clear\r");
    terminal.wait_for("Forgot the conversation");
    leave(terminal);
}

/// As a shell's prompt does it: each line is an input, in its order, however fast it came.
#[test]
fn lines_that_are_pasted_or_typed_ahead_are_all_read() {
    let Some(mut terminal) = chat(&["--greedy", "--max-new-tokens", "200"]) else {
        return;
    };
    terminal.wait_for(">>> ");
    // Pasted by a terminal that does not say that it is a paste.
    terminal.press("/set parameter top_k 11\r/set parameter top_k 12\r/set parameter top_k 13\r");
    for top_k in 11..=13 {
        terminal.wait_for(&format!("Set top_k to {top_k}"));
    }
    // More than is read at once.
    let long = format!("/set system {}\r/show system\r", "word ".repeat(400));
    terminal.press(&long);
    terminal.wait_for("Set the system message");
    terminal.wait_for("word word\n");
    terminal.press("/set system\r");
    terminal.wait_for("Removed the system message");
    // Typed while an answer is written.
    terminal.press("Count to fifty.\r");
    terminal.wait_for("Count to fifty.\n");
    terminal.wait_for_more();
    terminal.press("/set parameter top_k 21\r/set parameter top_k 22\r");
    terminal.press("/set parameter top_k 23\r");
    for top_k in 21..=23 {
        terminal.wait_for(&format!("Set top_k to {top_k}"));
    }
    terminal.wait_for("\n>>> ");
    leave(terminal);
}

/// What a terminal marks as a paste is one message of several lines.
#[test]
fn a_marked_paste_is_one_message() {
    let Some(mut terminal) = chat(&["--greedy", "--max-new-tokens", "1"]) else {
        return;
    };
    terminal.wait_for(">>> ");
    terminal.press("\x1b[200~Say\rhello.\x1b[201~\r");
    terminal.wait_for("cut off after 1 new token,");
    terminal.wait_for("\n>>> ");
    leave(terminal);
}

/// Up brings back what was typed in an earlier chat, where a file is named for that.
#[test]
fn what_was_typed_is_remembered_by_choice() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("history");
    let file = file.to_str().unwrap();
    let history = [("SCAFFOLD_HISTORY", file.to_owned())];
    let Some(mut terminal) = chat_with(&[], &history) else { return };
    terminal.wait_for(">>> ");
    terminal.press("/set parameter top_k 17\r");
    terminal.wait_for("Set top_k to 17");
    leave(terminal);
    let kept = std::fs::metadata(file).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&kept.permissions()) & 0o77, 0);
    let Some(mut terminal) = chat_with(&[], &history) else { return };
    terminal.wait_for(">>> ");
    // The one before `/bye`.
    terminal.press("\x1b[A\x1b[A\r");
    terminal.wait_for("Set top_k to 17");
    leave(terminal);
}

/// While nothing can be shown of an answer yet.
#[test]
fn a_long_prompt_gives_a_sign_of_life() {
    let prompt = "word ".repeat(5000);
    let Some(mut terminal) = chat(&["--max-new-tokens", "1", &prompt]) else {
        return;
    };
    terminal.wait_for("reading the prompt: ");
    terminal.wait_for(" of 50");
    terminal.wait_for("cut off after 1 new token,");
}

#[test]
fn ctrl_c_stops_the_answer_and_not_the_chat() {
    let Some(mut terminal) = chat(&["--ignore-eos", "--max-new-tokens", "7000"]) else {
        return;
    };
    terminal.wait_for(">>> ");
    terminal.press("\x03");
    terminal.wait_for("Use Ctrl-D or /bye to leave");
    terminal.wait_for(">>> ");
    terminal.press("Count to ten.\r");
    // The message's own echo, then the first words of an answer that would take minutes.
    terminal.wait_for("Count to ten.\n");
    terminal.wait_for_more();
    terminal.press("\x03");
    terminal.wait_for("\n>>> ");
    leave(terminal);
}

#[test]
fn a_message_that_does_not_fit_ends_neither_the_chat_nor_the_conversation() {
    let Some(mut terminal) = chat(&["--ctx", "64", "--max-new-tokens", "2"]) else {
        return;
    };
    terminal.wait_for(">>> ");
    terminal.press(&format!("{}\r", "word ".repeat(80)));
    terminal.wait_for("error: ");
    terminal.wait_for("64");
    terminal.wait_for("\n>>> ");
    leave(terminal);
}
