//! Broken texts and questions of all kinds at the same time: the server never dies, and what it answers is of the text
//! that it has. Here a sample goes over the protocol; the whole is asked of `kait-ide` directly.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::client::{Client, uri};

/// Every how many bytes a text is cut.
const STEP: usize = 97;

fn examples() -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "kait"))
        .map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    found.sort();
    assert!(found.len() > 3);
    found
}

/// A question of every kind about a place.
fn questions(file: &str, line: usize) -> Vec<(&'static str, Json)> {
    let document = json!({ "uri": file });
    let position = json!({ "line": line, "character": 7 });
    let at = json!({ "textDocument": document, "position": position });
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": position });
    let with = |name: &str, value: Json| {
        let mut params = at.clone();
        params[name] = value;
        params
    };
    let whole = json!({ "textDocument": document });
    vec![
        ("textDocument/hover", at.clone()),
        ("textDocument/definition", at.clone()),
        ("textDocument/typeDefinition", at.clone()),
        ("textDocument/references", with("context", json!({ "includeDeclaration": true }))),
        ("textDocument/documentHighlight", at.clone()),
        ("textDocument/prepareRename", at.clone()),
        ("textDocument/rename", with("newName", json!("other_name"))),
        ("textDocument/completion", at.clone()),
        ("textDocument/signatureHelp", at),
        ("textDocument/documentSymbol", whole.clone()),
        ("textDocument/semanticTokens/full", whole.clone()),
        ("textDocument/semanticTokens/range", json!({ "textDocument": document, "range": range })),
        ("textDocument/foldingRange", whole.clone()),
        (
            "textDocument/formatting",
            json!({ "textDocument": document, "options": { "tabSize": 2, "insertSpaces": true } }),
        ),
        ("textDocument/inlayHint", json!({ "textDocument": document, "range": range })),
        (
            "textDocument/codeAction",
            json!({ "textDocument": document, "range": range, "context": { "diagnostics": [] } }),
        ),
        ("textDocument/diagnostic", whole),
        ("workspace/symbol", json!({ "query": "a" })),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn prefixes_of_every_example_with_questions_of_all_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let literal = json!({ "codeActionKind": { "valueSet": ["quickfix"] } });
    let support =
        json!({ "textDocument": { "codeAction": { "codeActionLiteralSupport": literal } } });
    let mut client = Client::with(folder.path(), support).await;
    let mut refused = std::collections::BTreeMap::<i64, usize>::new();
    for (path, text) in examples() {
        let file = uri(&folder.path().join(path.file_name().unwrap()));
        client.open(&file, "").await;
        let mut version = 1;
        for end in (0..text.len()).step_by(STEP).filter(|end| text.is_char_boundary(*end)) {
            version += 1;
            client.replace(&file, version, &text[..end]).await;
            let line = text[..end].matches('\n').count();
            let mut waiting = Vec::new();
            for (method, params) in questions(&file, line.saturating_sub(version as usize % 2)) {
                waiting.push((method, client.begin(method, params).await));
            }
            // Every other time the next edit comes before the answers.
            if version % 2 == 0 {
                continue;
            }
            for (method, id) in waiting {
                let answer = client.answer(id).await;
                if let Some(error) = answer.get("error") {
                    let code = error["code"].as_i64().unwrap();
                    assert!([-32801, -32802, -32803].contains(&code), "{method}: {error}");
                    *refused.entry(code).or_default() += 1;
                }
            }
        }
        client.replace(&file, version + 1, &text).await;
        // After all of that the whole file has what is found in it by anybody.
        assert_eq!(client.findings(&file, version + 1).await, Vec::<Json>::new(), "{path:?}");
        for message in client.unread.drain(..) {
            if let Some(error) = message.get("error") {
                let code = error["code"].as_i64().unwrap();
                assert!([-32801, -32802, -32803].contains(&code), "{error}");
            }
        }
        let document = json!({ "textDocument": { "uri": file } });
        client.tell("textDocument/didClose", document).await;
    }
    // Names that cannot be renamed there; nothing was stale where no edit followed.
    assert!(refused.keys().all(|code| *code == -32803), "{refused:?}");
    client.finish().await;
}
