//! What is shown fits the terminal that it is shown on.

use unicode_width::UnicodeWidthStr as _;

use crate::project::Project;
use crate::starter;
use crate::terminal::Terminal;

#[test]
fn tables_sentences_answers_and_help_fit_narrow_terminals() {
    let Some(variables) = starter::variables() else { return };
    for columns in [60, 80] {
        for arguments in [
            &["list"][..],
            &["show", "starter"],
            &["check", "starter"],
            &["doctor", "starter"],
            &["config", "show"],
            &["run", "--help"],
            &["bench", "--help"],
            &["--help"],
            &["run", "no-such-model", "Hi"],
            &["run", "starter", "What is a river?", "--greedy", "--max-new-tokens", "60", "-v"],
        ] {
            let terminal = Terminal::open_at(columns, Project::new(), arguments, &variables);
            let Some(terminal) = terminal else { return };
            let shown = terminal.shown();
            assert!(shown.len() > 40, "{arguments:?}: {shown}");
            for line in shown.lines() {
                // A word that cannot be broken, such as a path, is as long as it is.
                let is_one_word = !line.trim().contains(' ');
                let fits = line.width() <= usize::from(columns);
                assert!(fits || is_one_word, "{arguments:?} at {columns}: {line}");
            }
        }
    }
}
