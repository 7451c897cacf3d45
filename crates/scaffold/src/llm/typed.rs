//! Answers as values of the program's own types.

use scaffold_error::err;
use serde::de::DeserializeOwned;

use super::manager::LlmManager;
use super::options::GenerateOptions;
use super::parts::Reply;
use crate::Message;
use crate::error::Error;

impl LlmManager {
    /// The assistant's next message as a value. `options` say which JSON it is
    /// ([`schema`](GenerateOptions::schema)); thoughts before it are left out.
    ///
    /// ```no_run
    /// use scaffold::{GenerateOptions, LlmManager, Message};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct City {
    ///     name: String,
    ///     inhabitants: u32,
    /// }
    ///
    /// let schema = serde_json::json!({
    ///     "type": "object",
    ///     "properties": { "name": { "type": "string" }, "inhabitants": { "type": "integer", "minimum": 0 } },
    ///     "required": ["name", "inhabitants"],
    ///     "additionalProperties": false,
    /// });
    /// let model = LlmManager::from_pretrained("starter")?;
    /// let chat = [Message::user("Name a city in Germany, and how many people live there.")];
    /// let city: City = model.reply_as(&chat, &GenerateOptions::new().schema(schema))?;
    /// println!("{}: {}", city.name, city.inhabitants);
    /// # Ok::<(), scaffold::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`reply_with`](Self::reply_with); an answer that was cut before it was whole, or is no value
    /// of this type.
    pub fn reply_as<T: DeserializeOwned>(
        &self,
        messages: &[Message],
        options: &GenerateOptions,
    ) -> Result<T, Error> {
        self.named(value_of(&self.reply_with(messages, options)?))
    }

    /// The answer to a prompt as a value, whose schema its type has.
    ///
    /// ```no_run
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct City {
    ///     name: String,
    ///     inhabitants: u32,
    /// }
    ///
    /// let model = scaffold::LlmManager::from_pretrained("starter")?;
    /// let city: City = model.generate_as("Name a city in Germany, and how many people live there.")?;
    /// println!("{}: {}", city.name, city.inhabitants);
    /// # Ok::<(), scaffold::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`reply_as`](Self::reply_as), and a type whose schema answers cannot be held to.
    #[cfg(feature = "schemars")]
    pub fn generate_as<T: DeserializeOwned + schemars::JsonSchema>(
        &self,
        prompt: &str,
    ) -> Result<T, Error> {
        self.generate_as_with(prompt, &GenerateOptions::new())
    }

    /// [`generate_as`](Self::generate_as), made as `options` say.
    ///
    /// # Errors
    /// As [`generate_as`](Self::generate_as).
    #[cfg(feature = "schemars")]
    pub fn generate_as_with<T: DeserializeOwned + schemars::JsonSchema>(
        &self,
        prompt: &str,
        options: &GenerateOptions,
    ) -> Result<T, Error> {
        let options = options.clone().schema(schemars::schema_for!(T).to_value());
        let mut streams = self.parts_ids(self.prompt_ids(prompt)?, 1, &options)?;
        let stream = streams
            .pop()
            .ok_or_else(|| err!(Internal, "one answer was asked for, and none was begun"))?;
        self.named(value_of(&stream.collect_reply()?))
    }
}

/// The value that a reply is.
fn value_of<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
    if reply.answer.incomplete {
        return Err(err!(
            TooLarge,
            "the answer ended after {} tokens, before its value was whole: allow more (max_new_tokens, the context), or ask for \
             a smaller value",
            reply.answer.usage.completion_tokens
        ));
    }
    serde_json::from_str(&reply.text).map_err(|cause| {
        err!(
            Unsupported,
            "the answer is no value of the type that is asked for: {cause}. Give a schema that allows only such values"
        )
        .because(cause)
    })
}
