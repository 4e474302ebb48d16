//! Chat between the users of the server.

use serde::Serialize;

use crate::clock::now;
use crate::db::chat;
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::{Call, Reply};

/// Letters of a message at most.
const LONGEST_MESSAGE: usize = 2_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChatMessages {
    chat_message: Vec<ChatMessage>,
}

#[derive(Serialize)]
struct ChatMessage {
    username: String,
    time: i64,
    message: String,
}

/// `getChatMessages`: those after a time in ms, or all that are kept.
pub fn get_chat_messages(call: &Call) -> Result<Reply> {
    let since = call.params.int("since")?.unwrap_or(0);
    let rows = call.app.db.read(|db| chat::since(db, since))?;
    let message = |row: chat::Message| ChatMessage {
        username: row.username,
        time: row.time,
        message: row.message,
    };
    let chat_message = rows.into_iter().map(message).collect();
    call.answer("chatMessages", &ChatMessages { chat_message })
}

/// `addChatMessage`: says something to all.
pub fn add_chat_message(call: &Call) -> Result<Reply> {
    let message = call.params.need_text("message")?;
    if message.trim().is_empty() || message.chars().count() > LONGEST_MESSAGE {
        return Err(Fail::parameter(format!(
            "Parameter 'message' must have 1 to {LONGEST_MESSAGE} letters"
        )));
    }
    let now = now();
    call.app.db.write(|db| chat::add(db, call.user.id, message, now))?;
    call.ok()
}
