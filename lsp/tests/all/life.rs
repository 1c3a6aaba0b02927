//! From the first message to the last: what the protocol says about beginning and end, and about nonsense.

use kait_lsp::Ended;
use serde_json::{Value as Json, json};

use crate::client::{Client, uri};

#[tokio::test]
async fn before_initialize_and_after_shutdown() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::start();
    let file = uri(&folder.path().join("a.kait"));
    let place =
        json!({ "textDocument": { "uri": file }, "position": { "line": 0, "character": 0 } });
    assert_eq!(client.refused("textDocument/hover", place.clone()).await["code"], -32002);
    // Edits before the beginning are no reason to fall over.
    client.open(&file, "fn").await;
    client.initialize(folder.path(), json!({})).await;
    let again = client.refused("initialize", json!({ "capabilities": {} })).await;
    assert_eq!(again["code"], -32600);
    assert_eq!(client.ask("textDocument/hover", place.clone()).await, Json::Null);
    client.ask("shutdown", Json::Null).await;
    assert_eq!(client.refused("textDocument/hover", place).await["code"], -32600);
    client.send(&json!({ "jsonrpc": "2.0", "method": "exit" })).await;
    assert_eq!(client.end().await, Ended::Properly);
}

#[tokio::test]
async fn exit_without_shutdown() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::ready(folder.path()).await;
    client.send(&json!({ "jsonrpc": "2.0", "method": "exit" })).await;
    assert_eq!(client.end().await, Ended::WithoutShutdown);
    // Hanging up says nothing either.
    let client = Client::ready(folder.path()).await;
    assert_eq!(client.end().await, Ended::WithoutShutdown);
}

#[tokio::test]
async fn nonsense_is_answered_and_survived() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::ready(folder.path()).await;
    assert_eq!(client.refused("textDocument/nonsense", json!({})).await["code"], -32601);
    assert_eq!(client.refused("textDocument/hover", json!({ "a": 1 })).await["code"], -32602);
    for broken in [
        &b"Content-Length: 9\r\n\r\n{\"json\": "[..],
        b"Content-Length: 2\r\n\r\n[]",
        b"Content-Length: 4\r\n\r\n\xff\xfe\xfd\xfc",
        b"Content-Length: many\r\n\r\n",
        b"Content-Length: 99999999999999999999\r\n\r\n",
        b"X-Other: 1\r\n\r\n",
    ] {
        client.raw(broken).await;
        let answer = client.read().await;
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32700), &Json::Null));
    }
    // What is no header at all is skipped up to the next one.
    client.raw(b"garbage\r\n").await;
    client.tell("textDocument/didChange", json!({ "wrong": true })).await;
    client.tell("$/unknown", json!({})).await;
    // An edit of what is not open, a close of what was never opened.
    client.replace("file:///nowhere.kait", 7, "x").await;
    client
        .tell("textDocument/didClose", json!({ "textDocument": { "uri": "file:///n.kait" } }))
        .await;
    for place in ["file:///", "untitled:Untitled-1", "http://x/y.kait", "file:///no/such/file.kait"]
    {
        let params = json!({
            "textDocument": { "uri": place }, "position": { "line": 99, "character": u32::MAX },
        });
        client.ask("textDocument/hover", params.clone()).await;
        client.ask("textDocument/completion", params).await;
    }
    client.finish().await;
}

#[tokio::test]
async fn a_text_that_was_never_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::ready(folder.path()).await;
    client.open("untitled:Untitled-1", "fn f() -> int {\n  what\n}\n").await;
    let findings = client.findings("untitled:Untitled-1", 1).await;
    assert_eq!(findings[0]["code"], "K0201");
    client.finish().await;
}

#[tokio::test]
async fn positions_are_in_the_encoding_that_was_agreed_on() {
    let folder = tempfile::tempdir().unwrap();
    for (offered, chosen, column) in [
        (json!(["utf-8", "utf-16"]), "utf-8", 8),
        (json!(["utf-16"]), "utf-16", 6),
        (json!(["utf-32"]), "utf-16", 6),
    ] {
        let mut client = Client::start();
        let general = json!({ "general": { "positionEncodings": offered } });
        let answer = client.initialize(folder.path(), general).await;
        assert_eq!(answer["capabilities"]["positionEncoding"], chosen);
        let file = uri(&folder.path().join("a.kait"));
        client.open(&file, "fn f() -> text {\n  \"😀${what}\"\n}\n").await;
        let findings = client.findings(&file, 1).await;
        // Two blanks, a quote, the character, `${`.
        let start = &findings[0]["range"]["start"];
        assert_eq!((&start["line"], &start["character"]), (&json!(1), &json!(column + 1)));
        client.finish().await;
    }
}
