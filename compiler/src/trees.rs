//! Trees of texts without mistakes, and modules made from locks: what reading the same texts takes over after an edit.

use std::sync::Arc;

use kait_syntax::{SyntaxError, SyntaxTree, parse_edited, parse_shared};
use rustc_hash::FxHashMap;

use crate::names::Pins;
use crate::sources::Files;

/// The last tree without a mistake of each file, by path: also while the text is being written, and broken.
#[derive(Debug, Default)]
pub(crate) struct Trees {
    known: FxHashMap<String, Arc<SyntaxTree>>,
    pins: Pins,
}

impl Trees {
    /// The tree of a file, and its mistakes.
    pub(crate) fn parse(
        &mut self,
        path: &str,
        text: Arc<str>,
    ) -> (Arc<SyntaxTree>, Vec<SyntaxError>) {
        let known = self.known.get(path);
        if let Some(same) = known.filter(|tree| tree.text() == &*text) {
            return (Arc::clone(same), Vec::new());
        }
        let parse = match known {
            Some(before) => parse_edited(before, text),
            None => parse_shared(text),
        };
        let tree = Arc::new(parse.tree);
        if parse.errors.is_empty() {
            self.known.insert(path.to_owned(), Arc::clone(&tree));
        }
        (tree, parse.errors)
    }

    /// The modules that are made from locks.
    pub(crate) fn pins(&mut self) -> &mut Pins {
        &mut self.pins
    }

    /// Forgets the files that are not read any more.
    pub(crate) fn keep_only(&mut self, files: &Files) {
        self.known.retain(|path, _| files.find(path).is_some());
        self.pins.keep_only(|path| files.find(path).is_some());
    }
}
