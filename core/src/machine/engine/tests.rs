mod contract;
mod fleet;
mod keeping;
mod world;

use super::*;
use crate::{
    machine::plan::{ContractPlan, StartupCheck},
    model::{
        entry::Entry,
        ids::{Identity, LeaseId, Platform, SeatId, SeriesId},
        license::{Contract, Entitlement, EntitlementKind, EntitlementSpec, Reason, Verdict},
        outcome::{
            CheckedIn, CheckedOut, Details, FailureClass, Refusal, RefusalReason, Sent, Tiers,
        },
        time::Hour,
        usage::{Closed, DimensionSpec, Kind, Series, Tags},
    },
};
use std::{collections::BTreeMap, time::Duration};

const START: Hour = Hour(490_000);

fn plan() -> Plan {
    Plan {
        hourly: true,
        usage: true,
        contract: Some(ContractPlan {
            tiers: vec!["Basic".into(), "Premium".into()],
            counted: vec![seats()],
            seat_linger: Duration::ZERO,
            interval: Duration::from_secs(900),
            grace: Duration::from_secs(86_400),
            expiring_notice: Duration::from_secs(86_400),
        }),
        dimensions: vec![DimensionSpec {
            name: "requests".into(),
            kind: Kind::Sum,
            per_unit: 1,
            fraction_digits: 0,
            ceiling: None,
        }],
        metering: metering::Policy { outage_stop: Duration::from_secs(7200), zero_records: false },
        key_version: None,
        startup_check: StartupCheck::DryRun,
        sandbox: true,
    }
}

fn identity() -> Identity {
    Identity { platform: Platform::Ecs, name: "task".into(), region: "us-east-1".into() }
}

fn series() -> Vec<(SeriesId, Series)> {
    vec![(SeriesId(0), Series { dimension: "requests".into(), tags: Tags::new() })]
}

fn recorded() -> Sent {
    Sent::Recorded { record_id: "r".into(), request_id: None }
}

fn failure(class: FailureClass) -> Failure {
    Failure { class, text: "no answer".into() }
}

fn found() -> Details {
    let seats = Entitlement {
        name: "Seats".into(),
        unit: "Count".into(),
        value: None,
        max_count: Some(10),
        consumed: None,
    };
    Details::Found(Contract { entitlements: vec![seats], ..Contract::default() })
}

fn basic() -> Tiers {
    let tier = Entitlement {
        name: "Basic".into(),
        unit: "None".into(),
        value: None,
        max_count: None,
        consumed: None,
    };
    Tiers::Bought { entitlements: vec![tier], license_arn: None }
}

/// An engine under a hand-moved clock.
struct Bench {
    engine: Engine,
    now: Timestamp,
}

impl Bench {
    fn new(plan: Plan) -> Bench {
        let now = START.start();
        let mut bench = Bench { engine: Engine::new(plan, [2; 32], now), now };
        let commands = bench.hear(Input::Start { inherited: None });
        assert!(matches!(commands[..], [Command::Identify]), "{commands:?}");
        bench
    }

    /// The state of the task opens, empty; this process leads, and AWS's time is known.
    fn open(&mut self) -> Vec<Command> {
        self.open_with(Books::default())
    }

    fn open_with(&mut self, books: Books) -> Vec<Command> {
        let mut commands = self.hear(Input::TimeKnown { behind_ms: 0, guess_behind_ms: 0 });
        commands.extend(self.hear(Input::Opened { entitled: books.entitled, leading: true }));
        commands.extend(self.hear(Input::Led { books: Box::new(books), hour: START }));
        commands
    }

    /// The running hour is captured with this much of the only series.
    fn capture(&mut self, sequence: u64, hour: Hour, next: Hour, raw: u64) -> Vec<Command> {
        let values = BTreeMap::from([(SeriesId(0), raw)]);
        let slab = Closed { sequence, hour, provisional: false, values };
        self.hear(Input::Captured { slab, next })
    }

    fn hear(&mut self, input: Input) -> Vec<Command> {
        self.engine.step(input, self.now)
    }

    fn verdict(&self) -> (Verdict, Reason) {
        let license = self.engine.license();
        (license.verdict, license.reason)
    }

    /// A guard that has every yes.
    fn licensed() -> Bench {
        let mut bench = Bench::new(plan());
        bench.hear(Input::Identified(Ok(identity())));
        bench.open();
        bench.hear(Input::Registered(Registered::Yes { key_rotation: None, weak_key: false }));
        bench.hear(Input::Permitted(Permitted::Yes));
        bench.hear(Input::Tiers(basic()));
        bench.hear(Input::Details(found()));
        assert_eq!(bench.verdict(), (Verdict::Licensed, Reason::Entitled));
        bench
    }
}

#[test]
fn the_verdict_needs_a_yes_from_every_part() {
    let mut bench = Bench::new(plan());
    let asked = bench.hear(Input::Identified(Ok(identity())));
    let wanted = |commands: &[Command]| {
        matches!(commands, [Command::Open(Some(_)), Command::Register, Command::AskTiers { .. }])
    };
    assert!(wanted(&asked), "{asked:?}");
    let asked = bench.open();
    assert!(asked.iter().any(|command| matches!(command, Command::CheckUsage)), "{asked:?}");
    let inputs = [
        Input::Registered(Registered::Yes { key_rotation: None, weak_key: false }),
        Input::Permitted(Permitted::Yes),
        Input::Tiers(basic()),
    ];
    for input in inputs {
        bench.hear(input);
        assert_eq!(bench.verdict().0, Verdict::Pending);
    }
    let told = bench.hear(Input::Details(found()));
    let Some(Command::Announce(notice)) = told.last() else { panic!("{told:?}") };
    assert_eq!(notice.kind, EventKind::VerdictChanged);
    assert_eq!((notice.old.verdict, notice.license.verdict), (Verdict::Pending, Verdict::Licensed));
    assert!(matches!(told[told.len() - 2], Command::Publish(_)), "shown before it is told");
}

#[test]
fn nothing_is_asked_before_the_identity_is_known_and_failures_are_pending() {
    let mut bench = Bench::new(plan());
    for _ in 0..20 {
        let asked = bench.hear(Input::Identified(Err(failure(FailureClass::NotSent))));
        assert!(!asked.iter().any(|command| matches!(command, Command::Register)), "{asked:?}");
        assert_eq!(bench.verdict(), (Verdict::Pending, Reason::Unreachable));
        bench.now = bench.engine.due(bench.now).expect("it asks again");
        let asked = bench.hear(Input::Tick);
        assert!(asked.iter().any(|command| matches!(command, Command::Identify)), "{asked:?}");
    }
}

#[test]
fn one_no_denies_whatever_the_others_say() {
    let mut bench = Bench::licensed();
    let refusal = Refusal { reason: RefusalReason::NotEntitled, text: "subscribe".into() };
    let mut check = Startup::new(StartupCheck::DryRun);
    check.opened(false, false);
    bench.engine.permission = Some(check);
    bench.hear(Input::Tick);
    bench.hear(Input::Permitted(Permitted::No(refusal)));
    assert_eq!(bench.verdict(), (Verdict::Denied, Reason::NotEntitled));
}

#[test]
fn a_rotated_or_short_key_is_told_and_denies_nothing() {
    let plan = Plan { usage: false, contract: None, key_version: Some(3), ..plan() };
    let mut bench = Bench::new(plan);
    bench.hear(Input::Identified(Ok(identity())));
    let yes = Registered::Yes { key_rotation: Some(Timestamp(5)), weak_key: true };
    let told = bench.hear(Input::Registered(yes));
    let kinds: Vec<_> = told
        .iter()
        .filter_map(|command| match command {
            Command::Announce(notice) => Some(notice.kind),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, [EventKind::VerdictChanged, EventKind::KeyRotation, EventKind::WeakKey]);
    assert_eq!(bench.verdict().0, Verdict::Licensed);
    let said = texts(&told);
    for part in ["version `3`", "1970-01-01", "rebuild the image"] {
        assert!(said[1].contains(part), "{}", said[1]);
    }
    assert!(said[2].contains("version `3`"), "{}", said[2]);
    // Once: after a yes nobody asks again, and a step later it is not told again.
    assert!(texts(&bench.hear(Input::Tick)).is_empty());
}

fn texts(told: &[Command]) -> Vec<String> {
    let text = |command: &Command| match command {
        Command::Announce(notice) => Some(notice.text.clone()),
        _ => None,
    };
    told.iter().filter_map(text).collect()
}

/// T77, and [AC §4.12]: what proves nothing says so wherever it is read.
#[test]
fn each_text_of_a_sandbox_says_so_and_none_of_aws_does() {
    for sandbox in [true, false] {
        let plan = Plan { usage: false, contract: None, key_version: None, sandbox, ..plan() };
        let mut bench = Bench::new(plan);
        let mut all = vec![bench.engine.license().text.clone()];
        let mut hear = |bench: &mut Bench, input| {
            all.extend(texts(&bench.hear(input)));
            all.push(bench.engine.license().text.clone());
        };
        let failure = Failure { class: FailureClass::Throttled, text: "wait".into() };
        hear(&mut bench, Input::Identified(Ok(identity())));
        hear(&mut bench, Input::Registered(Registered::Failed(failure)));
        let at = bench.engine.due(bench.now).expect("it asks again");
        bench.now = at;
        hear(&mut bench, Input::Tick);
        let yes = Registered::Yes { key_rotation: Some(Timestamp(5)), weak_key: true };
        hear(&mut bench, Input::Registered(yes));
        assert!(all.len() >= 8, "{all:?}");
        for text in &all {
            assert_eq!(text.starts_with("sandbox: "), sandbox, "{text}");
            assert_eq!(text.matches("sandbox").count(), usize::from(sandbox), "said once: {text}");
        }
        assert_eq!(bench.engine.license().sandbox, sandbox);
    }
}

fn seats() -> EntitlementSpec {
    EntitlementSpec {
        name: "Seats".into(),
        kind: EntitlementKind::Floating,
        unit: "Count".into(),
        batch: 1,
        low: None,
    }
}

#[test]
fn the_end_returns_seats_sends_usage_and_then_finishes() {
    let mut bench = Bench::licensed();
    let (lease, seat) = (LeaseId(1), SeatId(1));
    bench.hear(Input::SeatWanted { seat, spec: seats(), count: 1 });
    let expires = bench.now.after(Duration::from_secs(3600));
    bench.hear(Input::CheckedOut {
        lease,
        outcome: CheckedOut::Held { token: "t".into(), expires, license_arn: None },
    });
    let ending = bench.hear(Input::ShutDown { last: true });
    assert!(ending.iter().any(|command| matches!(command, Command::CheckIn { .. })), "{ending:?}");
    bench.hear(Input::Series(series()));
    let sending = bench.capture(1, START, START, 4);
    let Some(Command::Send(record)) = sending.last() else { panic!("{sending:?}") };
    let record = record.id;
    let finished = |commands: &[Command]| commands.iter().any(|c| matches!(c, Command::Finished));
    let returned = bench.hear(Input::CheckedIn { lease, outcome: CheckedIn::Done });
    assert!(!finished(&returned), "a record is still on its way");
    assert!(finished(&bench.hear(Input::Sent { record, outcome: recorded() })));
    assert_eq!(bench.engine.seats_returned(), 1);
    assert_eq!(bench.engine.accounts()[0].delivered, 4);
}

/// The others were there when it began to end, and left before it did.
#[test]
fn whoever_turns_out_to_be_the_last_sends_the_running_hour_after_all() {
    let mut bench = Bench::licensed();
    bench.hear(Input::Series(series()));
    let left = bench.hear(Input::ShutDown { last: false });
    assert!(matches!(left.last(), Some(Command::Finished)), "{left:?}");
    bench.hear(Input::Deposed);
    bench.hear(Input::Led { books: Box::default(), hour: START });
    let ending = bench.hear(Input::ShutDown { last: true });
    assert!(has(&ending, |c| matches!(c, Command::CloseCounters)), "{ending:?}");
    bench.hear(Input::Series(series()));
    let sending = bench.capture(1, START, START, 4);
    let Some(Command::Send(record)) = sending.last() else { panic!("{sending:?}") };
    let sent = bench.hear(Input::Sent { record: record.id, outcome: recorded() });
    assert!(matches!(sent.last(), Some(Command::Finished)), "{sent:?}");
    assert_eq!(bench.engine.accounts()[0].delivered, 4);
}

#[test]
fn the_deadline_ends_what_has_not_ended() {
    let mut bench = Bench::licensed();
    bench.hear(Input::SeatWanted { seat: SeatId(1), spec: seats(), count: 1 });
    bench.hear(Input::ShutDown { last: true });
    let told = bench.hear(Input::Deadline);
    assert!(matches!(told.last(), Some(Command::Finished)));
    assert_eq!(bench.engine.due(bench.now), None);
}

/// Custom metering only.
fn metered(check: StartupCheck) -> Plan {
    Plan { hourly: false, contract: None, startup_check: check, ..plan() }
}

fn has(commands: &[Command], wanted: fn(&Command) -> bool) -> bool {
    commands.iter().any(wanted)
}

#[test]
fn a_zero_record_of_the_probe_dimension_proves_entitlement_for_good() {
    // T16
    let mut bench = Bench::new(metered(StartupCheck::Probe));
    let asked = bench.hear(Input::Identified(Ok(identity())));
    assert!(!has(&asked, |c| matches!(c, Command::ProbeUsage)), "an earlier proof may be there");
    let asked = bench.open();
    assert!(has(&asked, |c| matches!(c, Command::ProbeUsage)), "{asked:?}");
    let told = bench.hear(Input::Permitted(Permitted::Yes));
    let noted =
        |c: &Command| matches!(c, Command::Commit(e) if matches!(e[..], [Entry::Entitled { .. }]));
    assert!(told.iter().any(noted), "{told:?}");
    assert_eq!(bench.verdict().0, Verdict::Licensed);
    let books = bench.engine.metering().expect("it leads").books().clone();
    let mut again = Bench::new(metered(StartupCheck::Probe));
    again.hear(Input::Identified(Ok(identity())));
    let asked = again.open_with(books);
    assert!(!has(&asked, |c| matches!(c, Command::ProbeUsage | Command::CheckUsage)), "{asked:?}");
    assert_eq!(again.verdict().0, Verdict::Licensed);
}

#[test]
fn usage_that_waits_is_sent_at_start_and_its_answer_is_the_verdict() {
    // T16
    let books = || {
        let mut bench = Bench::new(metered(StartupCheck::Auto));
        bench.hear(Input::Identified(Ok(identity())));
        bench.open();
        bench.hear(Input::Series(series()));
        bench.now = START.end();
        bench.capture(1, START, START.next(), 4);
        bench.engine.metering().expect("it leads").books().clone()
    };
    let refusal = Refusal { reason: RefusalReason::NotEntitled, text: "subscribe".into() };
    for (outcome, verdict) in
        [(recorded(), Verdict::Licensed), (Sent::Refused(refusal), Verdict::Denied)]
    {
        let mut bench = Bench::new(metered(StartupCheck::Auto));
        bench.now = START.end();
        bench.hear(Input::Identified(Ok(identity())));
        let sending = bench.open_with(books());
        assert!(!has(&sending, |c| matches!(c, Command::CheckUsage)), "{sending:?}");
        let record = sending.iter().find_map(|command| match command {
            Command::Send(record) => Some(record.id),
            _ => None,
        });
        let record = record.expect("it is sent at once");
        bench.hear(Input::Sent { record, outcome });
        assert_eq!(bench.verdict().0, verdict);
    }
}

#[test]
fn a_forked_child_has_the_license_of_its_parent_until_its_own_answers_are_there() {
    // T29
    let mut parent = Bench::new(metered(StartupCheck::DryRun));
    parent.hear(Input::Identified(Ok(identity())));
    parent.open();
    parent.hear(Input::Permitted(Permitted::Yes));
    assert_eq!(parent.verdict().0, Verdict::Licensed);
    let child = |identity| {
        let now = START.start();
        let mut bench =
            Bench { engine: Engine::new(metered(StartupCheck::DryRun), [3; 32], now), now };
        let license = parent.engine.license().clone();
        let inherited = Some(Inherited { identity, license });
        let commands = bench.hear(Input::Start { inherited });
        (bench, commands)
    };
    let (mut bench, commands) = child(Some(identity()));
    assert!(
        matches!(commands[..], [Command::Open(Some(_))]),
        "it is asked again by none: {commands:?}"
    );
    assert_eq!(bench.verdict().0, Verdict::Licensed);
    bench.hear(Input::Opened { entitled: false, leading: false });
    bench.hear(Input::Permitted(Permitted::Failed(failure(FailureClass::NotSent))));
    assert_eq!(bench.verdict().0, Verdict::Licensed, "an error never decides");
    bench.now = bench.now.after(INHERITED_STANDS);
    bench.hear(Input::Tick);
    assert_eq!(bench.verdict().0, Verdict::Pending, "but it does not stand for ever");

    let (mut bench, _) = child(Some(identity()));
    bench.hear(Input::Opened { entitled: false, leading: false });
    let refusal = Refusal { reason: RefusalReason::NotEntitled, text: "subscribe".into() };
    bench.hear(Input::Permitted(Permitted::No(refusal)));
    assert_eq!(bench.verdict().0, Verdict::Denied);

    let (_, commands) = child(None);
    assert!(matches!(commands[..], [Command::Identify]), "{commands:?}");
}

#[test]
fn who_is_deposed_meters_no_more_and_can_lead_again() {
    let mut bench = Bench::new(metered(StartupCheck::DryRun));
    bench.hear(Input::Identified(Ok(identity())));
    bench.open();
    bench.hear(Input::Permitted(Permitted::Yes));
    bench.hear(Input::Deposed);
    bench.now = START.end();
    let silent = bench.hear(Input::Tick);
    assert!(
        !has(&silent, |c| matches!(c, Command::Rotate { .. } | Command::Commit(_))),
        "{silent:?}"
    );
    assert_eq!(bench.verdict().0, Verdict::Licensed);
    let commands = bench.hear(Input::Led { books: Box::default(), hour: START });
    assert!(has(&commands, |c| matches!(c, Command::Rotate { .. })), "{commands:?}");
    bench.hear(Input::Deposed);
    let ending = bench.hear(Input::ShutDown { last: true });
    assert!(has(&ending, |c| matches!(c, Command::Finished)), "{ending:?}");
}

#[test]
fn without_an_identity_the_state_opens_in_memory_when_the_host_stops_waiting() {
    let mut bench = Bench::new(metered(StartupCheck::DryRun));
    bench.hear(Input::Identified(Err(failure(FailureClass::NotSent))));
    let commands = bench.hear(Input::Unidentified);
    assert!(has(&commands, |c| matches!(c, Command::Open(None))), "{commands:?}");
    let commands = bench.hear(Input::Identified(Ok(identity())));
    assert!(!has(&commands, |c| matches!(c, Command::Open(_))), "once: {commands:?}");
}

#[test]
fn what_was_reckoned_by_a_wrong_clock_jumps_with_it() {
    let days: i64 = 3 * 86_400_000;
    for behind_ms in [days, -days] {
        let mut parent = Bench::licensed();
        parent.hear(Input::Tick);
        let inherited = Some(Inherited {
            identity: Some(identity()),
            license: parent.engine.license().clone(),
        });
        let now = START.start();
        let mut bench = Bench { engine: Engine::new(plan(), [3; 32], now), now };
        bench.hear(Input::Start { inherited });
        bench.hear(Input::Tiers(Tiers::Failed(failure(FailureClass::Throttled))));
        bench.hear(Input::Details(Details::Failed(failure(FailureClass::Throttled))));
        bench.now = bench.now.shifted(behind_ms);
        bench.hear(Input::TimeKnown { behind_ms, guess_behind_ms: behind_ms });
        assert_eq!(bench.verdict().0, Verdict::Licensed, "{behind_ms}: it is no day older");
        let due = bench.engine.due(bench.now).expect("it looks again");
        assert!(due.since(bench.now) <= Duration::from_secs(3600), "{behind_ms}: {due}");
    }
}

#[test]
fn a_clock_that_differs_from_aws_is_told() {
    let mut bench = Bench::new(metered(StartupCheck::DryRun));
    let skew = |behind_ms| Input::TimeKnown { behind_ms, guess_behind_ms: 0 };
    let told = |commands: &[Command]| {
        commands
            .iter()
            .any(|c| matches!(c, Command::Announce(notice) if notice.kind == EventKind::ClockSkew))
    };
    assert!(!told(&bench.hear(skew(30_000))));
    assert!(told(&bench.hear(skew(-20 * 60_000))));
    assert!(!told(&bench.hear(skew(-20 * 60_000))), "once");
}

#[test]
fn usage_that_waits_for_the_time_makes_a_question_whose_answer_brings_it() {
    // An earlier receipt needs no start-up check, so nothing else would ever ask AWS.
    let mut bench = Bench::new(metered(StartupCheck::Auto));
    bench.hear(Input::Identified(Ok(identity())));
    let books = Books { entitled: true, ..Books::default() };
    assert_eq!(bench.verdict().0, Verdict::Pending);
    bench.hear(Input::Opened { entitled: true, leading: true });
    let asked = bench.hear(Input::Led { books: Box::new(books), hour: START });
    let asks = |commands: &[Command]| has(commands, |c| matches!(c, Command::CheckUsage));
    assert!(asks(&asked), "{asked:?}");
    assert_eq!(
        bench.verdict().0,
        Verdict::Licensed,
        "it is asked for the time, not for the verdict"
    );
    let no = Refusal { reason: RefusalReason::NotEntitled, text: "subscribe".into() };
    bench.hear(Input::Permitted(Permitted::No(no)));
    assert_eq!(bench.verdict().0, Verdict::Licensed);
    bench.now = bench.engine.due(bench.now).expect("no time came with it");
    assert!(asks(&bench.hear(Input::Tick)), "asked again");
    bench.hear(Input::TimeKnown { behind_ms: 0, guess_behind_ms: 0 });
    for _ in 0..200 {
        bench.now = bench.now.after(Duration::from_secs(60));
        assert!(!asks(&bench.hear(Input::Tick)));
        bench.hear(Input::Permitted(Permitted::Yes));
    }
}

#[test]
fn an_answer_that_was_asked_for_the_time_changes_no_verdict() {
    let mut bench = Bench::new(metered(StartupCheck::DryRun));
    bench.hear(Input::Identified(Ok(identity())));
    bench.hear(Input::Opened { entitled: false, leading: true });
    bench.hear(Input::Led { books: Box::default(), hour: START });
    bench.hear(Input::Permitted(Permitted::Yes));
    assert_eq!(bench.verdict().0, Verdict::Licensed);
    bench.now = bench.engine.due(bench.now).expect("no time came with it");
    assert!(has(&bench.hear(Input::Tick), |c| matches!(c, Command::CheckUsage)));
    bench.hear(Input::Permitted(Permitted::Failed(failure(FailureClass::Unknown))));
    assert_eq!(bench.verdict().0, Verdict::Licensed);
}
