//! The ledger that is there, read without disturbing whoever leads.

use crate::adapter::sqlite_ledger::read::{self, DATABASE, Report};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What is kept in an identity's directory.
#[derive(Debug)]
pub(crate) enum Kept {
    /// Nothing yet.
    Nothing(PathBuf),
    /// A guard of this very process has it open. Its locks would be gone if we opened and closed the file: locks of
    /// `fcntl` belong to the process. Source: SQLite, "How To Corrupt An SQLite Database File", 2.2.
    OpenHere(PathBuf),
    /// What a copy of it says, and what is wrong with it.
    Read { path: PathBuf, report: Box<Report>, faults: Vec<String> },
    /// Why it cannot be read.
    Unreadable(String),
}

/// Looks into `directory`.
pub(super) fn look(directory: &Path) -> Kept {
    let path = directory.join(DATABASE);
    let Ok(there) = fs::metadata(&path) else { return Kept::Nothing(path) };
    if is_open_here(there.dev(), there.ino()) {
        return Kept::OpenHere(path);
    }
    let faults = read::findings(directory).iter().map(ToString::to_string).collect();
    match read::report(directory) {
        Ok(report) => Kept::Read { path, report: Box::new(report), faults },
        Err(why) => Kept::Unreadable(why.to_string()),
    }
}

/// True when this process has that file open. Looks at names only and opens nothing.
fn is_open_here(device: u64, inode: u64) -> bool {
    let Ok(open) = fs::read_dir("/proc/self/fd") else { return false };
    open.flatten().any(|entry| {
        fs::metadata(entry.path()).is_ok_and(|it| it.dev() == device && it.ino() == inode)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn of(test: &str) -> Folder {
            let path =
                std::env::temp_dir().join(format!("mpguard-{}-kept-{test}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).expect("a folder");
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_directory_without_a_ledger_holds_nothing_and_stays_as_it_is() {
        let folder = Folder::of("none");
        assert!(matches!(look(&folder.0), Kept::Nothing(_)));
        assert_eq!(fs::read_dir(&folder.0).expect("it is there").count(), 0);
    }

    #[test]
    fn what_is_no_ledger_is_told_and_left_alone() {
        let folder = Folder::of("broken");
        let path = folder.0.join(DATABASE);
        fs::write(&path, "this is no database, and long enough to be looked at").expect("writable");
        match look(&folder.0) {
            Kept::Unreadable(why) => assert!(why.contains("ledger.db"), "{why}"),
            other => panic!("{other:?}"),
        }
        let text = fs::read_to_string(&path).expect("it is there");
        assert!(text.starts_with("this is no database"));
    }

    #[test]
    fn a_ledger_that_this_process_has_open_is_not_opened_again() {
        let folder = Folder::of("open");
        let path = folder.0.join(DATABASE);
        let file = fs::File::create(&path).expect("writable");
        assert!(matches!(look(&folder.0), Kept::OpenHere(_)));
        drop(file);
        assert!(!matches!(look(&folder.0), Kept::OpenHere(_)));
    }
}
