//! Which Region of those that were named is taken, and what became of the others.

use super::{super::shown, Region, SHOWN, Said, well_formed};
use crate::model::finding::{Candidate, Fate};

/// What one source said.
#[derive(Clone, Debug)]
pub(in crate::adapter::aws) enum Heard {
    /// A name, well formed or not.
    Name(String),
    /// It named none, because of this.
    Silent(String),
    /// Nobody asked it, because of this.
    NotAsked(String),
}

/// One source, and what it said.
#[derive(Clone, Debug)]
pub(in crate::adapter::aws) struct Offer {
    pub(in crate::adapter::aws) said: Said,
    pub(in crate::adapter::aws) heard: Heard,
}

impl Offer {
    pub(in crate::adapter::aws) fn new(said: Said, heard: Heard) -> Offer {
        Offer { said, heard }
    }

    /// The variable that `said` is.
    pub(in crate::adapter::aws) fn variable(said: Said, value: Option<&str>) -> Offer {
        let unset = || Heard::Silent("it is not set".to_owned());
        Offer { said, heard: value.map_or_else(unset, |name| Heard::Name(name.to_owned())) }
    }

    /// True when it names something.
    pub(in crate::adapter::aws) fn speaks(&self) -> bool {
        matches!(self.heard, Heard::Name(_))
    }
}

/// Takes the first of `offers`, the surest source first, that names anything.
///
/// What the platform says of the resource itself stands before what a buyer can set. Source: [AC §6.4].
/// A first name that is odd is no reason to take the next one: somebody meant something by it.
pub(in crate::adapter::aws) fn choose(
    offers: &[Offer],
) -> (Result<Option<Region>, String>, Vec<Candidate>) {
    let winner = offers.iter().find_map(|offer| match &offer.heard {
        Heard::Name(name) => Some((offer.said, Region::read(name, offer.said))),
        Heard::Silent(_) | Heard::NotAsked(_) => None,
    });
    let candidates = offers.iter().map(|offer| {
        let (value, fate, why) = match &offer.heard {
            Heard::Silent(why) => (None, Fate::Silent, why.clone()),
            Heard::NotAsked(why) => (None, Fate::NotAsked, why.clone()),
            Heard::Name(name) => {
                let (fate, why) = fate(offer.said, name, winner.as_ref());
                (Some(shown(name, SHOWN)), fate, why)
            }
        };
        Candidate { source: offer.said.as_str(), value, fate, why }
    });
    let candidates = candidates.collect();
    (winner.map(|(_, region)| region).transpose(), candidates)
}

fn fate(said: Said, name: &str, winner: Option<&(Said, Result<Region, String>)>) -> (Fate, String) {
    if !well_formed(name) {
        let why = "it is not a Region's name; remove it, or give one such as `us-east-1`";
        return (Fate::Refused, why.to_owned());
    }
    match winner {
        Some((first, Ok(_))) if *first == said => (Fate::Won, said.reason().to_owned()),
        Some((first, Ok(region))) if region.name() == name => {
            (Fate::Lost, format!("{} comes first, and says the same", first.as_str()))
        }
        Some((first, Ok(region))) => (
            Fate::Lost,
            format!(
                "{} comes first, and says `{}`; this one has no effect: set it to `{}`, or remove it",
                first.as_str(),
                region.name(),
                region.name()
            ),
        ),
        Some((first, Err(_))) => (
            Fate::Lost,
            format!("{} comes first, and what it says is not a Region's name", first.as_str()),
        ),
        None => (Fate::Lost, "no Region was chosen".to_owned()),
    }
}

impl Said {
    /// Why it is believed when it is the first to say anything.
    fn reason(self) -> &'static str {
        match self {
            Said::TaskArn => "the task runs there: ECS itself says so",
            Said::Region => "it is the first that is set; ECS and EKS set it",
            Said::DefaultRegion => "AWS_REGION is not set, and this one is",
            Said::Instance => "no variable names a Region, and the instance runs there",
            Said::Sandbox => "the sandbox plays it",
            Said::Nobody => "nobody names a Region, and a contract can be checked from any",
            Said::Redirect => "License Manager said that the license is at home there",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(said: Said, name: &str) -> Offer {
        Offer::variable(said, Some(name))
    }

    fn fates(offers: &[Offer]) -> Vec<Fate> {
        choose(offers).1.into_iter().map(|candidate| candidate.fate).collect()
    }

    #[test]
    fn what_the_task_says_of_itself_wins_and_who_disagrees_is_told() {
        let offers = [
            name(Said::TaskArn, "eu-west-1"),
            name(Said::Region, "us-east-1"),
            name(Said::DefaultRegion, "eu-west-1"),
        ];
        let (region, candidates) = choose(&offers);
        assert_eq!(region.expect("well formed").expect("named").name(), "eu-west-1");
        assert_eq!(fates(&offers), [Fate::Won, Fate::Lost, Fate::Lost]);
        assert_eq!(candidates[1].source, "AWS_REGION");
        assert_eq!(candidates[1].value.as_deref(), Some("us-east-1"));
        let why = &candidates[1].why;
        assert!(why.contains("the ARN of the ECS task comes first, and says `eu-west-1`"), "{why}");
        assert!(candidates[2].why.ends_with("says the same"), "{}", candidates[2].why);
    }

    #[test]
    fn an_odd_name_stops_us_only_where_it_would_decide() {
        let sure = [name(Said::TaskArn, "eu-west-1"), name(Said::Region, "a.b")];
        assert!(choose(&sure).0.is_ok());
        assert_eq!(fates(&sure), [Fate::Won, Fate::Refused]);

        let first = [name(Said::Region, "a.b"), name(Said::DefaultRegion, "eu-west-2")];
        let why = choose(&first).0.expect_err("an odd Region is no reason to take another");
        assert!(why.contains("`a.b` of AWS_REGION"), "{why}");
        assert_eq!(fates(&first), [Fate::Refused, Fate::Lost]);
    }

    #[test]
    fn whoever_said_nothing_keeps_its_reason() {
        let offers = [
            Offer::variable(Said::Region, None),
            Offer::new(Said::Instance, Heard::NotAsked("it is switched off".to_owned())),
        ];
        let (region, candidates) = choose(&offers);
        assert_eq!(region, Ok(None));
        assert_eq!(fates(&offers), [Fate::Silent, Fate::NotAsked]);
        assert_eq!(candidates[1].why, "it is switched off");
    }

    #[test]
    fn an_odd_name_is_shown_without_what_a_terminal_would_obey() {
        let (_, candidates) = choose(&[name(Said::Region, "a.b\x1b[2J\r\n")]);
        assert_eq!(candidates[0].value.as_deref(), Some("a.b[2J"));
    }
}
