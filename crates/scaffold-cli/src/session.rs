//! A loaded model with what the user hears about it, and one answer from it.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use scaffold::config::Config;
use scaffold::{LlmManager, LoadOptions, Message, Notice};

use crate::answer;
use crate::args::{AnswerArgs, Talk};
use crate::failure::Exit;
use crate::{model, out, remedy};

/// A model that answers.
pub(crate) struct Session {
    pub(crate) model: LlmManager,
    /// How long loading took, without the download.
    pub(crate) load: Duration,
}

impl Session {
    /// Finds, fetches and loads the configured model.
    pub(crate) fn open(config: &Config, args: &AnswerArgs) -> anyhow::Result<Session> {
        let options = LoadOptions {
            special_as_text: args.special_as_text,
            ..LoadOptions::for_one_answer(config)
        };
        Self::open_with(config, options, args.talk())
    }

    /// The same with options of its own.
    pub(crate) fn open_with(
        config: &Config,
        options: LoadOptions,
        talk: Talk,
    ) -> anyhow::Result<Session> {
        let device = config.chosen_device()?;
        let files = model::locate(config)?;
        let name = &files.name;
        scaffold::memory::ask_to_map(files.files.path()).map_err(scaffold::Error::from)?;
        let start = Instant::now();
        let model = LlmManager::open(name, files.files.path(), options, config)?;
        let load = start.elapsed();
        if talk == Talk::Full {
            out::say(model.describe());
            out::say(format_args!(
                "  files        from {}: {}",
                files.source,
                files.files.path().display()
            ));
            out::say(format_args!("  device       {} ({})", device.device, device.why));
        } else if std::io::stderr().is_terminal() {
            let info = model.info();
            let parameters = info.parameters as f64 / 1e6;
            out::say(format_args!(
                "{name}: {parameters:.0} million parameters in {}, context {}, {} threads",
                info.stored.name(),
                info.context,
                info.threads
            ));
        }
        for notice in model.notices() {
            if talk == Talk::Full || !matches!(notice, Notice::Device { .. }) {
                out::say(format_args!("note: {}", remedy::notice(notice)));
            }
        }
        Ok(Session { model, load })
    }

    /// One answer, printed as the flags ask for.
    pub(crate) fn answer(&self, prompt: &str, args: &AnswerArgs) -> anyhow::Result<Exit> {
        let ids = self.prompt(prompt, args)?;
        let (mut sampling, mut stop) = (self.model.sampling(), self.model.stop());
        args.sampling.apply(&mut sampling, &mut stop);
        let stream = self.model.submit(ids.clone(), sampling, stop)?;
        let answer =
            answer::receive(stream, |text| if args.json { Ok(()) } else { out::piece(text) })?;
        if args.json {
            out::json(&answer.as_json(&ids, self.load))?;
        } else if !answer.text.ends_with('\n') {
            out::piece("\n")?;
        }
        answer.say_cut_off();
        if args.verbose {
            answer.say_timings(self.load);
        }
        if self.model.is_keeping() {
            out::say("note: the packed weights are being written to disk, for faster starts");
        }
        if let Some(notice) = self.model.finish_keeping() {
            out::say(format_args!("note: {notice}"));
        }
        Ok(if answer.interrupted() { Exit::Interrupted } else { Exit::Done })
    }

    fn prompt(&self, prompt: &str, args: &AnswerArgs) -> anyhow::Result<Vec<u32>> {
        Ok(match &args.system {
            _ if args.raw => self.model.raw_prompt(prompt)?,
            Some(system) => self
                .model
                .chat_prompt(&[Message::system(system.as_str()), Message::user(prompt)])?,
            None => self.model.prompt(prompt)?,
        })
    }
}
