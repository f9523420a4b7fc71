use super::{
    super::fork::testing::{Child, Folder, child, turn},
    *,
};
use crate::model::{
    books::UNKNOWN,
    ids::{Dimension, SeriesId},
    usage::Tags,
};
use std::{collections::BTreeMap, fs, os::fd::AsRawFd, sync::Arc, thread::spawn};

fn series(name: &str) -> Series {
    let tags = Tags::from([("team".to_owned(), format!("{name} \"x\""))]);
    Series { dimension: Dimension::from("gb"), tags }
}

/// The number of `wanted`, appended when it is new: what a meter does.
fn number(list: &dyn SeriesList, wanted: &Series) -> Result<usize, String> {
    let mut number = 0;
    list.with(&mut |known| {
        let found = known.iter().position(|series| series == wanted);
        number = found.unwrap_or(known.len());
        found.is_none().then(|| wanted.clone())
    })?;
    Ok(number)
}

fn shown(list: &dyn SeriesList) -> Result<Vec<Series>, String> {
    let mut shown = vec![];
    list.with(&mut |known| {
        shown = known.to_vec();
        None
    })?;
    Ok(shown)
}

/// A file with three counters.
fn three(folder: &Folder) -> PathBuf {
    let path = folder.file("series");
    let list = SeriesFile::new(&path);
    for (at, name) in ["a", "b", "c"].iter().enumerate() {
        assert_eq!(number(&list, &series(name)), Ok(at));
    }
    path
}

#[test]
fn every_list_on_a_file_gives_the_same_numbers() {
    let folder = Folder::new();
    let path = three(&folder);
    let (one, two) = (SeriesFile::new(&path), SeriesFile::new(&path));
    assert_eq!(number(&one, &series("b")), Ok(1));
    assert_eq!(number(&two, &series("d")), Ok(3));
    assert_eq!(number(&one, &series("e")), Ok(4));
    assert_eq!(number(&two, &series("e")), Ok(4));
    assert_eq!(shown(&one), shown(&SeriesFile::new(&path)));
    let text = fs::read_to_string(&path).expect("it is there");
    let line = text.lines().next().expect("a line");
    assert_eq!(&line[8..], r#" {"dimension":"gb","tags":{"team":"a \"x\""}}"#);
    assert_eq!(folder.names(), ["series"]);
}

#[test]
fn a_torn_end_is_cut_off_by_the_next_append() {
    // T03
    let folder = Folder::new();
    let path = three(&folder);
    let good = fs::read(&path).expect("it is there");
    let last = good[..good.len() - 1].iter().rposition(|b| *b == b'\n').expect("three lines") + 1;
    for torn in [1, 8, 9, 20, good.len() - last - 1] {
        fs::write(&path, &good[..last + torn]).expect("there is room");
        let list = SeriesFile::new(&path);
        assert_eq!(shown(&list).expect("readable").len(), 2, "{torn} bytes");
        assert_eq!(number(&list, &series("c")), Ok(2));
        assert_eq!(fs::read(&path).expect("it is there"), good, "{torn} bytes");
    }
    // The new line is shorter than what was torn.
    let short = Series { dimension: Dimension::from("g"), tags: Tags::new() };
    fs::write(&path, &good[..good.len() - 1]).expect("there is room");
    assert_eq!(number(&SeriesFile::new(&path), &short), Ok(2));
    let all = [series("a"), series("b"), short];
    assert_eq!(shown(&SeriesFile::new(&path)), Ok(all.to_vec()));
    assert!(fs::read(&path).expect("it is there").ends_with(b"}\n"));
    // Whole by its length, but not by its checksum.
    let mut flipped = good.clone();
    flipped[last + 20] ^= 1;
    fs::write(&path, &flipped).expect("there is room");
    assert_eq!(number(&SeriesFile::new(&path), &series("d")), Ok(2));
}

#[test]
fn a_damaged_line_is_named_and_healed_from_the_ledger() {
    let folder = Folder::new();
    let path = three(&folder);
    let good = fs::read(&path).expect("it is there");
    let known = BTreeMap::from([(SeriesId(1), series("b"))]);
    for at in 0..good.len() {
        // Every byte: of checksums, contents and line breaks alike.
        let mut bad = good.clone();
        bad[at] ^= 4;
        fs::write(&path, &bad).expect("there is room");
        let list = SeriesFile::new(&path);
        let line = good[..at].iter().filter(|byte| **byte == b'\n').count();
        if line < 2 && !(line == 1 && good[at] == b'\n') {
            let refused = number(&list, &series("d")).expect_err("numbers would be wrong");
            assert!(refused.contains(&format!("line {} is damaged", line + 1)), "{at}: {refused}");
            assert!(refused.contains("series`"), "{refused}");
        }
        assert_eq!(fs::read(&path).expect("it is there"), bad, "nothing was appended");
        let all: Vec<_> = ["a", "b", "c"].iter().map(|name| series(name)).collect();
        let everything = (0..).map(SeriesId).zip(all.clone()).collect();
        assert_eq!(list.heal(&everything), Ok(true));
        assert_eq!(shown(&list), Ok(all), "byte {at}");
    }
    // Good lines are kept; a number that nobody knows keeps its place.
    let broken = good.iter().position(|byte| *byte == b'\n').expect("three lines");
    let mut bad = good.clone();
    bad[broken] = b' ';
    fs::write(&path, &bad).expect("there is room");
    let list = SeriesFile::new(&path);
    assert_eq!(list.heal(&known), Ok(true));
    let names: Vec<_> =
        shown(&list).expect("healed").iter().map(|s| s.dimension.to_string()).collect();
    assert_eq!(names, [UNKNOWN, "gb", "gb"]);
    assert_eq!(shown(&list).expect("healed")[1..], [series("b"), series("c")]);
    assert_eq!(list.heal(&known), Ok(false), "nothing is left to heal");
    assert_eq!(folder.names(), ["series"]);
}

#[test]
fn a_healed_file_is_found_by_lists_that_were_open() {
    let folder = Folder::new();
    let path = three(&folder);
    let (open, healer) = (SeriesFile::new(&path), SeriesFile::new(&path));
    assert_eq!(number(&open, &series("c")), Ok(2));
    let known = (0..).map(SeriesId).zip(["a", "b", "c", "d"].map(series)).collect();
    assert_eq!(healer.heal(&known), Ok(true));
    assert_eq!(number(&open, &series("e")), Ok(4));
    assert_eq!(number(&healer, &series("e")), Ok(4));
    fs::remove_file(&path).expect("ours");
    assert_eq!(open.heal(&known), Ok(true), "a lost file is written anew");
    assert_eq!(number(&healer, &series("d")), Ok(3));
}

#[test]
fn processes_and_threads_that_append_at_once_agree() {
    const NAMES: usize = 60;
    let _turn = turn();
    let folder = Folder::new();
    let path = folder.file("series");
    let append = |from: usize| {
        let list = SeriesFile::new(&path);
        (0..NAMES).all(|at| number(&list, &series(&format!("{}", (at + from) % NAMES))).is_ok())
    };
    let children: Vec<Child> = (0..3).map(|at| child(|| append(at * 17))).collect();
    let shared = Arc::new(SeriesFile::new(&path));
    let threads: Vec<_> = (0..3)
        .map(|from| {
            let list = shared.clone();
            let all = move |at: usize| number(&*list, &series(&format!("{}", (at + from) % NAMES)));
            spawn(move || (0..NAMES).all(|at| all(at).is_ok()))
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().expect("it appends")));
    assert!(children.into_iter().all(Child::good));
    let mut list = shown(&SeriesFile::new(&path)).expect("no line is damaged");
    assert_eq!(list.len(), NAMES, "no name has two numbers");
    list.sort();
    list.dedup();
    assert_eq!(list.len(), NAMES);
}

#[test]
fn a_child_forked_in_the_middle_of_appends_goes_on_with_a_list_of_its_own() {
    // T30: the lock on the file is never inherited.
    let _turn = turn();
    let folder = Folder::new();
    let path = three(&folder);
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let appender = {
        let (path, stop) = (path.clone(), stop.clone());
        spawn(move || {
            let list = SeriesFile::new(path);
            let mut appended = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) && appended < 3000 {
                appended += 1;
                number(&list, &series(&format!("{appended}"))).expect("there is room");
            }
        })
    };
    for _ in 0..100 {
        // A killed child that had inherited the lock would keep it from all others.
        let start = Instant::now();
        assert!(child(|| number(&SeriesFile::new(&path), &series("a")) == Ok(0)).good());
        assert!(start.elapsed() < Duration::from_secs(4));
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    appender.join().expect("it appends");
}

#[test]
fn a_lock_that_is_never_given_back_is_an_error_that_says_so() {
    let folder = Folder::new();
    let path = three(&folder);
    let holder = File::open(&path).expect("it is there");
    // SAFETY: an open descriptor of our own.
    assert_eq!(unsafe { libc::flock(holder.as_raw_fd(), libc::LOCK_EX) }, 0);
    let list = SeriesFile::new(&path);
    let start = Instant::now();
    let refused = shown(&list).expect_err("it is locked");
    assert!(refused.contains("has held it for 5 s") && refused.contains("series`"), "{refused}");
    assert!(start.elapsed() < Duration::from_secs(7));
    drop(holder);
    assert_eq!(shown(&list).expect("free").len(), 3);
}

#[test]
fn a_disk_without_room_leaves_the_list_as_it_was() {
    // T04
    let _turn = turn();
    let folder = Folder::new();
    let path = three(&folder);
    let before = fs::read(&path).expect("it is there");
    let refused = child(|| {
        let room = before.len() as u64 + 20;
        let limit = libc::rlimit { rlim_cur: room, rlim_max: room };
        // SAFETY: the child's own limit and signal; it ends right after.
        unsafe {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit);
        }
        let list = SeriesFile::new(&path);
        let why = number(&list, &series("d")).err().unwrap_or_default();
        why.contains("cannot append to") && shown(&list).is_ok_and(|list| list.len() == 3)
    });
    assert!(refused.good());
    assert_eq!(fs::read(&path).expect("it is there"), before);
    assert_eq!(number(&SeriesFile::new(&path), &series("d")), Ok(3));
}

#[test]
fn the_list_ends_where_the_slab_ends() {
    let folder = Folder::new();
    let path = folder.file("series");
    let known = (0..).map(SeriesId).zip((0..SERIES).map(|at| series(&at.to_string()))).collect();
    let list = SeriesFile::new(&path);
    assert_eq!(list.heal(&known), Ok(true));
    assert_eq!(number(&list, &series("4095")), Ok(4095));
    let refused = number(&list, &series("one more")).expect_err("there is no counter left");
    assert!(refused.contains("`gb`") && refused.contains("4096"), "{refused}");
}

#[test]
fn a_list_in_memory_is_inherited_as_it_is() {
    let _turn = turn();
    let list = MemoryList::default();
    assert_eq!(number(&list, &series("a")), Ok(0));
    assert_eq!(number(&list, &series("b")), Ok(1));
    let inherited = child(|| {
        let heir = list.heir();
        let refused = number(&heir, &series("c")).err().unwrap_or_default();
        number(&heir, &series("b")) == Ok(1)
            && refused.contains("forked")
            && refused.contains("`gb`")
    });
    assert!(inherited.good());
    assert_eq!(number(&list, &series("c")), Ok(2));
    // Held by a thread at the fork: the heir is empty, and does not wait.
    list.with(&mut |_| {
        assert_eq!(shown(&list.heir()), Ok(vec![]));
        None
    })
    .expect("free");
}
