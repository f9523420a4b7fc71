//! What the histories came to, in one line.

macro_rules! figures {
    ($($name:ident: $text:literal),+ $(,)?) => {
        /// Counts of what happened.
        #[derive(Clone, Debug, Default)]
        pub(crate) struct Figures {
            pub(crate) hours: u64,
            $(pub(crate) $name: u64),+
        }

        impl Figures {
            pub(crate) fn add(&mut self, other: &Figures) {
                self.hours += other.hours;
                $(self.$name += other.$name;)+
            }
        }

        impl std::fmt::Display for Figures {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "simulated years {:.1}", self.hours as f64 / 24.0 / 365.0)?;
                $(write!(f, ", {} {}", $text, self.$name)?;)+
                Ok(())
            }
        }
    };
}

figures! {
    steps: "steps",
    processes: "processes",
    crashes: "crashes",
    stops: "stops",
    forks: "forks",
    ends: "ends",
    deposed: "two leaders",
    partitions: "partitions",
    clocks: "clock faults",
    disks: "full disks",
    unrotated: "full rings",
    losses: "lost disks",
    commits: "commits",
    records: "records",
    sends: "sends",
    added: "units added",
    billed: "billed",
    carried: "carried",
    disputed: "disputed",
    held: "held",
    missed: "missed",
    declared: "declared lost",
    collided: "collided",
    adoptions: "adoptions",
}
