//! The embedded index. sled's own flush leaves the last step to the operating system, which
//! survives a killed process; a power cut can at worst cost the index, never the journal it is
//! rebuilt from.

use std::path::{Path, PathBuf};

use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional as _};

use super::{Store, StoreError, Table, Write};

/// An index in a folder.
#[derive(Debug)]
pub struct SledStore {
    path: PathBuf,
    trees: Vec<(Table, sled::Tree)>,
    db: sled::Db,
}

impl SledStore {
    /// Opens or makes the index in a folder.
    ///
    /// # Errors
    /// When the folder cannot be used, the index is damaged, or another process holds it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let error = |error: sled::Error| index_error(path, &error);
        let db = sled::Config::new()
            .path(path)
            .cache_capacity(16 << 20)
            .flush_every_ms(None)
            .open()
            .map_err(error)?;
        let trees = Table::ALL
            .iter()
            .map(|table| Ok((*table, db.open_tree(table.name())?)))
            .collect::<Result<_, sled::Error>>()
            .map_err(error)?;
        Ok(Self {
            path: path.to_owned(),
            trees,
            db,
        })
    }

    fn tree(&self, table: Table) -> Result<&sled::Tree, StoreError> {
        self.trees
            .iter()
            .find(|(t, _)| *t == table)
            .map(|(_, tree)| tree)
            .ok_or_else(|| StoreError::Index {
                path: self.path.clone(),
                detail: "a table is missing".to_owned(),
            })
    }

    fn error(&self, error: &sled::Error) -> StoreError {
        index_error(&self.path, error)
    }
}

fn index_error(path: &Path, error: &sled::Error) -> StoreError {
    StoreError::Index {
        path: path.to_owned(),
        detail: error.to_string(),
    }
}

impl Store for SledStore {
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.tree(table)?.get(key).map_err(|e| self.error(&e))?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn scan(&self, table: Table, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.tree(table)?
            .scan_prefix(prefix)
            .map(|pair| {
                let (key, value) = pair.map_err(|e| self.error(&e))?;
                Ok((String::from_utf8_lossy(&key).into_owned(), value.to_vec()))
            })
            .collect()
    }

    fn visit(
        &self,
        table: Table,
        show: &mut dyn FnMut(&str, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for pair in self.tree(table)?.iter() {
            let (key, value) = pair.map_err(|e| self.error(&e))?;
            show(&String::from_utf8_lossy(&key), &value)?;
        }
        Ok(())
    }

    fn commit(&mut self, writes: Vec<Write>) -> Result<(), StoreError> {
        let trees: Vec<sled::Tree> = self.trees.iter().map(|(_, tree)| tree.clone()).collect();
        let position = |table: Table| {
            self.trees
                .iter()
                .position(|(t, _)| *t == table)
                .unwrap_or_default()
        };
        let done = trees.as_slice().transaction(|trees| {
            for (table, key, value) in &writes {
                let Some(tree) = trees.get(position(*table)) else {
                    continue;
                };
                match value {
                    Some(value) => tree.insert(key.as_bytes(), value.as_slice())?,
                    None => tree.remove(key.as_bytes())?,
                };
            }
            Ok::<(), ConflictableTransactionError<()>>(())
        });
        match done {
            Ok(()) | Err(TransactionError::Abort(())) => {}
            Err(TransactionError::Storage(error)) => return Err(self.error(&error)),
        }
        self.db.flush().map_err(|e| self.error(&e))?;
        Ok(())
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        for (_, tree) in &self.trees {
            tree.clear().map_err(|e| self.error(&e))?;
        }
        self.db.flush().map_err(|e| self.error(&e))?;
        Ok(())
    }
}
