//! The kinds of things that are thanked for, and what can be said of each.

use serde::Deserialize;
use showrunner_sdk::event::{Subscription, Support};

/// What is thanked for. The names are those of the settings, and of the overlay's alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Tip,
    Bits,
    Coins,
    SuperChat,
    Charity,
    Trade,
    WheelSpin,
    /// Any kind of support that is not listed here.
    Support,
    Follow,
    Sub,
    Resub,
    Upgrade,
    Gift,
    Raid,
    Redemption,
    /// A goal of this plugin's that is reached.
    Goal,
}

/// What every text may use.
const COMMON: [&str; 7] = ["user", "login", "platform", "goal.name", "goal.current", "goal.target", "goal.percent"];

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tip => "tip",
            Self::Bits => "bits",
            Self::Coins => "coins",
            Self::SuperChat => "super-chat",
            Self::Charity => "charity",
            Self::Trade => "trade",
            Self::WheelSpin => "wheel-spin",
            Self::Support => "support",
            Self::Follow => "follow",
            Self::Sub => "sub",
            Self::Resub => "resub",
            Self::Upgrade => "upgrade",
            Self::Gift => "gift",
            Self::Raid => "raid",
            Self::Redemption => "redemption",
            Self::Goal => "goal",
        }
    }

    /// Whether it is measured in a currency; everything else is a plain number.
    pub(crate) const fn is_money(self) -> bool {
        matches!(
            self,
            Self::Tip
                | Self::Bits
                | Self::Coins
                | Self::SuperChat
                | Self::Charity
                | Self::Trade
                | Self::WheelSpin
                | Self::Support
        )
    }

    /// What its number counts, for messages.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Follow => "how many follow at once",
            Self::Sub | Self::Resub | Self::Upgrade => "months",
            Self::Gift => "how many are given",
            Self::Raid => "viewers",
            Self::Redemption => "points",
            _ => "an amount",
        }
    }

    /// The placeholders that its texts may use.
    pub(crate) fn placeholders(self) -> Vec<&'static str> {
        let own: &[&str] = match self {
            Self::Follow => &["names", "count"],
            Self::Sub | Self::Resub | Self::Upgrade => &["tier", "months", "streak", "message"],
            Self::Gift => &["names", "count", "tier", "total"],
            Self::Raid => &["viewers"],
            Self::Redemption => &["reward", "cost", "message"],
            Self::Goal => &[],
            _ => &["amount", "currency", "item", "message"],
        };
        COMMON.iter().chain(own).copied().collect()
    }

    /// The platforms' kinds of support are an open set.
    pub(crate) fn of_support(support: &Support) -> Self {
        match support.kind.as_str() {
            "tip" => Self::Tip,
            "bits" => Self::Bits,
            "coins" => Self::Coins,
            "super-chat" => Self::SuperChat,
            "charity" => Self::Charity,
            "trade" => Self::Trade,
            "wheel-spin" => Self::WheelSpin,
            _ => Self::Support,
        }
    }

    /// `None` for those that nobody is thanked for: the receiving end of a gift, the end of a subscription, and what
    /// is newer than this plugin.
    pub(crate) fn of_subscription(subscription: &Subscription) -> Option<Self> {
        match subscription.kind.as_str() {
            "new" => Some(Self::Sub),
            "resub" => Some(Self::Resub),
            "upgrade" => Some(Self::Upgrade),
            _ => None,
        }
    }
}
