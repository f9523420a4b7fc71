//! `mpguard ledger` on directories made by hand.

use rusqlite::Connection;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

const SCHEMA: &str = include_str!("../../core/src/adapter/sqlite_ledger/schema_1.sql");
const ROWS: &str = r#"
    PRAGMA application_id = 1836083020; PRAGMA user_version = 1;
    INSERT INTO meta VALUES (1, 'abc123', '3xmpl', 'arn:aws:ecs:task/7', 'ecs', 'us-east-1', 1764000000000);
    INSERT INTO state VALUES (1, 3, 17, 1764010000000, 2, 2, 1);
    INSERT INTO series VALUES (0, 'requests', '{}'), (1, 'requests', '{"team":"a"}');
    INSERT INTO captures VALUES (1, 490000, 0, 1764000000000), (2, 490001, 0, 1764003600000);
    INSERT INTO counts VALUES (1, 0, 'requests', 40), (1, 1, 'requests', 2), (2, 0, 'requests', 8);
    INSERT INTO records (id, dimension, hour, timestamp, units, digits, client_token, allocations, frozen_at,
        attempts, last_error, fate, why, record_id, request_id, settled_at) VALUES
        (1, 'requests', 490000, 1764003599000, 42, 0, 'ct-1', '[]', 1764003600000, 1, 'throttled', 'carried',
         'its window has closed', NULL, NULL, 1764003700000),
        (2, 'requests', 490001, 1764007199000, 42, 0, 'ct-2', '[]', 1764007200000, 0, NULL, 'recorded', NULL,
         'mr-77', 'rq-5', 1764007300000),
        (3, 'requests', 490002, 1764007199000, 800, 2, 'ct-3', '[]', 1764007200000, 2, 'timeout', 'disputed',
         'window closed, "in doubt"', NULL, NULL, 1764007300000);
    INSERT INTO parts VALUES (1, 490000, 0, 40), (1, 490000, 1, 2), (2, 490000, 0, 40), (2, 490000, 1, 2),
        (3, 490001, 0, 8);
    INSERT INTO totals VALUES ('requests', 50, 42, 8, 0, 0);
"#;

struct State(PathBuf);

impl State {
    /// A state directory with the ledger of one identity, and `more` done to it.
    fn new(more: &str) -> State {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mpguard-cli-{}-{number}", std::process::id());
        let state = State(std::env::temp_dir().join(name));
        fs::create_dir_all(state.identity()).expect("a place for temporary files");
        let conn = Connection::open(state.ledger()).expect("a new database");
        conn.execute_batch(&format!("{SCHEMA}{ROWS}{more}")).expect("rows that fit");
        state
    }

    fn identity(&self) -> PathBuf {
        self.0.join("mpg1-00ff")
    }

    fn ledger(&self) -> PathBuf {
        self.identity().join("ledger.db")
    }

    /// Runs a verb and checks that it changed nothing.
    fn run(&self, arguments: &[&str], dir: &Path) -> (i32, String) {
        let before = content(&self.identity());
        let output = Command::new(env!("CARGO_BIN_EXE_mpguard"))
            .arg("ledger")
            .args(arguments)
            .arg(dir)
            .output()
            .expect("the command runs");
        assert_eq!(
            content(&self.identity()),
            before,
            "`ledger {arguments:?}` changed the directory"
        );
        let text = [output.stdout, output.stderr].concat();
        let code = output.status.code().expect("it ends by itself");
        (code, String::from_utf8(text).expect("UTF-8"))
    }

    fn verify(&self) -> (i32, String) {
        self.run(&["verify"], &self.0)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn content(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(dir).expect("listed").map(|entry| entry.expect("named").path());
    files.map(|path| (path.clone(), fs::read(path).expect("readable"))).collect()
}

#[test]
fn show_says_who_how_much_and_what_became_of_it() {
    let state = State::new("");
    for dir in [&state.0, &state.identity()] {
        let (code, text) = state.run(&["show"], dir);
        assert_eq!(code, 0, "{text}");
        for part in [
            "arn:aws:ecs:task/7 (ecs, us-east-1)",
            "3 kept, 0 without a fate",
            "mr-77",
            "rq-5",
            "carried to record 2",
            "holds counts of 2025-11-24T16:00",
            "disputed: 1 records",
        ] {
            assert!(text.contains(part), "`{part}` is missing in\n{text}");
        }
        let account = text.lines().find(|line| line.trim_start().starts_with("requests"));
        let cells: Vec<&str> = account.expect("one account").split_whitespace().collect();
        assert_eq!(cells, ["requests", "50", "0", "42", "8", "0", "0", "ok"]);
    }
}

#[test]
fn export_gives_every_row_as_json_and_records_as_csv() {
    let state = State::new("");
    let (code, text) = state.run(&["export"], &state.0);
    assert_eq!(code, 0, "{text}");
    let rows: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    // meta, state, 2 series, 2 captures, 3 counts, 3 records, 5 parts, 1 total
    assert_eq!(rows.len(), 18, "{text}");
    let record = rows.iter().find(|row| row["record_id"] == "mr-77").expect("record 2");
    assert_eq!(record["table"], "records");
    assert_eq!(record["hour_utc"], "2025-11-24T17:00:00Z");
    let tagged = rows.iter().find(|row| row["table"] == "series" && row["id"] == 1);
    assert_eq!(tagged.expect("series 1")["tags"]["team"], "a");

    let (code, text) = state.run(&["export", "--csv"], &state.0);
    assert_eq!(code, 0, "{text}");
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 5, "a head, three records, the end:\n{text}");
    assert!(lines[0].starts_with("ledger_id,product_code,identity,id,"));
    assert!(
        lines[3].contains(",8,8,2025-11-24T17:00,,disputed,\"window closed, \"\"in doubt\"\"\",")
    );
}

#[test]
fn a_sound_directory_verifies_also_with_a_hot_journal() {
    let state = State::new("");
    let (code, text) = state.verify();
    assert_eq!((code, text.trim_end().ends_with(": ok")), (0, true), "{text}");
    // A writer that died inside a transaction: pages are half new, and the journal takes them back.
    let conn = Connection::open(state.ledger()).expect("opens");
    conn.execute_batch(
        "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE; UPDATE totals SET added = 51;
         WITH RECURSIVE n (x) AS (SELECT 10 UNION ALL SELECT x + 1 FROM n WHERE x < 5000)
         INSERT INTO series SELECT x, 'requests', hex(randomblob(100)) FROM n;",
    )
    .expect("in a transaction");
    let torn = content(&state.identity());
    drop(conn);
    for (path, bytes) in &torn {
        fs::write(path, bytes).expect("as the dead left it");
    }
    assert_eq!(torn.len(), 2, "no journal: {:?}", torn.keys());
    let (code, text) = state.verify();
    assert_eq!(code, 0, "{text}");
}

#[test]
fn each_wrong_row_is_a_finding() {
    let check = |more: &str, part: &str| {
        let (code, text) = State::new(more).verify();
        assert_eq!(code, 1, "{more}: {text}");
        assert!(
            text.contains(part) && text.contains("ledger.db: "),
            "`{part}` is missing in\n{text}"
        );
    };
    check("UPDATE totals SET added = 51;", "does not balance");
    check("UPDATE counts SET raw = 9 WHERE sequence = 2;", "rows add up to 51");
    check("UPDATE records SET hour = 490001 WHERE id = 3;", "records 2,3 are all of dimension");
    check(
        "PRAGMA foreign_keys = OFF; INSERT INTO parts VALUES (9, 490000, 0, 0);",
        "that is not there",
    );
    check("UPDATE series SET tags = 'nonsense';", "make no sense");
    check("PRAGMA user_version = 7;", "a newer mpguard wrote it (version 7)");
}

/// T02, T03
#[test]
fn damaged_files_are_findings_and_not_crashes() {
    let state = State::new("");
    let whole = fs::read(state.ledger()).expect("readable");
    let damage = |bytes: &[u8], part: &str| {
        fs::write(state.ledger(), bytes).expect("writable");
        let (code, text) = state.verify();
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(part), "`{part}` is missing in\n{text}");
    };
    damage(b"", "it is empty");
    damage(&whole[..whole.len() - 100], "ledger.db");
    damage(&whole[..50], "malformed");
    damage(&[b'x'; 8192], "not a database");
    let mut flipped = whole.clone();
    flipped[4096 * 3 + 1] ^= 0xff;
    damage(&flipped, "ledger.db");
    let (code, text) = state.run(&["show"], &state.0);
    assert_eq!(code, 2, "{text}");
}

#[test]
fn the_head_of_the_counters_is_checked() {
    let state = State::new("");
    let counters = state.identity().join("usage.seg");
    let magic = u64::from_be_bytes(*b"mpguardu").to_ne_bytes();
    let file = |version: u64, size: usize| {
        let mut bytes = [magic, version.to_ne_bytes()].concat();
        bytes.resize(size, 0);
        bytes
    };
    let verify = |bytes: &[u8]| {
        fs::write(&counters, bytes).expect("writable");
        state.verify()
    };
    assert_eq!(verify(&file(1, 626_688)).0, 0);
    for (bytes, part) in [
        (file(1, 4096), "it has 4096 bytes"),
        (file(9, 626_688), "version 9"),
        (vec![0; 626_688], "do not begin as counters do"),
        (Vec::new(), "its 0 bytes"),
    ] {
        let (code, text) = verify(&bytes);
        assert!(code == 1 && text.contains(part), "`{part}` is missing in {text}");
    }
}

#[test]
fn a_directory_without_a_ledger_cannot_be_read() {
    let state = State::new("");
    let (code, text) = state.run(&["verify"], &state.0.join("nowhere"));
    assert!(code == 2 && text.contains("nowhere"), "{text}");
    let empty = state.0.join("empty");
    fs::create_dir(&empty).expect("made");
    let (code, text) = state.run(&["show"], &empty);
    assert!(code == 2 && text.contains("no ledger in"), "{text}");
}

/// What a living process holds; its check was made by another program.
const HELD: &str = r#"{"format":"mpguard holdings 1","check":"6e48e9cb8c77316767a3a7bbc977d5fe044d7227de58cc42b98f5aa95502aa6a","body":{"id":"00112233445566778899aabbccddeeff","holdings":{"leases":[{"entitlement":"seat","unit":"Count","count":3,"asking":null,"given":{"token":"secret-token","expires":1764010000000,"extended":null}},{"entitlement":"seat","unit":"Count","count":1,"asking":{"client_token":"ct-8","begun":1764000000000},"given":null}],"units":{"credits":{"drawn":100,"booked":70,"in_hand":[{"client_token":"ct-9","quantity":50,"begun":1764000000000,"in_doubt":true,"before":null}],"disputes":[{"client_token":"ct-10","quantity":20,"begun":1764003600000,"why":"no answer"}]}},"absorbed":["ffeeddccbbaa99887766554433221100"]}}}"#;
/// A dead one's, which is in the other already.
const TAKEN: &str = r#"{"format":"mpguard holdings 1","check":"54f92a4bfef240693967c8d6bdc2936b6628616a37e9c2e9068cc0eb641ada6d","body":{"id":"ffeeddccbbaa99887766554433221100","holdings":{"leases":[{"entitlement":"seat","unit":"Count","count":3,"asking":null,"given":{"token":"secret-token","expires":1764010000000,"extended":null}},{"entitlement":"seat","unit":"Count","count":1,"asking":{"client_token":"ct-8","begun":1764000000000},"given":null}],"units":{},"absorbed":[]}}}"#;

#[test]
fn seats_and_prepaid_units_are_shown_each_once() {
    let state = State::new("");
    fs::write(state.identity().join("holdings-0.json"), format!("{HELD}\n")).expect("writable");
    fs::write(state.identity().join("holdings-3.json"), format!("{TAKEN}\n")).expect("writable");
    let (code, text) = state.run(&["show"], &state.0);
    assert_eq!(code, 0, "{text}");
    let cells = |first: &str, second: &str| -> Vec<Vec<String>> {
        let lines = text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect());
        lines
            .filter(|cells: &Vec<String>| {
                cells.len() > 1 && cells[0] == first && cells[1] == second
            })
            .collect()
    };
    let until = ["seat", "3", "held", "until", "2025-11-24T18:46:40Z", "holdings-0.json"];
    assert_eq!(cells("seat", "3"), [until], "{text}");
    assert!(text.contains("asked for") && !text.contains("holdings-3.json"), "{text}");
    let units = ["credits", "100", "70", "30", "50", "20", "holdings-0.json"];
    assert_eq!(cells("credits", "100"), [units], "{text}");
    let dispute = ["credits", "20", "2025-11-24T17:00:00Z", "ct-10", "no", "answer"];
    assert_eq!(cells("credits", "20"), [dispute], "{text}");
    assert!(!text.contains("secret-token"), "{text}");

    let (code, text) = state.run(&["export"], &state.0);
    assert_eq!(code, 0, "{text}");
    let rows: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |table: &str| rows.iter().filter(|row| row["table"] == table).collect::<Vec<_>>();
    assert_eq!((of("seats").len(), of("units").len(), of("disputes").len()), (2, 1, 1), "{text}");
    assert_eq!(of("units")[0]["left"], 30);
    assert_eq!(of("disputes")[0]["client_token"], "ct-10");
    assert_eq!(of("disputes")[0]["begun_utc"], "2025-11-24T17:00:00Z");
    assert!(!text.contains("secret-token"), "{text}");
    let (code, text) = state.verify();
    assert_eq!(code, 0, "{text}");
}

#[test]
fn broken_holdings_are_findings_and_hide_nothing_else() {
    let state = State::new("");
    fs::write(state.identity().join("holdings-0.json"), format!("{HELD}\n")).expect("writable");
    let broken = state.identity().join("holdings-1.json");
    for (content, part) in [
        (String::new(), "it is empty"),
        (format!("{}\n", HELD.replace("\"count\":3", "\"count\":9")), "its checksum does not fit"),
        (HELD[..200].to_owned(), "it is not whole"),
        ("{}".to_owned(), "does not begin"),
        (format!("{}\n", HELD.replace("holdings 1", "holdings 2")), "a newer mpguard wrote it"),
    ] {
        fs::write(&broken, content).expect("writable");
        let (code, text) = state.verify();
        assert!(code == 1 && text.contains(part), "`{part}` is missing in {text}");
        assert!(text.contains("holdings-1.json: "), "{text}");
        let (_, text) = state.run(&["show"], &state.0);
        assert!(text.contains(part) && text.contains("credits"), "`{part}` is missing in {text}");
    }
    fs::remove_file(&broken).expect("there");
    fs::write(state.identity().join("license.json"), "{}").expect("writable");
    let (code, text) = state.verify();
    assert!(code == 1 && text.contains("license.json: "), "{text}");
}
