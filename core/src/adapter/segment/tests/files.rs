//! The file: whole or refused.

use super::{
    super::super::fork::testing::{child, turn},
    *,
};
use std::{fs, os::unix::fs::MetadataExt};

fn open(bytes: &[u8]) -> Result<Arc<Segment>, SegmentError> {
    let folder = Folder::new();
    let path = folder.file("usage.seg");
    fs::write(&path, bytes).expect("there is room");
    Segment::open(&path)
}

/// Bytes of a good file.
fn good() -> Vec<u8> {
    let mut bytes = layout::control(LEDGER, IDENTITY);
    bytes.resize(layout::BYTES, 0);
    bytes
}

#[track_caller]
fn broken(bytes: &[u8], part: &str) {
    match open(bytes) {
        Err(SegmentError::Broken(why)) => assert!(why.contains(part), "{why}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was mapped"),
    }
}

#[test]
fn a_new_file_has_every_block_and_comes_alone() {
    let folder = Folder::new();
    let path = folder.file("usage.seg");
    fs::write(folder.file("usage.seg.new"), "left by one that died").expect("there is room");
    Segment::create(&path, LEDGER, IDENTITY).expect("there is room");
    assert_eq!(folder.names(), ["usage.seg"]);
    let found = fs::metadata(&path).expect("it is there");
    assert_eq!((found.len(), found.mode() & 0o777), (layout::BYTES as u64, 0o600));
    // A mapped hole on a full disk would end the host by SIGBUS.
    assert!(found.blocks() * 512 >= found.len(), "{} blocks only", found.blocks());
    let segment = Segment::open(&path).expect("it is whole");
    assert_eq!((segment.ledger_id(), segment.identity_hash()), (LEDGER, IDENTITY));
    let again = Segment::create(&path, IDENTITY, LEDGER).expect_err("it is there already");
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    assert!(segment.is_at(&path), "the old one was left alone");
}

#[test]
fn counts_are_there_after_a_restart() {
    let folder = Folder::new();
    add(&fresh(&folder), 5);
    let segment = Segment::open(&folder.file("usage.seg")).expect("it is whole");
    assert!(segment.ready());
    assert_eq!(peek(&segment), 5);
    segment.sync().expect("the disk takes it");
}

#[test]
fn a_missing_file_is_told_from_a_broken_one() {
    let folder = Folder::new();
    let open = |name: &str| Segment::open(&folder.file(name)).err().expect("nothing to map");
    assert!(matches!(open("usage.seg"), SegmentError::Missing));
    fs::create_dir(folder.file("folder")).expect("there is room");
    assert!(matches!(open("folder"), SegmentError::Io(_)));
    std::os::unix::fs::symlink("elsewhere", folder.file("link")).expect("there is room");
    assert!(matches!(open("link"), SegmentError::Io(_)), "no link is followed");
    let nowhere = Segment::create(&folder.file("no/such/usage.seg"), LEDGER, IDENTITY);
    assert_eq!(nowhere.expect_err("no folder").kind(), io::ErrorKind::NotFound);
}

#[test]
fn short_long_and_foreign_files_are_broken() {
    // T02, T03
    let good = good();
    assert!(open(&good).is_ok());
    broken(&[], "0 bytes of 626688");
    for length in [1, 80, 4095, 4096, 8192, layout::BYTES - 1] {
        broken(&good[..length], &format!("{length} bytes"));
    }
    broken(&[good.as_slice(), b"x"].concat(), "626689 bytes");
    broken(&vec![0; layout::BYTES], "first bytes");
    broken(&b"SQLite format 3\0".repeat(layout::BYTES / 16), "first bytes");
}

#[test]
fn every_flipped_bit_of_the_first_page_is_noticed() {
    // T03
    let good: [u8; layout::CONTROL_BYTES] =
        layout::control(LEDGER, IDENTITY).try_into().expect("a page");
    let whose = |page: &[u8; layout::CONTROL_BYTES]| {
        layout::read_control(page).map(|owner| owner.ledger_id)
    };
    assert_eq!(whose(&good), Ok(LEDGER));
    for bit in 0..80 * 8 {
        let mut page = good;
        page[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(whose(&page), Err(layout::Unreadable::Broken(_))), "bit {bit}");
    }
}

#[test]
fn another_version_is_left_alone() {
    let mut bytes = good();
    bytes[8..16].copy_from_slice(&2_u64.to_ne_bytes());
    let check = u64::from(crc32fast::hash(&bytes[..72]));
    bytes[72..80].copy_from_slice(&check.to_ne_bytes());
    // Also where its size is another one.
    for bytes in [&bytes[..], &bytes[..8192]] {
        let error = open(bytes).err().expect("not ours");
        assert!(matches!(error, SegmentError::Version { found: 2 }), "{error}");
        assert!(error.to_string().contains("version 2") && error.to_string().contains("knows 1"));
    }
}

#[test]
fn a_file_that_was_replaced_or_cut_is_noticed() {
    let folder = Folder::new();
    let segment = fresh(&folder);
    let path = folder.file("usage.seg");
    assert!(segment.is_at(&path));
    let aside = folder.file("aside");
    fs::rename(&path, &aside).expect("ours");
    assert!(!segment.is_at(&path), "gone");
    Segment::create(&path, LEDGER, IDENTITY).expect("there is room");
    assert!(!segment.is_at(&path), "another one");
    assert!(segment.is_at(&aside));
    fs::OpenOptions::new().write(true).open(&aside).expect("ours").set_len(4096).expect("ours");
    assert!(!segment.is_at(&aside), "too short");
    assert!(!in_memory().is_at(&path));
}

#[test]
fn a_disk_without_room_gets_no_file() {
    // T04; a limit on the size of files stands for the full disk, and is the child's alone.
    let _turn = turn();
    let folder = Folder::new();
    let path = folder.file("usage.seg");
    for room in [0, 4096, 100_000, layout::BYTES as u64 - 1] {
        let refused = child(|| {
            let limit = libc::rlimit { rlim_cur: room, rlim_max: room };
            // SAFETY: the child's own limit and signal; it ends right after.
            unsafe {
                libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit);
            }
            let error = Segment::create(&path, LEDGER, IDENTITY).err();
            error.is_some_and(|e| e.raw_os_error() == Some(libc::EFBIG))
        });
        assert!(refused.good(), "{room} bytes of room");
        assert_eq!(folder.names(), [] as [&str; 0], "{room} bytes of room");
    }
}
