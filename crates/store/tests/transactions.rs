//! Transactions and publication: all or nothing, one revision per change, readers never wait.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{commit, filled, first, sample, text};
use model::gateway::{Api, Route};
use model::{ApiId, Snapshot};
use store::{Aborted, Store, StoreError, Txn};

fn api(id: &str) -> Api {
    Api { id: ApiId::from(id), ..first::<Api>() }
}

fn ids(state: &Snapshot) -> Vec<String> {
    state.apis.iter().map(|api| api.id.to_string()).collect()
}

#[test]
fn a_commit_makes_one_revision_that_holds_its_effect() {
    let store = Store::ephemeral();
    assert_eq!(store.snapshot().revision, 0);
    let done = store.transact(|txn| {
        txn.put(api("a"));
        txn.put(api("b"));
        Ok::<_, ()>(txn.apis.len())
    });
    let done = done.unwrap();
    assert_eq!((done.value, done.revision), (2, 1));
    assert_eq!(store.snapshot().revision, 1);
    assert_eq!(ids(&store.snapshot()), ["a", "b"]);
}

#[test]
fn a_refused_operation_changes_nothing() {
    let store = filled();
    let before = text(&store.snapshot());
    let aborted = store.transact(|txn| {
        txn.put(api("new"));
        txn.remove::<Route>(&model::Record::key(&first::<Route>()));
        Err::<(), _>("no")
    });
    assert!(matches!(aborted, Err(Aborted::Operation("no"))));
    assert_eq!(text(&store.snapshot()), before);
    assert_eq!(store.snapshot().revision, 1);
}

#[test]
fn a_failed_commit_changes_nothing() {
    let store = filled();
    let before = text(&store.snapshot());
    let orphan = Route { api: ApiId::from("nowhere"), ..first::<Route>() };
    let error = commit(&store, |txn| {
        txn.put(api("new"));
        txn.put(orphan);
    });
    assert!(error.unwrap_err().to_string().contains("route-has-api"));
    assert_eq!(text(&store.snapshot()), before);
    assert_eq!(store.snapshot().revision, 1);
}

#[test]
fn a_panicking_operation_changes_nothing_and_blocks_nobody() {
    let store = filled();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = store.transact::<(), ()>(|txn| {
            txn.put(api("new"));
            panic!("a defect");
        });
    }));
    assert!(panicked.is_err());
    assert!(!store.snapshot().apis.contains(&ApiId::from("new")));
    assert_eq!(commit(&store, |txn| txn.put(api("next"))).unwrap(), 2);
}

#[test]
fn what_changes_nothing_makes_no_revision() {
    let store = filled();
    let check = |what: &str, change: fn(&mut Txn)| {
        assert_eq!(commit(&store, change).unwrap(), 1, "{what}");
        assert_eq!(store.snapshot().revision, 1, "{what}");
    };
    check("nothing", |_| {});
    check("a read", |txn| assert!(txn.get::<Api>(&ApiId::from("sjzepsqsu5")).is_some()));
    check("an update of nothing", |txn| {
        assert!(!txn.update::<Api>(&ApiId::from("none"), |_| unreachable!()));
    });
    check("a removal of nothing", |txn| assert!(!txn.remove::<Api>(&ApiId::from("none"))));
}

#[test]
fn a_transaction_sees_its_own_changes_and_others_do_not() {
    let store = filled();
    let key = ApiId::from("sjzepsqsu5");
    commit(&store, |txn| {
        assert!(txn.update::<Api>(&key, |api| api.name = "renamed".into()));
        assert_eq!(txn.apis.get(&key).unwrap().name, "renamed");
        assert_ne!(store.snapshot().apis.get(&key).unwrap().name, "renamed");
        txn.put(api("temporary"));
        assert!(txn.remove::<Api>(&ApiId::from("temporary")));
        assert!(txn.get::<Api>(&ApiId::from("temporary")).is_none());
    })
    .unwrap();
    assert_eq!(store.snapshot().apis.get(&key).unwrap().name, "renamed");
    assert_eq!(ids(&store.snapshot()), ["sjzepsqsu5"]);
}

#[test]
fn an_old_snapshot_stays_as_it_was() {
    let store = filled();
    let old = store.snapshot();
    commit(&store, |txn| txn.put(api("new"))).unwrap();
    assert_eq!((old.revision, text(&old)), (1, text(&sample())));
    assert_eq!(store.snapshot().apis.len(), 2);
}

#[test]
fn every_commit_is_published() {
    let store = Store::ephemeral();
    let mut seen = store.subscribe();
    assert_eq!(seen.borrow_and_update().revision, 0);
    for revision in 1..=3 {
        commit(&store, |txn| txn.put(api("a"))).unwrap();
        assert!(seen.has_changed().unwrap());
        let published = Arc::clone(&seen.borrow_and_update());
        assert_eq!(published.revision, revision);
        assert!(Arc::ptr_eq(&published, &store.snapshot()));
    }
    commit(&store, |_| {}).unwrap();
    assert!(!seen.has_changed().unwrap(), "nothing changed, nothing is published");
    let late = store.subscribe();
    assert_eq!(late.borrow().revision, 3);
}

#[test]
fn writers_take_turns() {
    const THREADS: u64 = 4;
    const WRITES: u64 = 50;
    let store = Store::ephemeral();
    commit(&store, |txn| txn.put(Api { tags: [].into(), ..api("a") })).unwrap();
    let inside = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..WRITES {
                    commit(&store, |txn| {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        txn.update::<Api>(&ApiId::from("a"), |api| {
                            let count: u64 = api.tags.get("n").map_or(0, |n| n.parse().unwrap());
                            api.tags.insert("n".into(), (count + 1).to_string());
                        });
                        inside.fetch_sub(1, Ordering::SeqCst);
                    })
                    .unwrap();
                }
            });
        }
    });
    let state = store.snapshot();
    assert_eq!(state.revision, 1 + THREADS * WRITES);
    assert_eq!(
        state.apis.get(&ApiId::from("a")).unwrap().tags["n"],
        (THREADS * WRITES).to_string()
    );
}

#[test]
fn a_reset_forgets_everything_and_counts_on() {
    let store = filled();
    let mut seen = store.subscribe();
    seen.mark_unchanged();
    assert_eq!(store.reset(), Some(2));
    assert_eq!(text(&store.snapshot()), "");
    assert_eq!(seen.borrow_and_update().revision, 2);
    assert_eq!(commit(&store, |txn| txn.put(api("a"))).unwrap(), 3);
    assert!(store.is_ephemeral());
}

#[test]
fn a_durable_store_is_never_reset() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("breezeway.db")).unwrap();
    commit(&store, |txn| txn.put(api("a"))).unwrap();
    assert_eq!(store.reset(), None);
    assert_eq!(ids(&store.snapshot()), ["a"]);
    assert!(!store.is_ephemeral());
}

#[test]
fn a_closed_store_lets_go_of_its_file_and_refuses_commits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("breezeway.db");
    let store = Store::open(&path).unwrap();
    commit(&store, |txn| txn.put(api("a"))).unwrap();
    store.close();
    let refused = commit(&store, |txn| txn.put(api("b"))).unwrap_err();
    assert!(matches!(refused, StoreError::Closed), "{refused:?}");
    assert_eq!(ids(&store.snapshot()), ["a"]);
    let next = Store::open(&path).unwrap();
    assert_eq!(ids(&next.snapshot()), ["a"]);
}
