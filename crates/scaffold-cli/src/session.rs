//! A loaded model with what the user hears about it, and one answer from it.

use std::io::IsTerminal as _;
use std::time::Duration;

use scaffold::config::Config;
use scaffold::{LlmManager, LoadOptions, Message, RenderOptions, Topic};

use crate::answer;
use crate::args::{AnswerArgs, Talk};
use crate::failure::Exit;
use crate::out;
use crate::progress::Display;

/// A model that answers.
pub(crate) struct Session {
    pub(crate) model: LlmManager,
}

impl Session {
    /// Finds, fetches and loads the configured model.
    pub(crate) fn open(config: &Config, args: &AnswerArgs) -> anyhow::Result<Session> {
        // Before anything is loaded.
        args.options()?.check()?;
        let options = LoadOptions::for_one_answer(config).special_as_text(args.special_as_text);
        Self::open_with(config, options, args.talk())
    }

    /// The same with options of its own.
    pub(crate) fn open_with(
        config: &Config,
        options: LoadOptions,
        talk: Talk,
    ) -> anyhow::Result<Session> {
        let mut display = Display::new();
        let model = LlmManager::builder(&config.model.value)
            .config(config)
            .options(options)
            .progress(&mut display)
            .load()?;
        if talk == Talk::Full {
            let files = model.local();
            out::say(model.describe());
            let path = files.files.path().display();
            out::say(format_args!("  files        from {}: {path}", files.source));
            for notice in model.notices().iter().filter(|notice| notice.topic == Topic::Device) {
                out::say(format_args!("  device       {notice}"));
            }
        } else if std::io::stderr().is_terminal() {
            let info = model.info();
            let parameters = info.parameters as f64 / 1e6;
            out::say(format_args!(
                "{}: {parameters:.0} million parameters in {}, context {}, {} threads",
                model.name(),
                info.stored.name(),
                info.context,
                info.threads
            ));
        }
        out::notices(&model.notices());
        Ok(Session { model })
    }

    /// How long loading took, without the download.
    pub(crate) fn load(&self) -> Duration {
        self.model.info().load
    }

    /// One answer, printed as the flags ask for.
    pub(crate) fn answer(&self, prompt: &str, args: &AnswerArgs) -> anyhow::Result<Exit> {
        let ids = self.prompt(prompt, args)?;
        let options = args.options()?;
        let mut prose = out::Prose::new();
        let print = |text: &str| if args.json { Ok(()) } else { prose.piece(text) };
        let answer = if options.grammar.is_some() {
            let stream = self.model.parts_ids(ids.clone(), 1, &options)?.remove(0);
            answer::receive_kept(stream, print)?
        } else {
            answer::receive(self.model.stream_ids(ids.clone(), &options)?, print)?
        };
        prose.end()?;
        if args.json {
            out::json(&answer::as_json(&answer, &ids, self.load()))?;
        } else if !answer.text.ends_with('\n') {
            out::piece("\n")?;
        }
        answer::say_cut_off(&answer);
        if args.verbose {
            answer::say_timings(&answer, self.load());
        }
        if self.model.is_keeping() {
            out::say("note: the packed weights are being written to disk, for faster starts");
        }
        if let Some(notice) = self.model.finish_keeping() {
            out::say(format_args!("note: {notice}"));
        }
        Ok(if answer::interrupted(&answer) { Exit::Interrupted } else { Exit::Done })
    }

    fn prompt(&self, prompt: &str, args: &AnswerArgs) -> anyhow::Result<Vec<u32>> {
        Ok(match &args.system {
            _ if args.raw => self.model.plain_ids(prompt)?,
            Some(system) => {
                let messages = [Message::system(system.as_str()), Message::user(prompt)];
                self.model.chat_ids(&messages, &RenderOptions::default())?
            }
            None => self.model.prompt_ids(prompt)?,
        })
    }
}
