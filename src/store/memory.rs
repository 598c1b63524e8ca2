//! The index in memory: the tests' default, and what `store.url = "memory:"` means.

use std::collections::BTreeMap;

use super::{Store, StoreError, Table, Write};

/// An index that is rebuilt from the journal at each start.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    records: BTreeMap<(Table, String), Vec<u8>>,
}

impl Store for MemoryStore {
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.records.get(&(table, key.to_owned())).cloned())
    }

    fn scan(&self, table: Table, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        Ok(self
            .records
            .range((table, prefix.to_owned())..)
            .take_while(|((t, key), _)| *t == table && key.starts_with(prefix))
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect())
    }

    fn visit(
        &self,
        table: Table,
        show: &mut dyn FnMut(&str, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.records
            .range((table, String::new())..)
            .take_while(|((t, _), _)| *t == table)
            .try_for_each(|((_, key), value)| show(key, value))
    }

    fn commit(&mut self, writes: Vec<Write>) -> Result<(), StoreError> {
        for (table, key, value) in writes {
            match value {
                Some(value) => self.records.insert((table, key), value),
                None => self.records.remove(&(table, key)),
            };
        }
        Ok(())
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        self.records.clear();
        Ok(())
    }
}
