//! The events of a response.

use utoipa::ToSchema;

use super::told::{ResponseAnswer, ResponseItem, ResponseTextPart};
use crate::openapi::words::words;

words! {
    /// How far the response is.
    ResponseEventWord: "response.created", "response.in_progress", "response.completed", "response.incomplete", "response.failed";
    /// That an item begins, or is complete.
    ItemEventWord: "response.output_item.added", "response.output_item.done";
    /// That the part of a message begins, or is complete.
    PartEventWord: "response.content_part.added", "response.content_part.done";
    /// More of a text.
    TextDeltaWord: "response.output_text.delta";
    /// All of a text.
    TextDoneWord: "response.output_text.done";
    /// More of a thought.
    ThoughtDeltaWord: "response.reasoning_text.delta";
    /// All of a thought.
    ThoughtDoneWord: "response.reasoning_text.done";
    /// What a call is given.
    CallDeltaWord: "response.function_call_arguments.delta", "response.custom_tool_call_input.delta";
    /// All that a function is given.
    ArgumentsDoneWord: "response.function_call_arguments.done";
    /// All that a tool is given that takes a text.
    InputDoneWord: "response.custom_tool_call_input.done";
}

macro_rules! event {
    ($(#[$about:meta])+ $name:ident: $word:ident { $($own:tt)* }) => {
        $(#[$about])+
        #[derive(ToSchema)]
        pub(super) struct $name {
            /// What it tells.
            #[schema(inline)]
            r#type: $word,
            /// Its place among the events.
            #[schema(example = 0)]
            sequence_number: u64,
            $($own)*
        }
    };
}

event! {
    /// How far the response is.
    ResponseEvent: ResponseEventWord {
        /// The response.
        response: ResponseAnswer,
    }
}

event! {
    /// An item begins, or is complete.
    ResponseItemEvent: ItemEventWord {
        /// The item's number.
        #[schema(example = 0)]
        output_index: usize,
        /// The item.
        item: ResponseItem,
    }
}

event! {
    /// The part of a message begins, or is complete.
    ResponsePartEvent: PartEventWord {
        /// The message.
        #[schema(example = "msg_5f1a")]
        item_id: String,
        /// The message's number.
        #[schema(example = 0)]
        output_index: usize,
        /// Always 0.
        #[schema(example = 0)]
        content_index: usize,
        /// The part.
        part: ResponseTextPart,
    }
}

event! {
    /// More of a text.
    ResponseTextDelta: TextDeltaWord {
        /// The message.
        #[schema(example = "msg_5f1a")]
        item_id: String,
        /// The message's number.
        #[schema(example = 0)]
        output_index: usize,
        /// Always 0.
        #[schema(example = 0)]
        content_index: usize,
        /// What comes.
        #[schema(example = " light")]
        delta: String,
        /// How likely its tokens were: it is not told.
        #[schema(value_type = Vec<Value>, example = json!([]))]
        logprobs: Vec<()>,
    }
}

event! {
    /// All of a text.
    ResponseTextDone: TextDoneWord {
        /// The message.
        #[schema(example = "msg_5f1a")]
        item_id: String,
        /// The message's number.
        #[schema(example = 0)]
        output_index: usize,
        /// Always 0.
        #[schema(example = 0)]
        content_index: usize,
        /// The text.
        #[schema(example = "Because light is scattered.")]
        text: String,
        /// How likely its tokens were: it is not told.
        #[schema(value_type = Vec<Value>, example = json!([]))]
        logprobs: Vec<()>,
    }
}

event! {
    /// More of a thought.
    ResponseThoughtDelta: ThoughtDeltaWord {
        /// The item.
        #[schema(example = "rs_5f1a")]
        item_id: String,
        /// The item's number.
        #[schema(example = 0)]
        output_index: usize,
        /// Always 0.
        #[schema(example = 0)]
        content_index: usize,
        /// What comes.
        #[schema(example = " sky")]
        delta: String,
    }
}

event! {
    /// All of a thought.
    ResponseThoughtDone: ThoughtDoneWord {
        /// The item.
        #[schema(example = "rs_5f1a")]
        item_id: String,
        /// The item's number.
        #[schema(example = 0)]
        output_index: usize,
        /// Always 0.
        #[schema(example = 0)]
        content_index: usize,
        /// The text.
        #[schema(example = "The user asks about the sky.")]
        text: String,
    }
}

event! {
    /// What a call is given; it comes whole.
    ResponseCallDelta: CallDeltaWord {
        /// The call.
        #[schema(example = "fc_5f1a")]
        item_id: String,
        /// The call's number.
        #[schema(example = 0)]
        output_index: usize,
        /// What comes.
        #[schema(example = "{\"city\": \"Bonn\"}")]
        delta: String,
    }
}

event! {
    /// All that a function is given.
    ResponseArgumentsDone: ArgumentsDoneWord {
        /// The call.
        #[schema(example = "fc_5f1a")]
        item_id: String,
        /// The call's number.
        #[schema(example = 0)]
        output_index: usize,
        /// What is called.
        #[schema(example = "weather")]
        name: String,
        /// Its arguments: an object of JSON, in a text.
        #[schema(example = "{\"city\": \"Bonn\"}")]
        arguments: String,
    }
}

event! {
    /// All that a tool is given that takes a text.
    ResponseInputDone: InputDoneWord {
        /// The call.
        #[schema(example = "ctc_5f1a")]
        item_id: String,
        /// The call's number.
        #[schema(example = 0)]
        output_index: usize,
        /// What is called.
        #[schema(example = "shell")]
        name: String,
        /// What it is given.
        #[schema(example = "ls")]
        input: String,
    }
}

/// The data of an event, which is named by its `type`.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "none is ever made")]
pub(super) enum ResponseStreamEvent {
    /// How far the response is.
    Response(ResponseEvent),
    /// An item begins, or is complete.
    Item(ResponseItemEvent),
    /// The part of a message begins, or is complete.
    Part(ResponsePartEvent),
    /// More of a text.
    TextDelta(ResponseTextDelta),
    /// All of a text.
    TextDone(ResponseTextDone),
    /// More of a thought.
    ThoughtDelta(ResponseThoughtDelta),
    /// All of a thought.
    ThoughtDone(ResponseThoughtDone),
    /// What a call is given.
    CallDelta(ResponseCallDelta),
    /// All that a function is given.
    ArgumentsDone(ResponseArgumentsDone),
    /// All that a tool is given that takes a text.
    InputDone(ResponseInputDone),
}
