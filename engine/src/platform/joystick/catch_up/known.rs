//! What is known of a channel, and how it differs from what was looked up.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::look_up::Found;
use crate::event::{Broadcast, Event, Follow, Subscription, User};
use crate::platform::joystick::rest::People;
use crate::platform::joystick::wire::user_id;

/// Order is not kept, so what was looked up may be told live a little later.
pub(super) const TOLD_AGAIN: Duration = Duration::from_secs(60);
/// The kind of a subscription by which somebody becomes a subscriber.
const FIRST: &str = "new";

#[derive(Default)]
pub(super) struct Known {
    live: Fact<bool>,
    title: Fact<String>,
    viewers: Fact<u32>,
    followers: Fact<u32>,
    subscribers: Fact<u32>,
    following: Circle,
    subscribed: Circle,
    /// When the look-up that is under way began.
    asked_ms: u64,
}

/// One value, and whether it was heard since the look-up began, which makes it the newer one.
#[derive(Default)]
struct Fact<T> {
    value: Option<T>,
    at_ms: u64,
    is_fresh: bool,
    /// When it was told because a look-up found it, and nothing was heard since.
    told: Option<Instant>,
}

impl<T: PartialEq + Clone> Fact<T> {
    /// Order is not kept: what happened before is no news. Says whether it was told already.
    fn hears(&mut self, value: T, at_ms: u64) -> bool {
        let is_known = self.value.as_ref() == Some(&value);
        let was_told = self.told.take().is_some_and(|at| at.elapsed() < TOLD_AGAIN);
        if at_ms >= self.at_ms {
            *self = Self { value: Some(value), at_ms, is_fresh: true, told: None };
        }
        is_known && was_told
    }

    /// The new value, when there was another before. It is at least as new as the question, which was asked `at_ms`.
    fn change(&mut self, found: Option<T>, at_ms: u64) -> Option<T> {
        let found = found.filter(|_| !self.is_fresh)?;
        let before = self.value.replace(found.clone());
        let is_news = before.is_some_and(|before| before != found);
        self.at_ms = self.at_ms.max(at_ms);
        self.told = is_news.then(Instant::now);
        is_news.then_some(found)
    }
}

/// The ids of all who follow, or subscribe.
#[derive(Default)]
struct Circle {
    /// `None` as long as not all of them are known.
    ids: Option<HashSet<String>>,
    /// Who joined since the look-up began; `None` when none is under way.
    fresh: Option<HashSet<String>>,
    /// Who was found by a look-up, and when.
    found: HashMap<String, Instant>,
}

impl Circle {
    /// Takes note of somebody who is one of them.
    fn note(&mut self, user: &User) {
        if let Some(fresh) = &mut self.fresh {
            fresh.insert(user.id.clone());
        }
        if let Some(ids) = &mut self.ids {
            ids.insert(user.id.clone());
        }
    }

    /// Takes note of somebody who joins. Says whether that was told already.
    fn joins(&mut self, user: &User) -> bool {
        self.note(user);
        self.found.remove(&user.id).is_some_and(|at| at.elapsed() < TOLD_AGAIN)
    }

    /// Those who are new since the last look-up. A list that was not answered says nothing, and the last one is kept.
    fn compare(&mut self, people: Option<People>) -> Vec<User> {
        let fresh = self.fresh.take().unwrap_or_default();
        let Some(people) = people else { return Vec::new() };
        let Some(names) = people.names else {
            self.ids = None;
            return Vec::new();
        };
        let before = self.ids.take();
        let is_new = |name: &String| {
            let id = user_id(name);
            before.as_ref().is_some_and(|before| !before.contains(&id)) && !fresh.contains(&id)
        };
        let new: Vec<User> = names.iter().filter(|name| is_new(name)).map(|name| somebody(name)).collect();
        self.ids = Some(names.iter().map(|name| user_id(name)).chain(fresh).collect());
        let now = Instant::now();
        self.found.retain(|_, at| at.elapsed() < TOLD_AGAIN);
        self.found.extend(new.iter().map(|user| (user.id.clone(), now)));
        new
    }
}

fn somebody(name: &str) -> User {
    User { id: user_id(name), login: name.to_owned(), display_name: name.to_owned(), ..User::default() }
}

impl Known {
    /// A look-up begins, which [`Self::compare`] or [`Self::end`] ends.
    pub(super) fn begin(&mut self, now_ms: u64) {
        let Self { live, title, viewers, followers, subscribers, following, subscribed, asked_ms } = self;
        // The service writes whole seconds, and what happens in this one may be newer.
        *asked_ms = now_ms - now_ms % 1000;
        live.is_fresh = false;
        title.is_fresh = false;
        for counted in [viewers, followers, subscribers] {
            counted.is_fresh = false;
        }
        following.fresh = Some(HashSet::new());
        subscribed.fresh = Some(HashSet::new());
    }

    /// No look-up will tell anything of this channel.
    pub(super) fn end(&mut self) {
        self.following.fresh = None;
        self.subscribed.fresh = None;
    }

    /// Says whether it was told already.
    pub(super) fn hears(&mut self, event: &Event, at_ms: u64) -> bool {
        match event {
            Event::Follow(follow) => self.following.joins(&follow.who),
            Event::Subscription(subscription) if subscription.kind == FIRST => self.subscribed.joins(&subscription.who),
            // One that goes on is never what a look-up tells.
            Event::Subscription(subscription) => {
                self.subscribed.note(&subscription.who);
                false
            }
            Event::Broadcast(broadcast) => self.hears_state(broadcast, at_ms),
            _ => false,
        }
    }

    fn hears_state(&mut self, broadcast: &Broadcast, at_ms: u64) -> bool {
        let counted = match broadcast.kind.as_str() {
            "online" => return self.live.hears(true, at_ms),
            "offline" => return self.live.hears(false, at_ms),
            "viewers" => &mut self.viewers,
            "followers" => &mut self.followers,
            "subscribers" => &mut self.subscribers,
            _ => return false,
        };
        broadcast.count.is_some_and(|count| counted.hears(count, at_ms))
    }

    /// What is different now. The first time, nothing is.
    pub(super) fn compare(&mut self, found: Found) -> Vec<Event> {
        let Found { stream, followers, subscribers, channel_id: _ } = found;
        let asked_ms = self.asked_ms;
        let total = |people: &Option<People>| people.as_ref().and_then(|people| people.total);
        let mut events = Vec::new();
        let mut tell = |kind: &str, title: Option<String>, count: Option<u32>| {
            events.push(Event::Broadcast(Broadcast { kind: kind.to_owned(), title, count, ..Broadcast::default() }));
        };
        if let Some(live) = self.live.change(stream.live, asked_ms) {
            tell(if live { "online" } else { "offline" }, stream.title.clone(), None);
        }
        if let Some(title) = self.title.change(stream.title, asked_ms) {
            tell("title", Some(title), None);
        }
        for (kind, fact, count) in [
            ("viewers", &mut self.viewers, stream.viewers),
            ("followers", &mut self.followers, total(&followers).or(stream.followers)),
            ("subscribers", &mut self.subscribers, total(&subscribers)),
        ] {
            if let Some(count) = fact.change(count, asked_ms) {
                tell(kind, None, Some(count));
            }
        }
        events.extend(self.following.compare(followers).into_iter().map(|who| Event::Follow(Follow { who })));
        let subscribed = self.subscribed.compare(subscribers).into_iter();
        events.extend(subscribed.map(|who| {
            let (tier, kind) = (String::new(), FIRST.to_owned());
            Event::Subscription(Subscription { kind, who, tier, months: 0, streak_months: None, message: None })
        }));
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::joystick::rest::Stream;

    fn people(names: &[&str]) -> Option<People> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Some(People { total: u32::try_from(names.len()).ok(), names: Some(names) })
    }

    fn found(live: bool, title: &str, viewers: u32, followers: &[&str]) -> Found {
        let stream =
            Stream { live: Some(live), title: Some(title.into()), viewers: Some(viewers), ..Stream::default() };
        Found { stream, followers: people(followers), subscribers: people(&[]), ..Found::default() }
    }

    fn state(kind: &str, title: Option<&str>, count: Option<u32>) -> Event {
        Event::Broadcast(Broadcast {
            kind: kind.into(),
            title: title.map(str::to_owned),
            count,
            ..Broadcast::default()
        })
    }

    fn follow(name: &str) -> Event {
        Event::Follow(Follow { who: somebody(name) })
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_changed_is_told() {
        let mut known = Known::default();
        assert_eq!(known.compare(found(true, "Dance", 5, &["a", "b"])), []);
        known.begin(1000);
        assert_eq!(known.compare(found(true, "Dance", 5, &["a", "b"])), []);
        known.begin(1000);
        let told = known.compare(found(false, "Sleep", 5, &["b", "C"]));
        assert_eq!(told, [state("offline", Some("Sleep"), None), state("title", Some("Sleep"), None), follow("C")]);
        known.begin(1000);
        let nothing = known.compare(Found::default());
        assert_eq!(nothing, [], "what could not be asked for is not different");
        known.begin(1000);
        let told = known.compare(found(false, "Sleep", 5, &["b", "C", "d"]));
        assert_eq!(told, [state("followers", None, Some(3)), follow("d")], "nor is it forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_heard_meanwhile_is_newer() {
        let mut known = Known::default();
        known.compare(found(true, "Dance", 5, &["a"]));
        known.begin(1000);
        assert!(!known.hears(&state("offline", None, None), 2000));
        assert!(!known.hears(&state("viewers", None, Some(9)), 2000));
        assert!(!known.hears(&follow("b"), 2000));
        assert_eq!(known.compare(found(true, "Dance", 5, &["a", "b"])), [state("followers", None, Some(2))]);
        known.begin(1000);
        assert_eq!(known.compare(found(false, "Dance", 9, &["a", "b"])), []);
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_that_comes_before_its_beginning_is_still_the_end() {
        let mut known = Known::default();
        known.hears(&state("offline", None, None), 2000);
        known.hears(&state("online", None, None), 1000);
        known.begin(1000);
        assert_eq!(known.compare(found(false, "Dance", 5, &[])), []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_state_that_was_found_is_not_told_again_when_the_service_is_late() {
        let (online, offline) = (state("online", None, None), state("offline", None, None));
        let mut known = Known::default();
        known.compare(found(true, "Dance", 5, &[]));
        let found_offline = |known: &mut Known, asked_ms| {
            known.begin(asked_ms);
            let told = known.compare(found(false, "Dance", 5, &[]));
            assert_eq!(told, [state("offline", Some("Dance"), None)]);
        };
        found_offline(&mut known, 1000);
        assert!(known.hears(&offline, 900), "it was told");
        assert!(!known.hears(&online, 2000) && !known.hears(&offline, 3000), "these are others");
        known.hears(&online, 4000);
        found_offline(&mut known, 5000);
        assert!(!known.hears(&online, 4500), "what was before is told, for what it is worth");
        assert!(!known.hears(&offline, 4600), "and what ended it, which would else seem to go on");
        known.begin(6000);
        assert_eq!(known.compare(found(false, "Dance", 5, &[])), [], "it is no news that it was found");
        known.hears(&online, 7000);
        found_offline(&mut known, 8000);
        tokio::time::advance(TOLD_AGAIN).await;
        assert!(!known.hears(&offline, 7900));
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_found_is_not_told_again_when_the_service_is_late() {
        let mut known = Known::default();
        known.compare(found(true, "Dance", 5, &[]));
        for name in ["a", "b"] {
            known.begin(1000);
            assert!(
                known
                    .compare(found(true, "Dance", 5, &["a", "b"][..if name == "a" { 1 } else { 2 }]))
                    .contains(&follow(name))
            );
            assert!(known.hears(&follow(name), 1000), "it was told");
            assert!(!known.hears(&follow(name), 1000), "this is another one");
        }
        known.begin(1000);
        known.compare(found(true, "Dance", 5, &["a", "b", "c"]));
        tokio::time::advance(TOLD_AGAIN).await;
        assert!(!known.hears(&follow("c"), 1000));
    }

    #[tokio::test(start_paused = true)]
    async fn who_joins_is_only_kept_apart_while_a_look_up_is_under_way() {
        let mut known = Known::default();
        let kept = |known: &Known| known.following.fresh.as_ref().map(HashSet::len);
        known.hears(&follow("a"), 1000);
        assert_eq!(kept(&known), None, "with a basic key nothing is ever looked up");
        known.begin(1000);
        known.hears(&follow("b"), 1000);
        assert_eq!(kept(&known), Some(1));
        known.compare(found(true, "Dance", 5, &["a"]));
        known.hears(&follow("c"), 1000);
        assert_eq!(kept(&known), None);
        known.begin(1000);
        assert_eq!(kept(&known), Some(0));
        known.end();
        known.hears(&follow("d"), 1000);
        assert_eq!(kept(&known), None, "it was of another channel");
        known.begin(1000);
        assert_eq!(known.compare(found(true, "Dance", 5, &["a", "b", "c", "d"])), [state("followers", None, Some(4))]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_is_too_long_is_only_counted() {
        let mut known = Known::default();
        let many =
            |total: u32| Found { followers: Some(People { total: Some(total), names: None }), ..Found::default() };
        known.compare(many(5000));
        known.begin(1000);
        assert_eq!(known.compare(many(5001)), [state("followers", None, Some(5001))]);
        known.begin(1000);
        assert_eq!(
            known.compare(Found { followers: people(&["a"]), ..Found::default() }),
            [state("followers", None, Some(1))]
        );
    }
}
