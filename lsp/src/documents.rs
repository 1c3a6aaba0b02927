//! The texts that the client has open.

use std::path::PathBuf;
use std::sync::Arc;

use kait_syntax::LineIndex;
use rustc_hash::FxHashMap;
use tower_lsp::ls_types::{TextDocumentContentChangeEvent, Uri};

use crate::positions::Encoding;

/// An open text in one version.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// How the client calls it.
    pub uri: Uri,
    /// The client's number of this text.
    pub version: i32,
    /// The text.
    pub text: Arc<str>,
}

/// Open texts by path; what is no file has a path that no file has.
pub(crate) type Documents = FxHashMap<PathBuf, Arc<Document>>;

/// Where texts are that were never saved. No file can be there.
const UNSAVED: &str = "/\u{1}unsaved";

/// The path of a URI.
pub(crate) fn path_of(uri: &Uri) -> PathBuf {
    if uri.scheme().as_str().eq_ignore_ascii_case("file")
        && let Some(path) = uri.to_file_path()
    {
        return path.into_owned();
    }
    let name: String = uri.as_str().chars().map(|c| if c == '/' { '_' } else { c }).collect();
    PathBuf::from(UNSAVED).join(name)
}

/// Whether a path is of a text that was never saved.
pub(crate) fn is_unsaved(path: &std::path::Path) -> bool {
    path.starts_with(UNSAVED)
}

/// A text after changes, each relative to the text after the one before it.
pub(crate) fn changed(
    text: &str,
    changes: &[TextDocumentContentChangeEvent],
    encoding: Encoding,
) -> String {
    let mut text = text.to_owned();
    for change in changes {
        let Some(range) = change.range else {
            text.clone_from(&change.text);
            continue;
        };
        let lines = LineIndex::new(&text);
        let start = encoding.offset(&text, &lines, range.start) as usize;
        let end = encoding.offset(&text, &lines, range.end) as usize;
        text.replace_range(start.min(end)..end.max(start), &change.text);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use tower_lsp::ls_types::{Position, Range};

    use super::*;

    fn change(range: Option<(u32, u32, u32, u32)>, text: &str) -> TextDocumentContentChangeEvent {
        let range = range.map(|(a, b, c, d)| Range::new(Position::new(a, b), Position::new(c, d)));
        TextDocumentContentChangeEvent { range, range_length: None, text: text.to_owned() }
    }

    #[test]
    fn changes_build_on_each_other() {
        let changes = [
            change(Some((0, 1, 0, 1)), "b"),
            change(Some((0, 2, 1, 0)), "\n\n"),
            change(Some((9, 9, 9, 9)), "end"),
        ];
        assert_eq!(changed("ac\nd", &changes, Encoding::Utf16), "ab\n\ndend");
        let changes = [change(Some((0, 0, 0, 1)), "x"), change(None, "new")];
        assert_eq!(changed("ac", &changes, Encoding::Utf8), "new");
        // Turned around: what a confused client may send.
        assert_eq!(changed("abc", &[change(Some((0, 2, 0, 1)), "")], Encoding::Utf8), "ac");
        assert_eq!(changed("a😀c", &[change(Some((0, 1, 0, 3)), "")], Encoding::Utf16), "ac");
    }

    #[test]
    fn paths_of_files_and_of_others() {
        let path = |text: &str| path_of(&Uri::from_str(text).unwrap());
        assert_eq!(path("file:///a/b%20c.kait"), PathBuf::from("/a/b c.kait"));
        assert!(is_unsaved(&path("untitled:Untitled-1")));
        assert_ne!(path("untitled:a/b"), path("untitled:a/c"));
        assert!(!is_unsaved(&path("file:///a.kait")));
    }
}
