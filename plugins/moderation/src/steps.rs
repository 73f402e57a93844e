//! What follows from a strike.

use std::fmt;

/// One step of the escalation, from mild to strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Remove,
    /// Removed, and its author is told why.
    Warn,
    Timeout {
        seconds: u32,
    },
    Ban,
}

/// What follows, strike by strike; the last stands for all after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Steps(Vec<Step>);

impl Step {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "remove" => return Some(Self::Remove),
            "warn" => return Some(Self::Warn),
            "ban" => return Some(Self::Ban),
            _ => {}
        }
        let (number, unit) = text.split_at(text.find(|character: char| !character.is_ascii_digit())?);
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => return None,
        };
        let seconds = number.parse::<u32>().ok()?.checked_mul(unit)?;
        (seconds > 0).then_some(Self::Timeout { seconds })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remove => formatter.write_str("remove"),
            Self::Warn => formatter.write_str("warn"),
            Self::Timeout { seconds } => write!(formatter, "timeout {seconds} s"),
            Self::Ban => formatter.write_str("ban"),
        }
    }
}

impl Steps {
    /// `None` for an empty list, which leaves it to others.
    pub(crate) fn parse(texts: &[String]) -> Result<Option<Self>, String> {
        let parse = |text: &String| {
            Step::parse(text).ok_or_else(|| {
                format!("steps: `{text}` is no step; there are warn, remove, ban, and times such as 60s, 10m, 12h, 1d")
            })
        };
        let steps = texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        Ok((!steps.is_empty()).then_some(Self(steps)))
    }

    /// What follows from this strike; the first is 1.
    pub(crate) fn at(&self, strike: u32) -> Step {
        let index = usize::try_from(strike.saturating_sub(1)).unwrap_or(usize::MAX);
        self.0.get(index).or(self.0.last()).copied().unwrap_or(Step::Remove)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(texts: &[&str]) -> Result<Option<Steps>, String> {
        Steps::parse(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn each_strike_has_its_step_and_the_last_stays() {
        let steps = steps(&["warn", "60s", "10m", "ban"]).unwrap().unwrap();
        let told: Vec<String> = (1..=6).map(|strike| steps.at(strike).to_string()).collect();
        assert_eq!(told, ["warn", "timeout 60 s", "timeout 600 s", "ban", "ban", "ban"]);
    }

    #[test]
    fn what_is_no_step_is_refused() {
        assert_eq!(steps(&[]), Ok(None));
        for text in ["", "60", "s", "0s", "-1s", "1w", "99999999d", "Ban", "1 m"] {
            assert!(steps(&[text]).unwrap_err().contains(&format!("`{text}` is no step")), "{text}");
        }
    }
}
