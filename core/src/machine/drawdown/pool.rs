//! One entitlement: units drawn, units booked, who waits, and the draws in hand.

mod refused;

pub(super) use self::refused::Refused;
use super::{
    Out,
    in_hand::{Due, InHand},
    texts,
};
use crate::{
    error::Error,
    machine::{command::Command, draw::Draw},
    model::{
        holdings::{ConsumedBefore, Dispute, KeptDraw, KeptUnits},
        ids::{DrawId, EntitlementName},
        license::{Contract, Entitlement, EntitlementSpec},
        outcome::{Consumed, Drawn, Failure},
        time::Timestamp,
    },
};
use std::collections::VecDeque;

/// License Manager counts in signed 64 bits. Source: License Manager API, `Entitlement`, `MaxCount`.
const QUANTITY_MAX: u64 = i64::MAX as u64;

/// The units of one entitlement.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    name: EntitlementName,
    /// `None` for units of a dead process whose entitlement is not configured any more.
    spec: Option<EntitlementSpec>,
    drawn: u64,
    booked: u64,
    disputes: Vec<Dispute>,
    /// First come, first served; booked ones stand before those that wait.
    wishes: VecDeque<Wish>,
    /// At most one that is ours, and those of dead processes. One at a time is on its way.
    draws: Vec<InHand>,
    /// The least that the license has consumed: the last reading, and what we have drawn since.
    seen: Option<ConsumedBefore>,
    refused: Option<Refused>,
    told_exhausted: bool,
    told_low: bool,
    /// `now` is a guess.
    guess: bool,
}

#[derive(Clone, Debug)]
struct Wish {
    draw: DrawId,
    quantity: u64,
    /// Its units are booked, and it is answered as soon as that is durable.
    booked: bool,
}

impl Pool {
    pub(super) fn new(name: EntitlementName, spec: Option<EntitlementSpec>) -> Pool {
        Pool {
            name,
            spec,
            drawn: 0,
            booked: 0,
            disputes: Vec::new(),
            wishes: VecDeque::new(),
            draws: Vec::new(),
            seen: None,
            refused: None,
            told_exhausted: false,
            told_low: false,
            guess: false,
        }
    }

    pub(super) fn configured(&self) -> bool {
        self.spec.is_some()
    }

    pub(super) fn calling(&self) -> bool {
        self.draws.iter().any(InHand::calling)
    }

    pub(super) fn kept(&self) -> KeptUnits {
        KeptUnits {
            drawn: self.drawn,
            booked: self.booked,
            in_hand: self.draws.iter().map(|draw| draw.kept.clone()).collect(),
            disputes: self.disputes.clone(),
        }
    }

    pub(super) fn took(&mut self, kept: KeptUnits, now: Timestamp) {
        self.drawn = self.drawn.saturating_add(kept.drawn);
        self.booked = self.booked.saturating_add(kept.booked);
        self.disputes.extend(kept.disputes);
        self.draws.extend(kept.in_hand.into_iter().map(|draw| InHand::taken_over(draw, now)));
    }

    pub(super) fn want(
        &mut self,
        draw: DrawId,
        quantity: u64,
        contract: Option<&Contract>,
        now: Timestamp,
        out: &mut Out,
    ) {
        let bought = self.entitlement(contract).and_then(|e| e.max_count);
        self.refused.take_if(|refused| refused.over(bought, now));
        self.wishes.push_back(Wish { draw, quantity, booked: false });
        self.book(out);
    }

    /// The host had stopped waiting when it was told that these are booked.
    pub(super) fn give_back(&mut self, quantity: u64, out: &mut Out) {
        self.booked = self.booked.saturating_sub(quantity);
        out.changed = true;
        self.book(out);
        self.drop_unwanted(out);
    }

    pub(super) fn give_up(&mut self, draw: DrawId, out: &mut Out) {
        let Some(place) = self.wishes.iter().position(|wish| wish.draw == draw) else { return };
        if let Some(wish) = self.wishes.remove(place).filter(|wish| wish.booked) {
            // Its answer has not left: the host must not be refused units that stay booked.
            self.booked = self.booked.saturating_sub(wish.quantity);
            out.changed = true;
        }
        self.drop_unwanted(out);
    }

    pub(super) fn why_waiting(&self, draw: DrawId) -> Option<Error> {
        let wish = self.wishes.iter().find(|wish| wish.draw == draw)?;
        if let Some(unclear) = self.draws.iter().find(|draw| draw.unclear()) {
            return Some(texts::unclear(&self.name, wish.quantity, &unclear.kept));
        }
        let failure = self.draws.iter().find_map(InHand::failure);
        Some(match failure {
            Some(failure) => texts::unavailable(&self.name, wish.quantity, failure),
            None => texts::late(&self.name, wish.quantity),
        })
    }

    /// Everything up to now is durable.
    pub(super) fn written(&mut self, now: Timestamp, out: &mut Out) {
        while let Some(wish) = self.wishes.pop_front_if(|wish| wish.booked) {
            out.answer(wish.draw, Ok(()));
        }
        for draw in self.draws.iter_mut().filter(|draw| draw.writing()) {
            out.changed |= draw.call(self.seen.as_ref(), now);
            out.step.commands.extend(draw_down(self.spec.as_ref(), &draw.kept));
        }
    }

    /// Nothing can be written down: what waits for it is taken back.
    pub(super) fn not_written(&mut self, why: &str, out: &mut Out) {
        while let Some(wish) = self.wishes.pop_front_if(|wish| wish.booked) {
            self.booked = self.booked.saturating_sub(wish.quantity);
            out.answer(wish.draw, Err(texts::unwritten(&self.name, wish.quantity, why)));
        }
        let before = self.draws.len();
        self.draws.retain(|draw| !draw.writing());
        if self.draws.len() < before {
            for wish in self.wishes.drain(..) {
                out.answer(wish.draw, Err(texts::unwritten(&self.name, wish.quantity, why)));
            }
        }
    }

    pub(super) fn drawn(
        &mut self,
        outcome: Drawn,
        contract: Option<&Contract>,
        now: Timestamp,
        random: &mut Draw,
        out: &mut Out,
    ) {
        let Some(place) = self.draws.iter().position(InHand::calling) else { return };
        match outcome {
            Drawn::Yes { license_arn } => {
                let draw = self.draws.remove(place);
                self.given(&draw, license_arn.as_deref());
                out.changed = true;
                out.step.proved.push((self.proved(), license_arn));
                self.book(out);
            }
            Drawn::NoneAllowed(text) => self.none_allowed(place, &text, contract, now, out),
            Drawn::Failed(failure) => self.failed(place, failure, now, random, out),
        }
    }

    fn given(&mut self, draw: &InHand, license_arn: Option<&str>) {
        let quantity = draw.kept.quantity;
        self.drawn = self.drawn.saturating_add(quantity);
        self.told_exhausted = false;
        if let Some(seen) = self
            .seen
            .as_mut()
            .filter(|seen| draw.unread() && license_arn.is_some_and(|arn| arn == seen.license_arn))
        {
            seen.consumed = seen.consumed.saturating_add(quantity);
        }
    }

    fn none_allowed(
        &mut self,
        place: usize,
        text: &str,
        contract: Option<&Contract>,
        now: Timestamp,
        out: &mut Out,
    ) {
        let Some(draw) = self.draws.get_mut(place) else { return };
        if draw.kept.in_doubt {
            // An earlier try without an answer may have taken what is missing now. A new token would take it again.
            if let Some(Due::Dispute(why)) = draw.look(now) {
                self.dispute(place, why, out);
            }
            return;
        }
        let quantity = draw.kept.quantity;
        self.draws.remove(place);
        out.changed = true;
        let consumed = self.seen.as_ref().map(|seen| seen.consumed);
        let no = texts::none_allowed(&self.name, contract, consumed, text);
        let bought = self.entitlement(contract).and_then(|e| e.max_count);
        let times = self.refused.as_ref().map_or(0, |refused| refused.times);
        let refused = Refused::new(quantity, no, bought, times.saturating_add(1), now);
        self.refuse(&refused, out);
        self.refused = Some(refused);
    }

    /// Refuses all that lack so much as AWS has refused. Who lacks less is asked for again: AWS was asked for a batch,
    /// or for several, and the first one may still be served.
    fn refuse(&mut self, refused: &Refused, out: &mut Out) {
        let left = self.left();
        for wish in std::mem::take(&mut self.wishes) {
            if wish.booked || wish.quantity.saturating_sub(left) < refused.quantity {
                self.wishes.push_back(wish);
                continue;
            }
            if refused.exhausted() && !self.told_exhausted {
                self.told_exhausted = true;
                out.step.news.push(texts::exhausted(&self.name, wish.quantity, left, refused));
            }
            out.answer(wish.draw, Err(refused.error(&self.name, wish.quantity)));
        }
    }

    fn failed(
        &mut self,
        place: usize,
        failure: Failure,
        now: Timestamp,
        random: &mut Draw,
        out: &mut Out,
    ) {
        let Some(draw) = self.draws.get_mut(place) else { return };
        out.changed |= draw.failed(failure, now, random);
        self.drop_unwanted(out);
    }

    /// A reading of this license's consumption.
    pub(super) fn read(
        &mut self,
        license_arn: &str,
        contract: Option<&Contract>,
        all: &[Consumed],
        out: &mut Out,
    ) {
        let contract = contract.filter(|c| c.license_arn.as_deref() == Some(license_arn));
        // With several licenses AWS chooses which one a draw is taken off: a reading of one proves nothing.
        let sole = contract.filter(|contract| contract.others == 0);
        let found = all.iter().find(|consumed| consumed.name == self.name.as_str());
        let reading = found.map(|found| ConsumedBefore {
            license_arn: license_arn.to_owned(),
            version: sole.and_then(|contract| contract.version.clone()),
            consumed: found.consumed,
        });
        while let Some(place) = self.draws.iter().position(|draw| draw.reads_of(license_arn)) {
            let verdict = self.draws.get(place).map(|draw| draw.not_taken(reading.as_ref()));
            match verdict {
                Some(Err(why)) => self.dispute(place, why, out),
                _ => drop(self.draws.remove(place)),
            }
            out.changed = true;
        }
        self.draws.iter_mut().for_each(InHand::read_over);
        if contract.is_some() {
            self.seen = reading.filter(|reading| reading.version.is_some());
        }
        self.tell_low(contract, found, out);
    }

    /// The consumption of this license could not be read.
    pub(super) fn unread(
        &mut self,
        license_arn: &str,
        failure: &Failure,
        now: Timestamp,
        random: &mut Draw,
        out: &mut Out,
    ) {
        let mut place = 0;
        while let Some(draw) = self.draws.get_mut(place) {
            match draw.unreadable(license_arn, failure, now, random) {
                Some(Due::Dispute(why)) => self.dispute(place, why, out),
                _ => place += 1,
            }
        }
    }

    pub(super) fn tick(&mut self, now: Timestamp, random: &mut Draw, out: &mut Out) {
        let mut place = 0;
        while let Some(due) = self.due_of(place, now) {
            match due {
                Some(Due::Dispute(why)) => {
                    self.dispute(place, why, out);
                    continue;
                }
                Some(Due::Read(license_arn)) => {
                    out.step.commands.push(Command::AskConsumption { license_arn });
                }
                Some(Due::Call) => self.call(place, now, out),
                None => {}
            }
            place += 1;
        }
        self.book(out);
        self.begin(now, random, out);
    }

    /// `None` behind the last draw.
    fn due_of(&mut self, place: usize, now: Timestamp) -> Option<Option<Due>> {
        let (busy, configured) = (self.calling(), self.configured());
        let guess = self.guess;
        let draw = self.draws.get_mut(place)?;
        Some(if guess && !draw.ours() { None } else { draw.tick(now, busy, configured) })
    }

    fn call(&mut self, place: usize, now: Timestamp, out: &mut Out) {
        let Some(draw) = self.draws.get_mut(place) else { return };
        out.changed |= draw.call(self.seen.as_ref(), now);
        out.step.commands.extend(draw_down(self.spec.as_ref(), &draw.kept));
    }

    pub(super) fn guessing(&mut self, guess: bool) {
        self.guess = guess;
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        let busy = self.calling();
        let may = |draw: &&InHand| (draw.unclear() || !busy) && (draw.ours() || !self.guess);
        self.draws.iter().filter(may).filter_map(InHand::due).min()
    }

    pub(super) fn shift(&mut self, ms: i64) {
        self.draws.iter_mut().for_each(|draw| draw.shift(ms));
        if let Some(refused) = &mut self.refused {
            refused.shift(ms);
        }
    }

    pub(super) fn close(&mut self, out: &mut Out) {
        for wish in std::mem::take(&mut self.wishes) {
            if wish.booked {
                self.booked = self.booked.saturating_sub(wish.quantity);
                out.changed = true;
            }
            out.answer(wish.draw, Err(texts::shut_down(&self.name)));
        }
        self.drop_unwanted(out);
    }

    /// Serves those who wait, in their order, as far as drawn units reach.
    fn book(&mut self, out: &mut Out) {
        for wish in self.wishes.iter_mut().filter(|wish| !wish.booked) {
            if wish.quantity > self.drawn.saturating_sub(self.booked) {
                return;
            }
            self.booked = self.booked.saturating_add(wish.quantity);
            wish.booked = true;
            out.changed = true;
        }
    }

    /// Begins a draw for those who wait, unless one is in hand: its units may be what they wait for.
    fn begin(&mut self, now: Timestamp, random: &mut Draw, out: &mut Out) {
        if !self.draws.is_empty() || !self.configured() {
            return;
        }
        if let Some(refused) = self.refused.as_ref().filter(|refused| refused.stands(now)).cloned()
        {
            self.refuse(&refused, out);
            self.book(out);
        }
        while let Some(lack) = self.lack() {
            let Some(quantity) = self.quantity(lack, now) else {
                self.refuse_too_many(out);
                continue;
            };
            let kept = KeptDraw {
                client_token: random.client_token(),
                quantity,
                begun: now,
                in_doubt: false,
                before: self.seen.clone(),
            };
            self.draws.push(InHand::new(kept, now));
            out.changed = true;
            return;
        }
    }

    /// How much to draw when the first one lacks `lack`: what all lack, and a batch at least, so that small wishes
    /// share a call. `None` when it cannot be counted.
    fn quantity(&self, lack: u64, now: Timestamp) -> Option<u64> {
        let waiting = self.wishes.iter().filter(|wish| !wish.booked);
        let all = waiting.fold(0_u64, |sum, wish| sum.saturating_add(wish.quantity));
        let batch = self.spec.as_ref().map_or(0, |spec| spec.batch);
        let most = all.saturating_sub(self.left()).max(batch).max(lack);
        let counted = |n: &u64| *n <= QUANTITY_MAX && self.drawn.checked_add(*n).is_some();
        let known_no = self.refused.as_ref().is_some_and(|refused| refused.refuses(most, now));
        Some(most).filter(|most| !known_no && counted(most)).or(Some(lack).filter(counted))
    }

    fn refuse_too_many(&mut self, out: &mut Out) {
        let Some(place) = self.wishes.iter().position(|wish| !wish.booked) else { return };
        if let Some(wish) = self.wishes.remove(place) {
            out.answer(wish.draw, Err(texts::too_many(&self.name, wish.quantity)));
        }
        self.book(out);
    }

    /// What the first one that waits lacks.
    fn lack(&self) -> Option<u64> {
        let first = self.wishes.iter().find(|wish| !wish.booked)?;
        Some(first.quantity.saturating_sub(self.left()))
    }

    fn left(&self) -> u64 {
        self.drawn.saturating_sub(self.booked)
    }

    /// A draw that nobody waits for is not made, as long as nothing of it can have been done.
    fn drop_unwanted(&mut self, out: &mut Out) {
        if self.wishes.iter().any(|wish| !wish.booked) {
            return;
        }
        let before = self.draws.len();
        self.draws.retain(|draw| !draw.droppable());
        out.changed |= self.draws.len() < before;
    }

    fn dispute(&mut self, place: usize, why: String, out: &mut Out) {
        let dispute = self.draws.remove(place).dispute(why);
        out.step.news.push(texts::disputed(&self.name, &dispute));
        self.disputes.push(dispute);
        out.changed = true;
    }

    fn tell_low(&mut self, contract: Option<&Contract>, found: Option<&Consumed>, out: &mut Out) {
        let bought = self.entitlement(contract).and_then(|e| e.max_count);
        let (Some(max), Some(found), Some(spec)) = (bought, found, &self.spec) else { return };
        let left = max.saturating_sub(found.consumed);
        let low = left <= spec.low.unwrap_or(max / 10);
        if low && !self.told_low {
            out.step.news.push(texts::low(&self.name, left, max));
        }
        self.told_low = low;
    }

    /// What a draw that worked proves. Units of a dead process may be of an entitlement that is configured no more.
    fn proved(&self) -> Entitlement {
        let unit = self.spec.as_ref().map_or("Count", |spec| &spec.unit).to_owned();
        Entitlement { name: self.name.to_string(), unit, ..Entitlement::default() }
    }

    fn entitlement<'a>(&self, contract: Option<&'a Contract>) -> Option<&'a Entitlement> {
        contract?.entitlements.iter().find(|e| e.name == self.name.as_str())
    }
}

fn draw_down(spec: Option<&EntitlementSpec>, draw: &KeptDraw) -> Option<Command> {
    let spec = spec?;
    let want = Entitlement {
        name: spec.name.clone(),
        unit: spec.unit.clone(),
        value: Some(draw.quantity.to_string()),
        ..Entitlement::default()
    };
    Some(Command::DrawDown { want, token: draw.client_token.clone() })
}
