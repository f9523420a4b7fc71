//! Short stories of one task, each with a few durable steps.

use mpguard_handless::model::{ids::SeriesId, quantity::Raw};

/// Counters that every story has.
pub(crate) const REQUESTS: SeriesId = SeriesId(0);
/// A tagged counter of the same dimension.
pub(crate) const TEAM: SeriesId = SeriesId(1);
/// 1000 raw counts in one unit, two decimals.
pub(crate) const GB: SeriesId = SeriesId(2);
/// A level.
pub(crate) const HOSTS: SeriesId = SeriesId(3);

/// What happens next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    Add(SeriesId, u64),
    /// The hour ends, and the time to send comes.
    Hour,
    /// This many seconds pass.
    Pass(u64),
    /// AWS answers everything that is on its way.
    Aws(Says),
    /// The process ends in order, as the last of its task, and another one starts.
    Restart,
    /// The process is killed, and another one starts.
    Kill,
    /// The process ends in order while others go on; one of them leads.
    Recycle,
    /// AWS's time becomes known; until then, from the start, the clock is this many minutes behind.
    Time(i64),
    /// A dead task's ledger is found, and taken over at the next hour or by the next process.
    TakeOver,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Recorded,
    /// Stored, and the answer is lost.
    Lost,
    /// Not stored, and nobody knows.
    Vanished,
    NotSent,
    Throttled,
    /// Somebody else in the task was first.
    Duplicate,
    OutOfBounds,
    Invalid,
}

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) steps: &'static [Then],
    /// It begins on an empty disk. The others find a ledger that nothing was written to yet.
    pub(crate) fresh: bool,
    /// Where its counts end when nothing goes wrong; AWS has all others.
    pub(crate) ends: Ends,
}

/// Raw counts, of all dimensions, that AWS does not have, or that nobody can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) disputed: Raw,
    pub(crate) held: Raw,
    pub(crate) missed: Raw,
}

use Says::*;
use Then::*;

const fn story(name: &'static str, steps: &'static [Then]) -> Scenario {
    Scenario { name, steps, fresh: false, ends: Ends { disputed: 0, held: 0, missed: 0 } }
}

impl Scenario {
    const fn fresh(mut self) -> Scenario {
        self.fresh = true;
        self
    }

    const fn ends(mut self, disputed: Raw, held: Raw, missed: Raw) -> Scenario {
        self.ends = Ends { disputed, held, missed };
        self
    }
}

/// T01 T04: each of their durable steps is crashed, torn, refused for want of room and failed. T05 lies in all of
/// them: between the close of a slab and the commit of what it held, a crash leaves it in one place.
pub(crate) static SCENARIOS: &[Scenario] = &[
    story("a first start", &[Add(REQUESTS, 7), Hour, Aws(Recorded)]).fresh(),
    story("one hour", &[Add(REQUESTS, 7), Hour, Aws(Recorded)]),
    story(
        "two hours",
        &[Add(REQUESTS, 7), Hour, Add(REQUESTS, 5), Aws(Recorded), Hour, Aws(Recorded)],
    ),
    story(
        "three dimensions",
        &[Add(REQUESTS, 7), Add(GB, 2345), Add(HOSTS, 3), Hour, Aws(Recorded), Aws(Recorded)],
    ),
    story("tags", &[Add(REQUESTS, 7), Add(TEAM, 4), Hour, Aws(Recorded)]),
    story("a remainder", &[Add(GB, 1234), Hour, Aws(Recorded), Add(GB, 777), Hour, Aws(Recorded)]),
    story(
        "added while it is sent",
        &[
            Add(REQUESTS, 1),
            Hour,
            Add(REQUESTS, 2),
            Aws(Recorded),
            Add(REQUESTS, 3),
            Hour,
            Aws(Recorded),
        ],
    ),
    story("an answer is lost", &[Add(REQUESTS, 7), Hour, Aws(Lost), Pass(400), Aws(Recorded)]),
    story("a request vanishes", &[Add(REQUESTS, 7), Hour, Aws(Vanished), Pass(400), Aws(Recorded)]),
    story(
        "no network",
        &[Add(REQUESTS, 7), Hour, Aws(NotSent), Pass(400), Aws(NotSent), Pass(400), Aws(Recorded)],
    ),
    story(
        "throttled",
        &[
            Add(REQUESTS, 7),
            Hour,
            Aws(Throttled),
            Pass(400),
            Aws(Throttled),
            Pass(400),
            Aws(Recorded),
        ],
    ),
    story(
        "a duplicate is carried",
        &[Add(REQUESTS, 7), Hour, Aws(Duplicate), Add(REQUESTS, 2), Hour, Aws(Recorded)],
    ),
    story(
        "out of bounds is carried",
        &[Add(REQUESTS, 7), Hour, Aws(OutOfBounds), Hour, Aws(Recorded)],
    ),
    story(
        "out of bounds after doubt",
        &[Add(REQUESTS, 7), Hour, Aws(Lost), Pass(400), Aws(OutOfBounds)],
    )
    .ends(7, 0, 0),
    story("a level is missed", &[Add(HOSTS, 5), Hour, Aws(Duplicate), Hour]).ends(0, 0, 5),
    story(
        "an invalid dimension is held",
        &[Add(REQUESTS, 7), Hour, Aws(Invalid), Add(REQUESTS, 1), Hour, Aws(Recorded)],
    )
    .ends(0, 7, 0),
    story(
        "a long outage is carried",
        &[Add(REQUESTS, 7), Hour, Aws(NotSent), Pass(7 * 3600), Aws(NotSent), Hour, Aws(Recorded)],
    ),
    story("a long doubt is disputed", &[Add(REQUESTS, 7), Hour, Aws(Lost), Pass(7 * 3600), Hour])
        .ends(7, 0, 0),
    story(
        "a restart in the same hour",
        &[Add(REQUESTS, 7), Restart, Add(REQUESTS, 5), Hour, Hour, Aws(Recorded)],
    ),
    story(
        "two stops in one hour",
        &[
            Add(REQUESTS, 7),
            Restart,
            Add(REQUESTS, 5),
            Restart,
            Add(REQUESTS, 1),
            Hour,
            Hour,
            Aws(Recorded),
        ],
    ),
    story(
        "killed after the freeze",
        &[Add(REQUESTS, 7), Hour, Kill, Aws(Recorded), Add(REQUESTS, 2), Hour, Aws(Recorded)],
    ),
    story(
        "killed while in doubt",
        &[Add(REQUESTS, 7), Hour, Aws(Lost), Kill, Pass(400), Aws(Recorded)],
    ),
    story(
        "killed while not sent",
        &[Add(REQUESTS, 7), Hour, Aws(NotSent), Kill, Pass(7 * 3600), Hour, Aws(Recorded)],
    ),
    story(
        "a recycled worker",
        &[Add(REQUESTS, 7), Recycle, Add(REQUESTS, 5), Hour, Recycle, Aws(Recorded)],
    ),
    story(
        "a wrong clock",
        &[Add(REQUESTS, 7), Hour, Add(REQUESTS, 2), Time(90), Hour, Aws(Recorded)],
    ),
    story(
        "a fast clock",
        &[
            Add(REQUESTS, 7),
            Add(HOSTS, 2),
            Hour,
            Add(REQUESTS, 2),
            Time(-90),
            Hour,
            Hour,
            Aws(Recorded),
        ],
    ),
    story(
        "a ledger is taken over",
        &[Add(REQUESTS, 7), TakeOver, Hour, Aws(Recorded), Hour, Aws(Recorded)],
    )
    .ends(3, 0, 4),
];
