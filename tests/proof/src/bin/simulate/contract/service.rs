//! License Manager, written from the contract of AWS [AC §4] and not from the core; its open questions are switches.

use super::scenario::{HOUR, MINUTE, Rules, SECOND};
use mpguard_handless::{
    machine::{command::Command, input::Input},
    model::{
        ids::{ClientToken, ConsumptionToken, EntitlementName},
        license::{Contract, Entitlement, Standing},
        outcome::{
            CheckedIn, CheckedOut, Consumed, Consumption, Details, Drawn, Failure, FailureClass,
            Tiers,
        },
        time::Timestamp,
    },
};
use std::collections::{BTreeMap, HashMap};

/// One thing that was bought.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bought {
    pub(crate) unit: &'static str,
    /// 0 for what is not counted.
    pub(crate) max: u64,
    pub(crate) overage: bool,
}

/// One license of the product.
#[derive(Clone, Debug)]
pub(crate) struct License {
    pub(crate) arn: String,
    pub(crate) version: u64,
    pub(crate) standing: Standing,
    /// Cancelled: AWS shows it no more.
    pub(crate) gone: bool,
    pub(crate) end: i64,
    pub(crate) has: BTreeMap<&'static str, Bought>,
    /// Units taken for good in this version.
    pub(crate) drawn: BTreeMap<&'static str, u64>,
}

impl License {
    pub(crate) fn usable(&self, now: i64) -> bool {
        !self.gone && self.standing == Standing::Usable && now < self.end
    }
}

/// One provisional check out of a counted entitlement.
#[derive(Clone, Debug)]
pub(crate) struct CheckOut {
    /// `None` for somebody else's.
    pub(crate) client_token: Option<ClientToken>,
    pub(crate) token: ConsumptionToken,
    pub(crate) name: &'static str,
    pub(crate) count: u64,
    pub(crate) expires: i64,
    /// AWS takes one extension of a token an hour.
    extended: Option<i64>,
    /// Checked in, or ended by AWS.
    pub(crate) ended: bool,
    /// Answers to a check in that told nothing, heard by whoever gave it back.
    pub(crate) unreturned: u32,
    /// AWS ended it before its time, and nobody was told.
    pub(crate) revoked: bool,
    /// Tokens that extensions have replaced.
    former: Vec<ConsumptionToken>,
    license: usize,
}

impl CheckOut {
    /// This is its token, or was.
    pub(crate) fn has(&self, token: &ConsumptionToken) -> bool {
        self.token == *token || self.former.contains(token)
    }

    pub(crate) fn lives(&self, now: i64) -> bool {
        !self.ended && now < self.expires
    }
}

/// What a client token came with, for ever; and what it was answered.
struct Asked {
    want: (String, String, Option<String>, bool),
    answered: Option<(i64, Input)>,
}

/// A draw of ours.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) name: &'static str,
    pub(crate) quantity: u64,
    pub(crate) times: u64,
}

/// The service.
pub(crate) struct Service {
    pub(crate) rules: Rules,
    pub(crate) licenses: Vec<License>,
    pub(crate) check_outs: Vec<CheckOut>,
    pub(crate) taken: BTreeMap<String, Taken>,
    asked: HashMap<ClientToken, Asked>,
    /// Calls of this second.
    second: (i64, u64),
    numbers: u64,
    /// Something that must not happen.
    pub(crate) broken: Option<String>,
}

impl Service {
    pub(crate) fn new(rules: Rules, license: License) -> Service {
        Service {
            rules,
            licenses: vec![license],
            check_outs: Vec::new(),
            taken: BTreeMap::new(),
            asked: HashMap::new(),
            second: (0, 0),
            numbers: 0,
            broken: None,
        }
    }

    /// The license that counts: usable before unusable, then the newest.
    pub(crate) fn license(&self, now: i64) -> Option<usize> {
        let shown = (0..self.licenses.len()).filter(|n| !self.licenses[*n].gone);
        shown.max_by_key(|n| (self.licenses[*n].usable(now), *n))
    }

    /// One call that has arrived.
    pub(crate) fn answer(&mut self, call: &Command, now: i64) -> Option<Input> {
        let throttled = self.throttled(now);
        self.forget(now);
        Some(match call {
            _ if throttled => return failed(call, FailureClass::Throttled, "RateLimitExceeded"),
            Command::AskTiers { want, token } => {
                self.remember(token, ("tiers".into(), "None".into(), None, false));
                Input::Tiers(self.tiers(want, now))
            }
            Command::AskDetails { license_arn } => match license_arn {
                None if self.rules.list_denied => return denied(call, "ListReceivedLicenses"),
                Some(_) if self.rules.get_denied => return denied(call, "GetLicense"),
                arn => Input::Details(self.details(arn.as_deref(), now)),
            },
            Command::AskConsumption { license_arn } if !self.rules.usage_denied => {
                Input::Consumption {
                    license_arn: license_arn.clone(),
                    outcome: self.consumption(license_arn, now),
                }
            }
            Command::AskConsumption { .. } => return denied(call, "GetLicenseUsage"),
            Command::CheckOut { lease, want, token } => {
                self.same_parameters(token, want, false);
                let seats = match self.replayed(token, self.rules.replay, now) {
                    Some(Input::CheckedOut { outcome, .. }) => outcome,
                    _ => self.check_out(want, token, now),
                };
                let answer = Input::CheckedOut { lease: *lease, outcome: seats.clone() };
                if matches!(seats, CheckedOut::Held { .. }) {
                    self.answered(token, answer.clone(), now);
                }
                answer
            }
            Command::DrawDown { want, token } => {
                self.same_parameters(token, want, true);
                let entitlement = EntitlementName::from(want.name.as_str());
                let outcome = match self.replayed(token, self.rules.draw_replay, now) {
                    Some(Input::Drawn { outcome, .. }) => outcome,
                    _ => self.draw(want, token, now),
                };
                let answer = Input::Drawn { entitlement, outcome: outcome.clone() };
                if matches!(outcome, Drawn::Yes { .. }) {
                    self.answered(token, answer.clone(), now);
                }
                answer
            }
            Command::Extend { lease, token } => {
                let outcome = self.extend(token, now);
                Input::Extended { lease: *lease, outcome }
            }
            Command::CheckIn { lease, token } => {
                // Whatever is unknown is returned already.
                if let Some(there) = self.check_outs.iter_mut().find(|c| c.token == *token) {
                    there.ended = true;
                }
                Input::CheckedIn { lease: *lease, outcome: CheckedIn::Done }
            }
            _ => return None,
        })
    }

    fn throttled(&mut self, now: i64) -> bool {
        let second = now / SECOND;
        if self.second.0 != second {
            self.second = (second, 0);
        }
        self.second.1 += 1;
        self.second.1 > self.rules.calls_a_second
    }

    fn forget(&mut self, now: i64) {
        self.check_outs.retain(|c| c.expires + 3 * HOUR > now);
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    // Every client token comes with the same parameters for ever: it is an idempotency token.
    fn remember(&mut self, token: &ClientToken, want: (String, String, Option<String>, bool)) {
        let before = self.asked.get(token).map(|asked| asked.want.clone());
        match before {
            Some(before) if before != want => {
                let text =
                    format!("client token {} came with {before:?}, then {want:?}", token.as_str());
                self.broken.get_or_insert(text);
            }
            Some(_) => {}
            None => drop(self.asked.insert(token.clone(), Asked { want, answered: None })),
        }
    }

    fn same_parameters(&mut self, token: &ClientToken, want: &Entitlement, for_good: bool) {
        let want = (want.name.clone(), want.unit.clone(), want.value.clone(), for_good);
        self.remember(token, want);
    }

    fn replayed(&self, token: &ClientToken, window: i64, now: i64) -> Option<Input> {
        let (at, answer) = self.asked.get(token)?.answered.as_ref()?;
        (now < at.saturating_add(window)).then(|| answer.clone())
    }

    fn answered(&mut self, token: &ClientToken, answer: Input, now: i64) {
        if let Some(asked) = self.asked.get_mut(token)
            && asked.answered.is_none()
        {
            asked.answered = Some((now, answer));
        }
    }

    fn tiers(&self, want: &[EntitlementName], now: i64) -> Tiers {
        let none = || Tiers::None("NoEntitlementsAllowed".into());
        let Some(license) = self.license(now).map(|n| &self.licenses[n]) else { return none() };
        let counted = |name: &EntitlementName| {
            license.has.get(name.as_str()).is_some_and(|bought| bought.unit != "None")
        };
        // A counted name in an uncounted question: the whole question is refused, or the name is passed over.
        if !license.usable(now) || (self.rules.strict && want.iter().any(counted)) {
            return none();
        }
        let entitlements: Vec<Entitlement> = want
            .iter()
            .filter(|name| license.has.contains_key(name.as_str()) && !counted(name))
            .map(|name| entitlement(name.as_str(), "None", None))
            .collect();
        if entitlements.is_empty() {
            return none();
        }
        Tiers::Bought { entitlements, license_arn: Some(license.arn.clone()) }
    }

    fn details(&self, arn: Option<&str>, now: i64) -> Details {
        let found = match arn {
            Some(arn) => self.licenses.iter().find(|license| license.arn == arn && !license.gone),
            None => self.license(now).map(|n| &self.licenses[n]),
        };
        let Some(license) = found else {
            return Details::Nothing("no license of this product was received".into());
        };
        let standing = match license.standing {
            Standing::Usable if license.end <= now => Standing::Expired,
            standing => standing,
        };
        let entitlements = license.has.iter().map(|(name, bought)| {
            entitlement(name, bought.unit, (bought.unit != "None").then_some(bought.max))
        });
        Details::Found(Contract {
            license_arn: Some(license.arn.clone()),
            version: Some(license.version.to_string()),
            entitlements: entitlements.collect(),
            expires: Some(Timestamp(license.end)),
            standing,
            ..Contract::default()
        })
    }

    fn consumption(&self, arn: &str, now: i64) -> Consumption {
        let Some(n) = self.licenses.iter().position(|license| license.arn == arn) else {
            let text = "no such license".into();
            return Consumption::Failed(Failure { class: FailureClass::AccessDenied, text });
        };
        let counted = self.licenses[n].has.iter().filter(|(_, bought)| bought.unit != "None");
        let read = counted.map(|(name, _)| Consumed {
            name: (*name).to_owned(),
            consumed: self.in_use(n, name, now),
        });
        Consumption::Read(read.collect())
    }

    /// Units of an entitlement that nobody else can take now.
    pub(crate) fn in_use(&self, license: usize, name: &str, now: i64) -> u64 {
        let held = self.check_outs.iter().filter(|c| c.license == license && c.name == name);
        let held: u64 = held.filter(|c| c.lives(now)).map(|c| c.count).sum();
        held + self.licenses[license].drawn.get(name).copied().unwrap_or(0)
    }

    /// The license and the name that so many units of it can be taken off.
    fn room(&self, want: &Entitlement, now: i64) -> Option<(usize, &'static str, u64)> {
        let n = self.license(now).filter(|n| self.licenses[*n].usable(now))?;
        let (name, bought) = self.licenses[n].has.get_key_value(want.name.as_str())?;
        if bought.unit != want.unit {
            return None;
        }
        if bought.unit == "None" {
            return want.value.is_none().then_some((n, *name, 0));
        }
        let count: u64 = want.value.as_ref()?.parse().ok()?;
        let fits = self.in_use(n, name, now) + count <= bought.max;
        (count > 0 && (fits || bought.overage)).then_some((n, *name, count))
    }

    fn check_out(&mut self, want: &Entitlement, token: &ClientToken, now: i64) -> CheckedOut {
        let Some((license, name, count)) = self.room(want, now) else {
            return CheckedOut::NoneAllowed("NoEntitlementsAllowed".into());
        };
        let number = self.number();
        let taken = CheckOut {
            client_token: Some(token.clone()),
            token: format!("token-{number}").as_str().into(),
            name,
            count,
            expires: now + self.rules.ttl,
            extended: None,
            ended: false,
            unreturned: 0,
            revoked: false,
            former: Vec::new(),
            license,
        };
        let held = held(&taken, Some(self.licenses[license].arn.clone()));
        self.check_outs.push(taken);
        held
    }

    fn draw(&mut self, want: &Entitlement, token: &ClientToken, now: i64) -> Drawn {
        let Some((license, name, quantity)) = self.room(want, now) else {
            return Drawn::NoneAllowed("NoEntitlementsAllowed".into());
        };
        *self.licenses[license].drawn.entry(name).or_default() += quantity;
        let taken = Taken { name, quantity, times: 0 };
        self.taken.entry(token.as_str().to_owned()).or_insert(taken).times += 1;
        Drawn::Yes { license_arn: Some(self.licenses[license].arn.clone()) }
    }

    fn extend(&mut self, token: &ConsumptionToken, now: i64) -> CheckedOut {
        let usable: Vec<bool> = self.licenses.iter().map(|license| license.usable(now)).collect();
        let (ttl, rotates) = (self.rules.ttl, self.rules.rotates);
        let number = self.number();
        let there = self.check_outs.iter_mut().find(|c| c.token == *token && c.lives(now));
        let Some(there) = there else { return CheckedOut::Gone("ResourceNotFound".into()) };
        if !usable[there.license] {
            (there.ended, there.revoked) = (true, true);
            return CheckedOut::Gone("ResourceNotFound".into());
        }
        if there.extended.is_some_and(|at| now < at + HOUR) {
            let text = "one extension a token and hour".into();
            return CheckedOut::Failed(Failure { class: FailureClass::Throttled, text });
        }
        (there.expires, there.extended) = (now + ttl, Some(now));
        if rotates {
            let next = format!("token-{number}").as_str().into();
            there.former.push(std::mem::replace(&mut there.token, next));
        }
        held(there, None)
    }

    /// Somebody else, with a role of the same account, takes seats, or units for good.
    pub(crate) fn foreign(&mut self, name: &'static str, count: u64, for_good: bool, now: i64) {
        let want = entitlement(name, "Count", None);
        let want = Entitlement { value: Some(count.to_string()), ..want };
        let token = ClientToken::from(format!("foreign-{}", self.number()).as_str());
        if for_good {
            self.draw(&want, &token, now);
            self.taken.remove(token.as_str());
        } else if let CheckedOut::Held { .. } = self.check_out(&want, &token, now) {
            let life = MINUTE * (1 + self.numbers as i64 % 50);
            if let Some(taken) = self.check_outs.last_mut() {
                (taken.client_token, taken.expires) = (None, now + life);
            }
        }
    }

    /// A new version, or another license: AWS may end what was checked out before.
    pub(crate) fn revoke_all(&mut self) {
        for there in &mut self.check_outs {
            there.revoked |= !there.ended;
            there.ended = true;
        }
    }
}

fn entitlement(name: &str, unit: &str, max_count: Option<u64>) -> Entitlement {
    Entitlement {
        name: name.to_owned(),
        unit: unit.to_owned(),
        value: None,
        max_count,
        consumed: None,
    }
}

fn held(taken: &CheckOut, license_arn: Option<String>) -> CheckedOut {
    let (token, expires) = (taken.token.clone(), Timestamp(taken.expires));
    CheckedOut::Held { token, expires, license_arn }
}

fn denied(call: &Command, operation: &str) -> Option<Input> {
    failed(call, FailureClass::AccessDenied, operation)
}

/// The answer to a call that came to nothing.
pub(crate) fn failed(call: &Command, class: FailureClass, text: &str) -> Option<Input> {
    let failure = Failure { class, text: text.to_owned() };
    Some(match call.clone() {
        Command::AskTiers { .. } => Input::Tiers(Tiers::Failed(failure)),
        Command::AskDetails { .. } => Input::Details(Details::Failed(failure)),
        Command::AskConsumption { license_arn } => {
            Input::Consumption { license_arn, outcome: Consumption::Failed(failure) }
        }
        Command::CheckOut { lease, .. } => {
            Input::CheckedOut { lease, outcome: CheckedOut::Failed(failure) }
        }
        Command::Extend { lease, .. } => {
            Input::Extended { lease, outcome: CheckedOut::Failed(failure) }
        }
        Command::CheckIn { lease, .. } => {
            Input::CheckedIn { lease, outcome: CheckedIn::Failed(failure) }
        }
        Command::DrawDown { want, .. } => {
            Input::Drawn { entitlement: want.name.as_str().into(), outcome: Drawn::Failed(failure) }
        }
        _ => return None,
    })
}
