use std::fs;

use scaffold_testing::tokenizer::byte_level;
use scaffold_text::LoadOptions;

use super::*;

/// Wants the letters of a word, one after the other.
struct Word(Vec<u32>);

impl Guide for Word {
    fn allowed(&mut self) -> Result<Allowed, Error> {
        let mut tokens = Vec::new();
        self.0.last().into_iter().for_each(|&id| allow(&mut tokens, id));
        Ok(Allowed { tokens: Some(tokens), may_end: self.0.is_empty() })
    }

    fn take(&mut self, id: u32) -> Result<(), Error> {
        assert_eq!(self.0.pop(), Some(id));
        Ok(())
    }

    fn forced(&mut self, _: usize) -> Result<Vec<u32>, Error> {
        Ok(std::mem::take(&mut self.0).into_iter().rev().collect())
    }

    fn standing(&mut self) -> Progress {
        if self.0.is_empty() { Progress::Complete } else { Progress::Incomplete }
    }
}

/// Bytes as tokens, `<think>` as one, and two that end with more than the mark.
fn tokenizer() -> Arc<Tokenizer> {
    let mut file = byte_level();
    for (id, name) in [(500, "<think>"), (501, "k>\n"), (502, "k>x"), (503, "a</think>x")] {
        let added = serde_json::json!({"id": id, "content": name, "special": false, "single_word": false, "lstrip": false,
                                       "rstrip": false, "normalized": false});
        file["added_tokens"].as_array_mut().unwrap().push(added);
        file["model"]["vocab"].as_object_mut().unwrap().retain(|_, known| *known != id);
        file["model"]["vocab"][name] = id.into();
    }
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("tokenizer.json"), file.to_string()).unwrap();
    Arc::new(Tokenizer::from_dir(directory.path(), &LoadOptions::default()).unwrap().0)
}

struct Told<G = Word> {
    guide: Thoughtful<G>,
    tokenizer: Arc<Tokenizer>,
}

impl Told {
    fn new(opened: bool) -> Self {
        Self::with(opened, None)
    }

    fn with(opened: bool, budget: Option<usize>) -> Self {
        let tokenizer = tokenizer();
        let marks = Arc::new(ThoughtMarks::new("<think>\n", "</think>", &tokenizer));
        let word = ["n", "o"].map(|name| tokenizer.token_to_id(name).unwrap());
        let word = Word(word.into_iter().rev().collect());
        let guide = Thoughtful::new(word, marks, Arc::clone(&tokenizer), opened, budget);
        Self { guide, tokenizer }
    }
}

impl<G: Guide> Told<G> {
    fn may(&mut self, name: &str) -> bool {
        let id = self.id(name);
        self.guide.allowed().unwrap().has(id)
    }

    fn id(&self, name: &str) -> u32 {
        let bytes = name.as_bytes();
        let is = |id: &u32| self.tokenizer.token_bytes(*id).as_deref() == Some(bytes);
        (0..512).find(is).unwrap_or_else(|| panic!("{name:?}"))
    }

    fn say(&mut self, text: &str) {
        for byte in text.chars() {
            self.token(&byte.to_string());
        }
    }

    fn token(&mut self, name: &str) {
        assert!(self.may(name), "{name:?} may not come: {:?}", self.guide.stage);
        let id = self.id(name);
        self.guide.take(id).unwrap();
    }
}

#[test]
fn thoughts_are_free_and_what_comes_behind_them_is_not() {
    let mut told = Told::new(true);
    told.say("Hm. </thin");
    assert!(told.may("z") && told.guide.forced(9).unwrap().is_empty());
    assert!(!told.guide.allowed().unwrap().may_end);
    told.say("k>");
    assert!(told.may("\n") && told.may("n") && !told.may("z") && !told.may("o"));
    told.say("\n\nn");
    assert!(!told.may("\n") && told.may("o"));
    told.say("o");
    assert_eq!(told.guide.standing(), Progress::Complete);
}

#[test]
fn a_mark_in_several_tokens_ends_thoughts_only_with_nothing_behind_it() {
    let mut told = Told::new(true);
    told.say("</thin");
    assert!(!told.may("k>x") && told.may("k>\n") && !told.may("a</think>x"));
    told.token("k>\n");
    // Three more, since one stands there.
    told.say("\n\n\n");
    assert!(!told.may("\n") && told.may("n"));
    // Where no mark has begun it is text as any other.
    let mut told = Told::new(true);
    told.say("x");
    assert!(told.may("k>x"));
    told.token("k>x");
    assert!(!told.may("a</think>x"));
}

#[test]
fn a_model_may_open_thoughts_at_its_start_alone() {
    let mut told = Told::new(false);
    assert!(told.may("<think>") && told.may("n") && !told.may("\n"));
    told.token("<think>");
    told.say("a</think>no");
    let mut told = Told::new(false);
    told.say("n");
    assert!(!told.may("<think>"));
    assert_eq!(told.guide.forced(9).unwrap().len(), 1);
}

#[test]
fn thoughts_that_have_had_their_budget_are_closed() {
    let mut told = Told::with(true, Some(3));
    told.say("abc");
    assert!(told.may("<") && !told.may("d") && !told.guide.allowed().unwrap().may_end);
    // One after the other, or all that must come.
    told.say("</");
    let rest = told.guide.forced(100).unwrap();
    assert_eq!(told.tokenizer.decode(&rest, false).unwrap(), "think>");
    told.say("no");
    assert_eq!(told.guide.standing(), Progress::Complete);

    // A model that closes them itself is not disturbed.
    let mut told = Told::with(true, Some(3));
    told.say("ab</think>no");
    let none = Told::with(true, Some(0)).guide.forced(100).unwrap();
    assert_eq!(told.tokenizer.decode(&none, false).unwrap(), "</think>");
}

#[test]
fn free_answers_have_a_budget_of_thoughts_too() {
    let tokenizer = tokenizer();
    let marks = Arc::new(ThoughtMarks::new("<think>\n", "</think>", &tokenizer));
    let guide = Thoughtful::free(marks, Arc::clone(&tokenizer), false, 2);
    let mut told = Told { guide, tokenizer };
    assert_eq!(told.guide.standing(), Progress::MayEnd);
    told.token("<think>");
    told.say("k");
    told.token("k>x");
    assert_eq!(told.guide.standing(), Progress::Incomplete);
    assert_eq!(told.guide.forced(3).unwrap().len(), 3);
    assert!(!told.may("x"));
    told.guide.forced(100).unwrap();
    assert!(told.may("x") && told.guide.allowed().unwrap().may_end);
    told.say("anything");
}
