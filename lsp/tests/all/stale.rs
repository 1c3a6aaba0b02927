//! Answers belong to the text that the client has: what is out of date is never sent.

use serde_json::{Value as Json, json};

use crate::client::{Client, place, uri};

/// A program of many functions that takes a while.
fn large(functions: usize) -> String {
    let mut text = String::new();
    for n in 0..functions {
        text.push_str(&format!("fn f{n}(a: int) -> int {{\n  let b{n} = a + {n}\n  b{n}\n}}\n\n"));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_makes_answers_under_way_stale() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("a.kait"));
    let mut client = Client::ready(folder.path()).await;
    let body = large(500);
    client.open(&file, &format!("fn g0() -> int {{\n  1\n}}\n\n{body}")).await;
    let mut modified = 0;
    for round in 1..=30 {
        let params = json!({ "textDocument": { "uri": file } });
        let id = client.begin("textDocument/documentSymbol", params.clone()).await;
        // At once, before it can be answered.
        let text = format!("fn g{round}() -> int {{\n  1\n}}\n\n{body}");
        client.replace(&file, round + 1, &text).await;
        let after = client.begin("textDocument/documentSymbol", params).await;
        let before = client.answer(id).await;
        match before.get("error") {
            Some(error) => {
                assert_eq!(error["code"], -32801, "{error}");
                modified += 1;
            }
            // It was faster than the edit: then it is of the text before.
            None => assert_eq!(before["result"][0]["name"], format!("g{}", round - 1)),
        }
        // Nothing comes after that one, so it must be answered, and for the new text.
        let after = client.answer(after).await;
        assert_eq!(after["result"][0]["name"], format!("g{round}"), "{:?}", after.get("error"));
    }
    assert!(modified > 0, "no answer was ever overtaken: the test shows nothing");
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_arrive_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("a.kait"));
    let mut client = Client::ready(folder.path()).await;
    let first = "fn f() -> text {\n  \"\"\n}\n";
    client.open(&file, first).await;
    let mut typed = String::new();
    for n in 0..1000 {
        let letter = char::from(b'a' + u8::try_from(n % 26).unwrap());
        let at = json!({ "line": 0, "character": 4 + n });
        let change = json!([{ "range": { "start": at, "end": at }, "text": letter.to_string() }]);
        client.change(&file, n + 2, change).await;
        typed.push(letter);
        if n % 50 == 0 {
            client
                .begin("textDocument/foldingRange", json!({ "textDocument": { "uri": file } }))
                .await;
        }
    }
    // The outline gives back what was typed.
    let params = json!({ "textDocument": { "uri": file } });
    let symbols = client.ask("textDocument/documentSymbol", params).await;
    assert_eq!(symbols[0]["name"], format!("f{typed}"));
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn published_findings_are_of_the_version_that_they_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("a.kait"));
    let mut client = Client::ready(folder.path()).await;
    let text = |n: i32| format!("fn f() -> int {{\n  unknown_{n}\n}}\n\n{}", large(50));
    client.open(&file, &text(1)).await;
    for version in 2..=40 {
        client.replace(&file, version, &text(version)).await;
    }
    let last = client.findings(&file, 40).await;
    assert!(last[0]["message"].as_str().unwrap().contains("unknown_40"), "{last:?}");
    for message in &client.unread {
        let params = &message["params"];
        let Some(found) = params["diagnostics"].get(0) else { continue };
        let name = format!("unknown_{}`", params["version"]);
        assert!(found["message"].as_str().unwrap().contains(&name), "{message}");
    }
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_question_is_answered_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("a.kait"));
    let mut client = Client::ready(folder.path()).await;
    client.open(&file, &large(2000)).await;
    let params = json!({ "textDocument": { "uri": file } });
    let id = client.begin("textDocument/semanticTokens/full", params).await;
    client.tell("$/cancelRequest", json!({ "id": id })).await;
    let answer = client.answer(id).await;
    let code = answer["error"]["code"].clone();
    assert!(code == -32800 || answer.get("result").is_some(), "{answer}");
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_wins_over_the_disk_and_others_hear_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("shop.kait", "pub fn one() -> int {\n  1\n}\n");
    let (main, shop) =
        (uri(&folder.path().join("main.kait")), uri(&folder.path().join("shop.kait")));
    let mut client = Client::ready(folder.path()).await;
    let (text, at) = place(&main, "use shop\n\nfn f() -> int {\n  shop.$0one()\n}\n");
    client.open(&main, &text).await;
    assert_eq!(client.findings(&main, 1).await, Vec::<Json>::new());
    let found = client.ask("textDocument/definition", at).await;
    assert_eq!(found["uri"], shop.as_str());
    // The other file is opened and changed, but not saved.
    client.open(&shop, "pub fn two() -> int {\n  1\n}\n").await;
    let missing = client.findings(&main, 1).await;
    assert_eq!(missing[0]["code"], "K0204", "{missing:?}");
    // It is closed without being saved: what is on the disk counts again.
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": shop } })).await;
    assert_eq!(client.findings(&main, 1).await, Vec::<Json>::new());
    // Somebody else changes the file.
    write("shop.kait", "pub fn three() -> int {\n  1\n}\n");
    let changes = json!({ "changes": [{ "uri": shop, "type": 2 }] });
    client.tell("workspace/didChangeWatchedFiles", changes).await;
    assert_eq!(client.findings(&main, 1).await.len(), 1);
    client.finish().await;
}
