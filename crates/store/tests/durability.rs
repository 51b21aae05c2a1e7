//! The data file: it holds every kind of record, it is read back as it was, its form is pinned by
//! golden files, and what cannot be read is refused with a reason.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};

use common::{commit, filled, first, put_all, refusal, sample, text};
use expect_test::expect_file;
use model::gateway::Api;
use model::snapshot::{ForEachKind, for_each_kind};
use model::{ApiId, Record};
use rusqlite::Connection;
use store::{FORMAT_VERSION, Store, StoreError};

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("breezeway.db")
}

fn filled_file(path: &Path) -> Store {
    let store = Store::open(path).unwrap();
    commit(&store, |txn| put_all(txn, &sample())).unwrap();
    store
}

#[test]
fn the_sample_has_every_kind_of_record() {
    struct Count;
    impl ForEachKind for Count {
        type Error = &'static str;

        fn kind<R: Record>(&mut self) -> Result<(), &'static str> {
            if R::table(&sample()).is_empty() { Err(R::KIND) } else { Ok(()) }
        }
    }
    assert_eq!(for_each_kind(&mut Count), Ok(()), "add a line of this kind to the golden file");
}

/// The spelling of today. Until a release has written files, a new member of a record changes
/// the file in place (UPDATE_EXPECT=1); from then on a new spelling is a new version with a file
/// of its own, and old files go on being read.
#[test]
fn the_newest_golden_file_is_what_this_code_writes() {
    expect_file!["golden/v1.jsonl"].assert_eq(&text(&sample()));
    assert_eq!(FORMAT_VERSION, 1, "a new version needs a golden file of its own");
}

#[test]
fn every_golden_file_can_be_read() {
    for version in 1..=FORMAT_VERSION {
        let folder = tempfile::tempdir().unwrap();
        write_golden(&file(&folder), version);
        let store = Store::open(&file(&folder)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(text(&store.snapshot()), text(&sample()), "version {version}");
        assert_eq!(store.snapshot().revision, 7);
    }
}

/// Makes a data file as a version wrote it, without the help of this code.
fn write_golden(path: &Path, version: i64) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let lines = std::fs::read_to_string(golden.join(format!("v{version}.jsonl"))).unwrap();
    let database = Connection::open(path).unwrap();
    database
        .execute_batch(
            "CREATE TABLE records (kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
                 PRIMARY KEY (kind, key)) WITHOUT ROWID;
             CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
             INSERT INTO state VALUES ('revision', 7);",
        )
        .unwrap();
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let (kind, key) = (line["kind"].as_str(), line["key"].as_str());
        database
            .execute("INSERT INTO records VALUES (?, ?, ?)", (kind, key, line["body"].to_string()))
            .unwrap();
    }
    database.pragma_update(None, "user_version", version).unwrap();
}

#[test]
fn a_reopened_file_holds_every_record_and_the_revision() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled_file(&file(&folder));
    let (debug, before) = (format!("{:?}", store.snapshot()), text(&store.snapshot()));
    assert_eq!(before, text(&sample()));
    drop(store);
    let store = Store::open(&file(&folder)).unwrap();
    assert_eq!(text(&store.snapshot()), before);
    assert_eq!(format!("{:?}", store.snapshot()), debug);
    assert_eq!(store.snapshot().revision, 1);
    assert_eq!(store.subscribe().borrow().revision, 1);
    assert_eq!(commit(&store, |txn| txn.put(first::<Api>())).unwrap(), 2);
}

#[test]
fn changes_and_removals_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (ApiId::from("one"), ApiId::from("two"));
    let store = Store::open(&file(&folder)).unwrap();
    for id in [&one, &two] {
        let api = Api { id: id.clone(), ..first::<Api>() };
        commit(&store, |txn| txn.put(api)).unwrap();
    }
    commit(&store, |txn| {
        txn.remove::<Api>(&one);
        txn.update::<Api>(&two, |api| api.name = "renamed".into());
        // Removed and written again within one transaction: the last one holds.
        let api = Api { id: "three".into(), ..first::<Api>() };
        txn.put(api.clone());
        txn.remove::<Api>(&api.id);
        txn.put(Api { name: "again".into(), ..api });
    })
    .unwrap();
    drop(store);
    let state = Store::open(&file(&folder)).unwrap().snapshot();
    let names: Vec<_> = state.apis.iter().map(|api| (api.id.as_str(), &*api.name)).collect();
    assert_eq!(names, [("three", "again"), ("two", "renamed")]);
    assert_eq!(state.revision, 3);
}

#[test]
fn an_aborted_transaction_leaves_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled_file(&file(&folder));
    let _ = store.transact(|txn| {
        txn.put(Api { id: "new".into(), ..first::<Api>() });
        Err::<(), _>("no")
    });
    drop(store);
    assert_eq!(text(&Store::open(&file(&folder)).unwrap().snapshot()), text(&sample()));
}

#[test]
fn an_empty_file_and_an_ephemeral_store_start_at_revision_0() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&file(&folder)).unwrap();
    assert_eq!((store.snapshot().revision, text(&store.snapshot())), (0, String::new()));
    drop(store);
    assert_eq!(Store::open(&file(&folder)).unwrap().snapshot().revision, 0);
    assert_eq!(Store::ephemeral().snapshot().revision, 0);
}

/// Changes a data file behind the store's back, then shows why it is refused.
fn refused_after(sql: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    drop(filled_file(&file(&folder)));
    let database = Connection::open(file(&folder)).unwrap();
    database.execute_batch(sql).unwrap();
    drop(database);
    refusal(&file(&folder))
}

#[test]
fn what_cannot_be_read_names_itself() {
    let check = |sql: &str, expect: &[&str]| {
        let error = refused_after(sql);
        for part in expect {
            assert!(error.contains(part), "{error}");
        }
    };
    let next = FORMAT_VERSION + 1;
    check(
        &format!("PRAGMA user_version = {next}"),
        &["breezeway.db", &format!("format {next}"), &format!("up to {FORMAT_VERSION}")],
    );
    check(
        "UPDATE records SET body = '{\"scope\":1}' WHERE kind = 'vpcs'",
        &["vpcs/vpc-0a", "cannot be read", "invalid type"],
    );
    check(
        "UPDATE records SET body = replace(body, '\"name\":', '\"nom\":') WHERE kind = 'apis'",
        &["apis/sjzepsqsu5", "missing field `name`"],
    );
    check("UPDATE records SET body = 'half a' WHERE kind = 'roles'", &["roles/web"]);
    check("UPDATE records SET body = x'ff00' WHERE kind = 'roles'", &["breezeway.db"]);
    check("DROP TABLE records; CREATE TABLE records (a)", &["breezeway.db", "no such column"]);
    check(
        "UPDATE records SET key = 'other' WHERE kind = 'roles'",
        &["roles/other", "belongs under the key web"],
    );
    check(
        "INSERT INTO records VALUES ('gadgets', 'g', '{}')",
        &["gadgets/g", "kind that this version does not know"],
    );
}

#[test]
fn a_refused_file_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled_file(&file(&folder)));
    let database = Connection::open(file(&folder)).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    refusal(&file(&folder));
    let database = Connection::open(file(&folder)).unwrap();
    let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 99);
}

#[test]
fn what_is_no_data_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(file(&folder), "not a database, but longer than a header of one would be")
        .unwrap();
    assert!(refusal(&file(&folder)).contains("not a database"));
    let missing = folder.path().join("missing/breezeway.db");
    assert!(refusal(&missing).contains("missing/breezeway.db"));
}

#[test]
fn a_second_node_on_the_same_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for open in [|path: &Path| Store::open(path).unwrap(), filled_file] {
        let store = open(&file(&folder));
        let error = refusal(&file(&folder));
        assert!(error.contains("is in use by another node"), "{error}");
        assert!(error.contains("breezeway.db"), "{error}");
        commit(&store, |txn| put_all(txn, &sample())).unwrap();
    }
    assert_eq!(text(&Store::open(&file(&folder)).unwrap().snapshot()), text(&sample()));
}

#[test]
fn a_closed_store_lets_go_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled_file(&file(&folder));
    store.close();
    store.close();
    let next = Store::open(&file(&folder)).unwrap();
    assert_eq!(text(&next.snapshot()), text(&sample()));
    // Reads go on, writes are refused, nothing changes behind the successor's back.
    assert_eq!(text(&store.snapshot()), text(&sample()));
    let refused = commit(&store, |txn| txn.put(Api { id: "late".into(), ..first::<Api>() }));
    assert!(matches!(refused, Err(StoreError::Closed)));
    assert_eq!((store.reset(), store.is_ephemeral()), (None, false));
    assert_eq!(text(&store.snapshot()), text(&sample()));
    assert_eq!(commit(&next, |txn| txn.put(first::<Api>())).unwrap(), 2);
    let ephemeral = filled();
    ephemeral.close();
    assert_eq!(ephemeral.reset(), None);
    assert!(matches!(commit(&ephemeral, |txn| put_all(txn, &sample())), Err(StoreError::Closed)));
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let _store = filled_file(&file(&folder));
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?} holds secrets", entry.file_name());
    }
}

#[test]
fn a_failed_write_is_an_error_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    drop(filled_file(&path));
    let database = Connection::open(&path).unwrap();
    database
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON records WHEN NEW.key = 'b'
             BEGIN SELECT RAISE(ABORT, 'no space left'); END",
        )
        .unwrap();
    drop(database);
    let store = Store::open(&path).unwrap();
    let mut seen = store.subscribe();
    seen.mark_unchanged();
    let error = commit(&store, |txn| {
        txn.put(Api { id: "a".into(), ..first::<Api>() });
        txn.put(Api { id: "b".into(), ..first::<Api>() });
    });
    assert!(error.unwrap_err().to_string().contains("no space left"));
    assert!(!seen.has_changed().unwrap());
    assert_eq!(text(&store.snapshot()), text(&sample()));
    commit(&store, |txn| txn.put(Api { id: "c".into(), ..first::<Api>() })).unwrap();
    drop(store);
    let state = Store::open(&path).unwrap().snapshot();
    let ids: Vec<_> = state.apis.iter().map(|api| api.id.as_str()).collect();
    assert_eq!(ids, ["c", "sjzepsqsu5"]);
    assert_eq!(filled().snapshot().apis.len(), 1);
}
