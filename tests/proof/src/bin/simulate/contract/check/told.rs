//! Invariants of what hosts are told, of units, and of the verdict.

use super::*;

impl World {
    /// It may move the end of the seats and give them another token: a successor must know that it was tried.
    pub(super) fn check_extension(&mut self, p: usize, token: &ConsumptionToken) {
        let process = &self.processes[p];
        let given = self.on_disk(p).into_iter().flat_map(|disk| &disk.leases);
        let mut given = given.filter_map(|lease| lease.given.as_ref());
        if given.any(|given| given.token == *token && given.extended.is_some()) {
            return;
        }
        let full = self.pods[process.pod].disk_full_until > self.now;
        if !full && !process.marks.keep_failed && process.opened {
            return self.violate(|| format!("process {p} extends {}, unwritten", token.as_str()));
        }
        let there = self.service.check_outs.iter().find(|c| c.has(token));
        let client =
            there.and_then(|c| c.client_token.as_ref()).map(|token| token.as_str().to_owned());
        if let Some(ask) = client.and_then(|client| self.asks.get_mut(&client)) {
            ask.unwritten = true;
        }
    }

    /// A dead process's seats are given to a host again, unless it is written down that they are going back.
    pub(super) fn check_return(&mut self, p: usize, token: &ConsumptionToken) {
        let process = &self.processes[p];
        let given = self.on_disk(p).into_iter().flat_map(|disk| &disk.leases);
        let mut given = given.filter_map(|lease| lease.given.as_ref());
        if given.any(|given| given.token == *token && given.returning) {
            return;
        }
        let full = self.pods[process.pod].disk_full_until > self.now;
        if full || process.marks.keep_failed || !process.opened {
            self.unwritten.insert(token.as_str().to_owned());
        } else {
            self.violate(|| format!("process {p} checks {} in, unwritten", token.as_str()));
        }
    }

    /// "None" and "not bought" rest on an answer.
    pub(crate) fn check_refusal(&mut self, p: usize, wish: &Wish, error: &Error) {
        self.note(|| format!("host {p} hears {error:?}"));
        let marks = &self.processes[p].marks;
        let none = marks.none_at.get(wish.name).is_some_and(|at| *at + 5 * MINUTE >= wish.since);
        let lacks = |contract: &Contract| {
            let there = contract.entitlements.iter().find(|e| e.name == wish.name);
            contract.standing != Standing::Usable
                || contract.expires.is_some_and(|end| end.0 <= self.now)
                || there.is_none_or(|e| e.max_count.is_some_and(|max| max < wish.count))
        };
        let fine = match error.code() {
            Code::NoSeat => none,
            Code::NotEntitled | Code::LicenseEnded => {
                marks.contracts.iter().any(|(_, contract)| lacks(contract))
                    || (marks.heard_no && marks.contracts.is_empty())
                    || self.processes[p].engine.license().verdict == Verdict::Denied
            }
            Code::Unavailable | Code::TimedOut | Code::ShutDown | Code::AccessDenied => true,
            _ => false,
        };
        if !fine {
            let (name, count) = (wish.name, wish.count);
            self.violate(|| format!("host {p} wanted {count} of `{name}` and hears {error:?}"));
        }
    }

    // Units.

    /// The same for units.
    pub(crate) fn check_exhausted(&mut self, p: usize, since: i64, error: &Error) {
        self.note(|| format!("host {p} hears {error:?}"));
        let marks = &self.processes[p].marks;
        let none = marks.none_at.get(UNITS).is_some_and(|at| *at + 5 * MINUTE >= since);
        let fine = match error.code() {
            Code::Exhausted | Code::NotEntitled | Code::LicenseEnded => none,
            Code::Unavailable | Code::TimedOut | Code::AccessDenied => true,
            _ => false,
        };
        if !fine {
            self.violate(|| format!("host {p} wanted units and hears {error:?}"));
        }
    }

    /// Work may start: the booking is on the disk.
    pub(crate) fn check_told(&mut self, p: usize) {
        let pod = &self.pods[self.processes[p].pod];
        for (name, told) in pod.told.clone() {
            let others = |id: &str| {
                pod.files.iter().any(|file| file.id != id && file.holdings.absorbed.contains(id))
            };
            let disks = pod.files.iter().filter(|file| !others(&file.id));
            let booked = disks.filter_map(|file| file.holdings.units.get(&name));
            let booked: u64 = booked.map(|units| units.booked).sum();
            if told > booked {
                return self.violate(|| format!("host {p} works on {told}, on disk are {booked}"));
            }
        }
    }

    /// These holdings are in others, and their file only waits to be removed.
    pub(super) fn superseded(&self, pod: &super::super::pod::Pod, id: &str) -> bool {
        let memory = pod.alive.iter().map(|p| self.processes[*p].engine.holdings());
        memory.into_iter().any(|holdings| holdings.absorbed.contains(id))
            || pod.files.iter().any(|file| file.id != id && file.holdings.absorbed.contains(id))
    }

    /// What holds at the moment: the memory of the living, and the files of the dead.
    pub(crate) fn effective(&self, n: usize) -> Vec<Holdings> {
        let pod = &self.pods[n];
        let living: Vec<Holdings> =
            pod.alive.iter().map(|p| self.processes[*p].engine.holdings()).collect();
        let own: BTreeSet<usize> =
            pod.alive.iter().filter_map(|p| self.processes[*p].file).collect();
        let dead = pod.files.iter().enumerate().filter(|(f, _)| !own.contains(f));
        let dead = dead.map(|(_, file)| file).filter(|file| !self.superseded(pod, &file.id));
        let dead: Vec<Holdings> = dead.map(|file| file.holdings.clone()).collect();
        living.into_iter().chain(dead).collect()
    }

    /// Units drawn at AWS are booked, left, in doubt or disputed; none is booked twice.
    pub(crate) fn check_units(&mut self) {
        if !self.configured(UNITS, mpguard_handless::model::license::EntitlementKind::Drawdown) {
            return;
        }
        let name = UNITS.into();
        let (mut drawn, mut open) = (0, 0);
        let mut broken = None;
        for n in 0..self.pods.len() {
            let mut booked = 0;
            for holdings in self.effective(n) {
                let Some(units) = holdings.units.get(&name) else { continue };
                drawn += units.drawn;
                booked += units.booked;
                open += units.disputed();
                open += units.in_hand.iter().map(|draw| draw.quantity).sum::<u64>();
                if units.booked > units.drawn {
                    broken = Some(format!("more is booked than drawn: {units:?}"));
                }
            }
            let pod = &self.pods[n];
            let of = |sums: &BTreeMap<_, u64>| sums.get(&name).copied().unwrap_or(0);
            let draws = pod.alive.iter().flat_map(|p| self.processes[*p].host.draws.values());
            let waiting: u64 = draws.map(|draw| draw.quantity).sum();
            let (told, untold) = (of(&pod.told), of(&pod.untold));
            if booked < told || booked > told + untold + waiting {
                broken = Some(format!(
                    "pod {n} has booked {booked}; told {told}, perhaps {untold}, waiting {waiting}"
                ));
            }
        }
        let taken: u64 = self.service.taken.values().map(|t| t.quantity * t.times).sum();
        if drawn > taken || taken > drawn + open {
            broken = Some(format!("AWS took {taken} units; {drawn} drawn, {open} in doubt"));
        }
        if let Some(twice) = self.service.taken.values().find(|taken| taken.times > 1) {
            broken = Some(format!("AWS took {} of `{}` twice", twice.quantity, twice.name));
        }
        if let Some(text) = broken {
            self.violate(|| text);
        }
    }

    // The verdict.

    /// Only an explicit answer makes it.
    pub(crate) fn check_verdict(&mut self, p: usize, before: &License) {
        let after = self.processes[p].engine.license().clone();
        if after.verdict == before.verdict {
            return;
        }
        self.note(|| {
            format!("process {p}: {:?} -> {:?}, {}", before.verdict, after.verdict, after.text)
        });
        let now = self.now;
        let process = &self.processes[p];
        let marks = &process.marks;
        let fine = match after.verdict {
            Verdict::Pending => before.verdict != Verdict::Licensed,
            // Seats that AWS gave to a dead process prove it too, as long as they live.
            Verdict::Licensed => {
                let given = marks.mine.values().any(Option::is_some);
                marks.yes.is_some() || marks.licensed || given
            }
            Verdict::Grace => {
                self.figures.graces += 1;
                marks.yes.or(marks.base).is_some()
            }
            Verdict::Denied => {
                self.figures.denials += 1;
                match after.reason {
                    Reason::Stale => {
                        let grace = self.scenario.contract.grace.as_millis() as i64;
                        let starts = self.pods[process.pod].starts * 5 * MINUTE;
                        // A seat of a dead process proves what AWS said at a time that we do not know.
                        let since = marks.yes_look.or(marks.recalled).unwrap_or(i64::MIN / 2);
                        !process.known || now - since + starts + SLACK >= grace
                    }
                    Reason::Expired => {
                        let ended = |c: &Contract| c.expires.is_some_and(|end| end.0 <= now);
                        let told = marks.contracts.iter().any(|(_, c)| ended(c));
                        !process.known || marks.heard_no || told || marks.base.is_some()
                    }
                    _ => marks.heard_no,
                }
            }
        };
        self.processes[p].marks.licensed |= after.verdict == Verdict::Licensed;
        if !fine {
            let reason = after.reason;
            self.violate(|| {
                format!("process {p}: {:?} -> {:?} ({reason:?})", before.verdict, after.verdict)
            });
        }
    }

    /// Grace ends in time, and with the license.
    pub(super) fn check_age(&mut self, p: usize) {
        let now = self.now;
        let n = self.processes[p].pod;
        self.count_run(n);
        let (process, pod) = (&self.processes[p], &self.pods[n]);
        let marks = &process.marks;
        let verdict = process.engine.license().verdict;
        if !matches!(verdict, Verdict::Licensed | Verdict::Grace) || now - marks.went_on < SLACK {
            return;
        }
        let contract = &self.scenario.contract;
        let grace = contract.grace.max(contract.interval * 2).as_millis() as i64;
        let yes = marks.yes.into_iter().chain(marks.base).max();
        let Some(yes) = yes else {
            return self.violate(|| format!("process {p} is {verdict:?} without a yes"));
        };
        let late = if process.known || marks.yes.is_some() {
            // A seat of a dead process proves what AWS said when it gave it, which is taken to be an hour before its end.
            now > yes + grace + SLACK + (self.service.rules.ttl - HOUR).max(0)
        } else {
            // An unknown clock: what counts is the time in which the product ran.
            !pod.unwritten && pod.ran > grace + SLACK + pod.starts * 5 * MINUTE
        };
        if late {
            self.violate(|| format!("process {p} is {verdict:?}, the last yes was at {yes}"));
            return;
        }
        let told = &marks.contracts;
        let ended = |c: &Contract| c.expires.is_some_and(|end| end.0 + SLACK < now);
        let old = |at: i64| at + SLACK < now;
        if told.len() >= 2 && told.iter().rev().take(2).all(|(at, c)| ended(c) && old(*at)) {
            self.violate(|| format!("process {p} is {verdict:?} after the license's end"));
        }
    }
}
