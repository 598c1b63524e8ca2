//! What every [`Store`] must do, run over each of them.

use proptest::prelude::*;

use super::{MemoryStore, SledStore, Store, Table, Write};

fn each(test: impl Fn(&mut dyn Store)) {
    test(&mut MemoryStore::default());
    let folder = tempfile::tempdir().unwrap();
    test(&mut SledStore::open(folder.path()).unwrap());
}

fn put(table: Table, key: &str, value: &str) -> Write {
    (table, key.to_owned(), Some(value.as_bytes().to_vec()))
}

#[test]
fn what_was_committed_is_found_and_nothing_else() {
    each(|store| {
        store
            .commit(vec![
                put(Table::Meta, "a", "1"),
                put(Table::Notices, "a", "2"),
            ])
            .unwrap();
        assert_eq!(
            store.get(Table::Meta, "a").unwrap().as_deref(),
            Some(&b"1"[..])
        );
        assert_eq!(
            store.get(Table::Notices, "a").unwrap().as_deref(),
            Some(&b"2"[..])
        );
        assert_eq!(store.get(Table::Reviews, "a").unwrap(), None);
        store
            .commit(vec![(Table::Meta, "a".to_owned(), None)])
            .unwrap();
        assert_eq!(store.get(Table::Meta, "a").unwrap(), None);
    });
}

#[test]
fn a_scan_gives_a_prefix_in_key_order() {
    each(|store| {
        let keys = ["b\u{0}2", "b\u{0}10", "a\u{0}1", "ba\u{0}1", "b"];
        store
            .commit(
                keys.iter()
                    .map(|key| put(Table::Versions, key, key))
                    .collect(),
            )
            .unwrap();
        let found: Vec<_> = store
            .scan(Table::Versions, "b\u{0}")
            .unwrap()
            .into_iter()
            .map(|(k, _)| k)
            .collect();
        assert_eq!(found, ["b\u{0}10", "b\u{0}2"]);
        assert_eq!(store.scan(Table::Versions, "").unwrap().len(), 5);
    });
}

#[test]
fn clear_leaves_nothing() {
    each(|store| {
        store.commit(vec![put(Table::Alerts, "x", "1")]).unwrap();
        store.clear().unwrap();
        assert!(
            Table::ALL
                .iter()
                .all(|table| store.scan(*table, "").unwrap().is_empty())
        );
    });
}

#[test]
fn the_embedded_store_keeps_its_records_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    SledStore::open(folder.path())
        .unwrap()
        .commit(vec![put(Table::Meta, "k", "v")])
        .unwrap();
    let again = SledStore::open(folder.path()).unwrap();
    assert_eq!(
        again.get(Table::Meta, "k").unwrap().as_deref(),
        Some(&b"v"[..])
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_embedded_store_does_what_the_memory_does(
        batches in prop::collection::vec(
            prop::collection::vec((0usize..8, "[ab]{0,3}", prop::option::of("[xy]{0,3}")), 0..6),
            0..8,
        )
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut embedded = SledStore::open(folder.path()).unwrap();
        let mut memory = MemoryStore::default();
        for batch in batches {
            let writes: Vec<Write> = batch
                .into_iter()
                .map(|(t, k, v)| (Table::ALL[t], k, v.map(String::into_bytes)))
                .collect();
            embedded.commit(writes.clone()).unwrap();
            memory.commit(writes).unwrap();
        }
        for table in Table::ALL {
            let scanned = embedded.scan(table, "").unwrap();
            let mut visited = Vec::new();
            embedded
                .visit(table, &mut |key, value| {
                    visited.push((key.to_owned(), value.to_vec()));
                    Ok(())
                })
                .unwrap();
            prop_assert_eq!(&visited, &scanned);
            prop_assert_eq!(scanned, memory.scan(table, "").unwrap());
        }
    }
}
