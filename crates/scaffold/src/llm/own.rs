//! What a model of one's own says over the model that it is made from.

use std::borrow::Cow;
use std::sync::Arc;

use scaffold_hub::MadeModel;

use super::text::ModelText;
use crate::Message;

/// What a model of one's own says over what it is made from.
#[derive(Debug)]
pub(crate) struct Own {
    pub(super) model: Arc<MadeModel>,
    /// Where it has a template of its own.
    pub(super) text: Option<ModelText>,
    system: Option<Message>,
    messages: Vec<Message>,
}

impl Own {
    pub(super) fn new(model: &Arc<MadeModel>, text: Option<ModelText>) -> Self {
        let message = |said: &scaffold_hub::MadeMessage| {
            Message::new(said.role.as_str(), said.content.as_str())
        };
        Self {
            text,
            system: model.system.as_ref().map(|text| Message::system(text.as_str())),
            messages: model.messages.iter().map(message).collect(),
            model: Arc::clone(model),
        }
    }

    /// The chat with what it begins with: a system prompt, where it has none of its own, and the
    /// model's own messages behind it.
    pub(super) fn begun<'m>(&self, messages: &'m [Message]) -> Cow<'m, [Message]> {
        if messages.is_empty() || (self.system.is_none() && self.messages.is_empty()) {
            return Cow::Borrowed(messages);
        }
        let is_system = |said: &Message| ["system", "developer"].contains(&said.role());
        let (system, rest) = match messages.split_first() {
            Some((first, rest)) if is_system(first) => (Some(first), rest),
            _ => (self.system.as_ref(), messages),
        };
        Cow::Owned(system.into_iter().chain(&self.messages).chain(rest).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use scaffold_hub::{Base, MadeMessage};

    use super::*;

    #[test]
    fn a_chat_begins_with_one_system_prompt_and_the_models_messages() {
        let base = Base::From("hf.co/org/name".into());
        let plain = MadeModel::new("mario".parse().unwrap(), base);
        let said =
            |role: &str, content: &str| MadeMessage { role: role.into(), content: content.into() };
        let made = MadeModel {
            system: Some("Be Mario.".into()),
            messages: vec![said("user", "a"), said("assistant", "b")],
            ..plain.clone()
        };
        let own = Own::new(&Arc::new(made), None);
        let begun = |own: &Own, messages: &[Message]| -> Vec<String> {
            own.begun(messages).iter().map(Message::text).collect()
        };
        let (user, system) = (Message::user("x"), Message::system("Be Luigi."));
        assert_eq!(begun(&own, std::slice::from_ref(&user)), ["Be Mario.", "a", "b", "x"]);
        assert_eq!(begun(&own, &[system.clone(), user.clone()]), ["Be Luigi.", "a", "b", "x"]);
        let developer = Message::new("developer", "Be Luigi.");
        assert_eq!(begun(&own, &[developer, user.clone()]), ["Be Luigi.", "a", "b", "x"]);
        assert_eq!(begun(&own, &[]), [""; 0]);
        let none = Own::new(&Arc::new(plain), None);
        assert_eq!(begun(&none, &[user]), ["x"]);
    }
}
