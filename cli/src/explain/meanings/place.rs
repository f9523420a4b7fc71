//! Errors of kinds `environment` and `internal`.

use crate::explain::meaning::{Meaning, PLAIN};

pub(super) const MEANINGS: &[Meaning] = &[
    Meaning {
        word: "storage",
        what: "The state directory, or a descriptor of it, cannot be used. What was counted before is safe.",
        why: &[
            "The disk is full, the directory is read-only, or it belongs to another user.",
            "The process has no file descriptors left.",
        ],
        buyer: "Give the container a volume that its user may write, with space left; raise the limit of open files if the \
                text names it.",
        seller: "Name the volume in `state_dir` and in your instructions; docs/STATE.md says which one outlives what.",
        see: &["storage_weak", "storage_quarantined"],
        ..PLAIN
    },
    Meaning {
        word: "thread",
        what: "A thread of mpguard could not be started. No guard was made, or the guard does not work in this process.",
        why: &["The container's limit of threads or processes is reached, or its memory."],
        buyer: "Raise the limit of processes (`pids`) or the memory of the container.",
        seller: "mpguard needs two threads; see what uses up the others.",
        ..PLAIN
    },
    Meaning {
        word: "internal",
        what: "A bug in mpguard, or a system without randomness. The program goes on, and counting goes on.",
        why: &["A panic was caught at the border of the library."],
        buyer: "Send the text to the seller of the product.",
        seller: "Report the text, with the version of mpguard and the last events. `mpguard ledger verify` shows whether the \
                 account is sound.",
        ..PLAIN
    },
];
