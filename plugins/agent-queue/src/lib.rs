//! Gives the AI agent what nobody else answered: acknowledges a message, puts it into the task queue, and posts
//! the agent's answer where the question came from.
//!
//! What viewers write is data for the agent, never a part of a command or a template. `settings` reads the
//! operator's table, `audience` decides what is meant for the agent, `limit` how much one viewer may ask,
//! `tasks` remembers who is waiting for which answer, and `lines` splits long answers.

mod audience;
mod limit;
mod lines;
mod settings;
mod tasks;
#[cfg(test)]
mod tests;

use std::time::Duration;

use limit::{Limit, Ruling};
use settings::{Settings, Told};
use showrunner_sdk::Refusal;
use showrunner_sdk::agent::{self, Task};
use showrunner_sdk::cooldown::Cooldown;
use showrunner_sdk::prelude::*;
use tasks::{Asker, Tasks};

struct AgentQueue {
    settings: Settings,
    limit: Limit,
    acknowledged: Cooldown,
    /// One for all channels: a full queue is full for everybody.
    told_full: Cooldown,
    tasks: Tasks,
}

/// What goes into the queue.
struct Question<'a> {
    text: &'a str,
    who: &'a User,
    message_id: Option<&'a str>,
    priority: u8,
    /// "5.00 USD", for tips.
    amount: Option<String>,
}

impl Plugin for AgentQueue {
    fn new() -> Result<Self, String> {
        let settings = Settings::load()?;
        Ok(Self {
            limit: Limit::new(settings.tasks_per_minute),
            acknowledged: Cooldown::new(Duration::ZERO, settings.acknowledge_cooldown),
            told_full: Cooldown::new(Duration::from_secs(60), Duration::ZERO),
            tasks: Tasks::new(settings.expires),
            settings,
        })
    }

    fn on_chat(&mut self, envelope: &Envelope, message: &ChatMessage) -> Answer {
        if !self.settings.audience.is_for_agent(message) {
            return Ok(Passed);
        }
        self.ask(
            envelope,
            &Question {
                text: message.text.trim(),
                who: &message.author,
                message_id: Some(&message.id),
                priority: self.settings.priority,
                amount: None,
            },
        )
    }

    fn on_support(&mut self, envelope: &Envelope, support: &Support) -> Answer {
        let Some(who) = support.who.as_ref().filter(|who| !who.is_bot()) else { return Ok(Passed) };
        let text = support.message.as_deref().unwrap_or("").trim();
        if !self.settings.audience.takes_tip(text) {
            return Ok(Passed);
        }
        self.ask(
            envelope,
            &Question {
                text,
                who,
                message_id: None,
                priority: self.settings.tip_priority,
                amount: Some(support.amount().to_string()),
            },
        )
    }

    fn on_agent_reply(&mut self, _envelope: &Envelope, reply: &AgentReply) -> Answer {
        let Some(asker) = self.tasks.take(&reply.task_id)? else { return Ok(Passed) };
        if !self.settings.post_replies {
            return Ok(Handled);
        }
        if reply.ok {
            for line in lines::split(&reply.text, self.settings.line_characters, self.settings.lines) {
                asker.tell(&line)?;
            }
        } else {
            log::info(format!("The agent gave up on the task {}: {}", reply.task_id, reply.text));
            if let Some(text) = self.settings.text(Told::Failed, asker.name()) {
                asker.tell(&text)?;
            }
        }
        Ok(Handled)
    }
}

impl AgentQueue {
    fn ask(&mut self, envelope: &Envelope, question: &Question<'_>) -> Answer {
        let user_id = &question.who.id;
        match self.limit.rule(&envelope.platform, user_id) {
            Ruling::Allowed => {}
            Ruling::FirstRefusal => return self.tell(envelope, question, Told::Limit),
            Ruling::Refused => return Ok(Handled),
        }
        match agent::enqueue(&self.task(envelope, question)) {
            Ok(task_id) => self.tasks.remember(&task_id, &Asker::new(envelope, question.who, question.message_id)),
            // Nothing that a viewer could change; the operator reads it.
            Err(refused) if refused.cause() == Refusal::Denied => {
                return Err(format!("the agent's queue is not granted: {refused}"));
            }
            Err(error) => {
                log::warn(format!("The agent's queue took no task: {error}."));
                return if self.told_full.try_start("", "") {
                    self.tell(envelope, question, Told::Full)
                } else {
                    Ok(Handled)
                };
            }
        }
        if self.acknowledges(question) && self.acknowledged.try_start(&envelope.platform, user_id) {
            return self.tell(envelope, question, Told::Acknowledged);
        }
        Ok(Handled)
    }

    fn acknowledges(&self, question: &Question<'_>) -> bool {
        self.settings.acknowledge && (question.amount.is_none() || self.settings.acknowledge_tips)
    }

    fn task(&self, envelope: &Envelope, question: &Question<'_>) -> Task {
        let mut context = serde_json::json!({
            "platform": envelope.platform,
            "channel": envelope.channel,
            "message_id": question.message_id,
            "author": question.who.shown_name(),
            "author_id": question.who.id,
            "text": question.text,
            "roles": question.who.roles.names(),
            "at_ms": envelope.at_ms,
        });
        if let (Some(amount), Some(context)) = (&question.amount, context.as_object_mut()) {
            context.insert("tip".to_owned(), amount.as_str().into());
        }
        // A tip without words is still a reason to say something.
        let prompt = match &question.amount {
            Some(amount) if question.text.is_empty() => format!("(a tip of {amount}, without a message)"),
            _ => question.text.to_owned(),
        };
        Task {
            queue: self.settings.queue.clone(),
            prompt,
            context_json: Some(context.to_string()),
            priority: question.priority,
        }
    }

    /// A short word to whoever asked. The task counts, the word is a courtesy: when it can't be sent, the task
    /// stays.
    fn tell(&self, envelope: &Envelope, question: &Question<'_>, told: Told) -> Answer {
        let Some(text) = self.settings.text(told, question.who.shown_name()) else { return Ok(Handled) };
        if let Err(error) = chat::say(envelope, &text) {
            log::warn(format!("A word to a viewer could not be sent: {error}."));
        }
        Ok(Handled)
    }
}

showrunner_sdk::export!(AgentQueue);
