//! What a client gets for each question that only the protocol adds something to; the answers themselves are tested
//! in `kait-ide`.

use serde_json::{Value as Json, json};

use crate::client::{Client, place, uri};

const TEXT: &str = "\
use shop

/// Sums up.
fn total(orders: [shop.Order]) -> int {
  list.sum(for o in orders { o.price })
}
";

const SHOP: &str = "pub record Order {\n  price: int\n}\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kait.toml"), "").unwrap();
    std::fs::write(folder.path().join("main.kait"), TEXT).unwrap();
    std::fs::write(folder.path().join("shop.kait"), SHOP).unwrap();
    folder
}

#[tokio::test]
async fn a_finding_says_what_check_says() {
    let folder = folder();
    let file = uri(&folder.path().join("a.kait"));
    let document =
        json!({ "textDocument": { "publishDiagnostics": { "relatedInformation": true } } });
    let mut client = Client::with(folder.path(), document).await;
    client.open(&file, "fn f(n: int) -> int {\n  let n = 2\n  n\n}\n").await;
    let findings = client.findings(&file, 1).await;
    assert_eq!(findings.len(), 1);
    let found = &findings[0];
    assert_eq!(
        found["message"],
        "`n` is already taken\ndeclared again here\n\
         help: give one of them another name: a name means one thing and never changes"
    );
    assert_eq!((&found["code"], &found["source"]), (&json!("K0208"), &json!("kait")));
    let related = &found["relatedInformation"][0];
    assert_eq!(related["message"], "first declared here");
    assert_eq!(related["location"]["uri"], file.as_str());
    assert_eq!(related["location"]["range"]["start"], json!({ "line": 0, "character": 5 }));
    client.finish().await;
}

#[tokio::test]
async fn findings_can_be_asked_for() {
    let folder = folder();
    std::fs::write(folder.path().join("bad.kait"), "fn f() -> int {\n  what\n}\n").unwrap();
    let file = uri(&folder.path().join("a.kait"));
    let mut client =
        Client::with(folder.path(), json!({ "textDocument": { "diagnostic": {} } })).await;
    client.open(&file, "fn f() -> int {\n  what\n}\n").await;
    let params =
        |before: &Json| json!({ "textDocument": { "uri": file }, "previousResultId": before });
    let report = client.ask("textDocument/diagnostic", params(&Json::Null)).await;
    assert_eq!((&report["kind"], &report["items"][0]["code"]), (&json!("full"), &json!("K0201")));
    let again = client.ask("textDocument/diagnostic", params(&report["resultId"])).await;
    assert_eq!((&again["kind"], &again["resultId"]), (&json!("unchanged"), &report["resultId"]));
    client.replace(&file, 2, "fn f() -> int {\n  1\n}\n").await;
    let better = client.ask("textDocument/diagnostic", params(&report["resultId"])).await;
    assert_eq!((&better["kind"], &better["items"]), (&json!("full"), &json!([])));

    let all = client.ask("workspace/diagnostic", json!({ "previousResultIds": [] })).await;
    let all = all["items"].as_array().unwrap().clone();
    let bad = all.iter().find(|one| one["uri"].as_str().unwrap().ends_with("bad.kait")).unwrap();
    assert_eq!(bad["items"][0]["code"], "K0201");
    // The unsaved file has a version, those on disk have none.
    assert_eq!(all.iter().filter(|one| one["version"].is_number()).count(), 1);
    let known: Vec<Json> =
        all.iter().map(|one| json!({ "uri": one["uri"], "value": one["resultId"] })).collect();
    let again = client.ask("workspace/diagnostic", json!({ "previousResultIds": known })).await;
    let again = again["items"].as_array().unwrap();
    assert!(again.iter().all(|one| one["kind"] == "unchanged"), "{again:?}");
    assert_eq!(again.len(), all.len());
    // Whoever asks is told nothing unasked.
    let pushed = |message: &Json| message["method"] == "textDocument/publishDiagnostics";
    assert!(!client.unread.iter().any(pushed));
    client.finish().await;
}

#[tokio::test]
async fn names_lead_to_other_files_and_to_the_standard_library() {
    let folder = folder();
    let file = uri(&folder.path().join("main.kait"));
    let mut client = Client::ready(folder.path()).await;
    let (text, at) = place(&file, &TEXT.replace("o.price", "o.$0price"));
    client.open(&file, &text).await;
    let found = client.ask("textDocument/definition", at.clone()).await;
    assert!(found["uri"].as_str().unwrap().ends_with("shop.kait"), "{found}");
    let mut params = at.clone();
    params["context"] = json!({ "includeDeclaration": true });
    let all = client.ask("textDocument/references", params).await;
    assert_eq!(all.as_array().unwrap().len(), 2, "{all}");
    let (_, at) = place(&file, &TEXT.replace("list.sum", "list.$0sum"));
    let found = client.ask("textDocument/definition", at).await;
    let path = found["uri"].as_str().unwrap().strip_prefix("file://").unwrap();
    let line = found["range"]["start"]["line"].as_u64().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let line = text.lines().nth(usize::try_from(line).unwrap()).unwrap();
    assert!(line.contains("extern sum"), "{line}");
    client.finish().await;
}

#[tokio::test]
async fn a_rename_says_of_which_versions_it_is() {
    let folder = folder();
    let file = uri(&folder.path().join("main.kait"));
    let edit = json!({ "workspace": { "workspaceEdit": { "documentChanges": true } } });
    let mut client = Client::with(folder.path(), edit).await;
    let (text, at) = place(&file, &TEXT.replace("o.price", "o.$0price"));
    client.open(&file, &text).await;
    let prepared = client.ask("textDocument/prepareRename", at.clone()).await;
    assert_eq!(prepared["placeholder"], "price");
    let mut params = at.clone();
    params["newName"] = json!("cost");
    let edit = client.ask("textDocument/rename", params.clone()).await;
    let changes = edit["documentChanges"].as_array().unwrap().clone();
    let versions: Vec<_> = changes.iter().map(|c| c["textDocument"]["version"].clone()).collect();
    assert_eq!(changes.len(), 2);
    assert!(versions.contains(&json!(1)) && versions.contains(&Json::Null), "{edit}");
    assert!(changes.iter().all(|change| change["edits"][0]["newText"] == "cost"));
    params["newName"] = json!("total");
    params["position"] = json!({ "line": 4, "character": 16 });
    let refused = client.refused("textDocument/rename", params.clone()).await;
    assert_eq!(refused["code"], -32803);
    assert!(refused["message"].as_str().unwrap().contains("cannot be called `total`"), "{refused}");
    params["position"] = json!({ "line": 4, "character": 9 });
    let refused = client.refused("textDocument/prepareRename", params).await;
    assert!(refused["message"].as_str().unwrap().contains("standard library"), "{refused}");
    client.finish().await;
}

#[tokio::test]
async fn fixes_are_code_actions() {
    let folder = folder();
    let file = uri(&folder.path().join("a.kait"));
    let literal = json!({ "codeActionKind": { "valueSet": ["quickfix", "source.fixAll"] } });
    let support =
        json!({ "textDocument": { "codeAction": { "codeActionLiteralSupport": literal } } });
    let mut client = Client::with(folder.path(), support).await;
    client.open(&file, "fn f(a: bool, b: bool) -> bool {\n  a && b\n}\n").await;
    let at = json!({ "line": 1, "character": 4 });
    let mut params = json!({
        "textDocument": { "uri": file },
        "range": { "start": at, "end": at },
        "context": { "diagnostics": [] },
    });
    let actions = client.ask("textDocument/codeAction", params.clone()).await;
    let actions = actions.as_array().unwrap();
    assert_eq!(actions.len(), 1, "{actions:?}");
    assert_eq!(actions[0]["title"], "replace `&&` by `and`");
    assert_eq!(
        (&actions[0]["kind"], &actions[0]["isPreferred"]),
        (&json!("quickfix"), &json!(true))
    );
    assert_eq!(actions[0]["edit"]["changes"][file.as_str()][0]["newText"], "and");
    params["context"]["only"] = json!(["source.fixAll"]);
    let all = client.ask("textDocument/codeAction", params.clone()).await;
    assert_eq!(all[0]["kind"], "source.fixAll.kait", "{all}");
    params["context"]["only"] = json!(["refactor"]);
    assert_eq!(client.ask("textDocument/codeAction", params).await, json!([]));
    client.finish().await;
}

#[tokio::test]
async fn tokens_stay_on_their_lines() {
    let folder = folder();
    let file = uri(&folder.path().join("a.kait"));
    let mut client = Client::ready(folder.path()).await;
    let text = "fn f() -> text {\n  \"\"\"\n  a😀\n    b\n  \"\"\"\n}\n";
    client.open(&file, text).await;
    let document = json!({ "textDocument": { "uri": file } });
    let answer = client.ask("textDocument/semanticTokens/full", document).await;
    let data: Vec<u64> =
        answer["data"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    let (mut line, mut column) = (0, 0);
    for token in data.chunks(5) {
        column = if token[0] == 0 { column + token[1] } else { token[1] };
        line += token[0];
        let width =
            text.lines().nth(usize::try_from(line).unwrap()).unwrap().encode_utf16().count();
        assert!(column + token[2] <= u64::try_from(width).unwrap(), "{token:?} in line {line}");
    }
    client.finish().await;
}

#[tokio::test]
async fn a_client_that_knows_little() {
    let folder = folder();
    let file = uri(&folder.path().join("main.kait"));
    let mut client = Client::ready(folder.path()).await;
    client.open(&file, TEXT).await;
    let document = json!({ "textDocument": { "uri": file } });
    let symbols = client.ask("textDocument/documentSymbol", document).await;
    assert_eq!(symbols[0]["location"]["uri"], file.as_str());
    let (text, at) = place(&file, "fn f() -> text {\n  text.tri$0\n}\n");
    client.replace(&file, 2, &text).await;
    let items = client.ask("textDocument/completion", at).await;
    assert_eq!(items["items"][0]["textEdit"]["newText"], "trim");
    assert_eq!(items["items"][0].get("insertTextFormat"), None);
    let all = client.ask("workspace/symbol", json!({ "query": "ord" })).await;
    assert_eq!(all[0]["name"], "Order");
    client.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_use_the_modules_of_the_package_are_offered() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("shop")).unwrap();
    for file in ["shop/orders.kait", "money_of.kait"] {
        std::fs::write(folder.path().join(file), "pub fn one() -> int {\n  1\n}\n").unwrap();
    }
    let main = uri(&folder.path().join("main.kait"));
    let mut client = Client::ready(folder.path()).await;
    let (text, at) = place(&main, "use shop.$0\n\nfn f() -> int {\n  1\n}\n");
    client.open(&main, &text).await;
    let answer = client.ask("textDocument/completion", at).await;
    let edits: Vec<_> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["textEdit"]["newText"], &item["textEdit"]["range"]["start"]))
        .collect();
    let start = json!({ "line": 0, "character": 4 });
    assert_eq!(edits, [(&json!("shop.orders"), &start)]);
    client.finish().await;
}

#[tokio::test]
async fn a_page_of_the_standard_library_is_only_read() {
    let folder = folder();
    let file = uri(&folder.path().join("a.kait"));
    let mut client = Client::ready(folder.path()).await;
    let (text, at) = place(&file, "fn f(s: text) -> text {\n  text.$0upper(s)\n}\n");
    client.open(&file, &text).await;
    let found = client.ask("textDocument/definition", at).await;
    let page = found["uri"].as_str().unwrap().to_owned();
    let path = page.strip_prefix("file://").unwrap();
    assert!(std::fs::metadata(path).unwrap().permissions().readonly());
    client.open(&page, &std::fs::read_to_string(path).unwrap()).await;
    let mut params = json!({
        "textDocument": { "uri": page }, "position": found["range"]["start"], "newName": "upp",
    });
    for question in ["textDocument/rename", "textDocument/prepareRename"] {
        let refused = client.refused(question, params.clone()).await;
        assert!(refused["message"].as_str().unwrap().contains("standard library"), "{refused}");
        params.as_object_mut().unwrap().remove("newName");
    }
    client.finish().await;
}

#[tokio::test]
async fn a_page_of_the_standard_library_knows_its_uses() {
    let folder = folder();
    let file = uri(&folder.path().join("a.kait"));
    std::fs::write(
        folder.path().join("b.kait"),
        "fn g(s: text) -> text {\n  text.upper(s)\n}\n\nfn h(s: text) -> text {\n  text.lower(s)\n}\n",
    )
    .unwrap();
    let mut client = Client::ready(folder.path()).await;
    let (text, at) = place(&file, "fn f(s: text) -> text {\n  text.$0upper(s)\n}\n");
    client.open(&file, &text).await;
    let found = client.ask("textDocument/definition", at).await;
    let page = found["uri"].as_str().unwrap().to_owned();
    let text = std::fs::read_to_string(page.strip_prefix("file://").unwrap()).unwrap();
    client.open(&page, &text).await;
    let params = json!({
        "textDocument": { "uri": page }, "position": found["range"]["start"],
        "context": { "includeDeclaration": true },
    });
    let found = client.ask("textDocument/references", params).await;
    let found: Vec<(&str, u64)> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let name = one["uri"].as_str().unwrap().rsplit('/').next().unwrap();
            (name, one["range"]["start"]["character"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(found, [("text.kait", 11), ("a.kait", 7), ("b.kait", 7)]);
    client.finish().await;
}

#[tokio::test]
async fn why_a_broken_file_is_not_formatted_is_said() {
    let folder = folder();
    let file = uri(&folder.path().join("a.kait"));
    let mut client = Client::ready(folder.path()).await;
    client.open(&file, "fn f( -> int {\n  1\n}\n").await;
    let params = json!({
        "textDocument": { "uri": file }, "options": { "tabSize": 2, "insertSpaces": true },
    });
    let refused = client.refused("textDocument/formatting", params).await;
    assert_eq!(refused["code"], -32803);
    assert!(refused["message"].as_str().unwrap().contains("syntax errors"), "{refused}");
    client.finish().await;
}

#[tokio::test]
async fn a_request_that_nobody_knows_is_answered() {
    let folder = folder();
    let mut client = Client::ready(folder.path()).await;
    for method in ["$/what", "what"] {
        assert_eq!(client.refused(method, json!({})).await["code"], -32601, "{method}");
    }
    // What is told rather than asked needs no answer.
    client.tell("$/what", json!({})).await;
    client.finish().await;
}

#[tokio::test]
async fn what_changes_on_disk_is_seen_by_who_asks() {
    let folder = folder();
    let (file, other) = (folder.path().join("main_2.kait"), folder.path().join("other.kait"));
    std::fs::write(&other, "pub fn one() -> int {\n  1\n}\n").unwrap();
    let pull = json!({ "textDocument": { "diagnostic": {} } });
    let mut client = Client::with(folder.path(), pull).await;
    let text = "use other\n\nfn f() -> int {\n  other.one()\n}\n";
    client.open(&uri(&file), text).await;
    let params = json!({ "textDocument": { "uri": uri(&file) } });
    let found = client.ask("textDocument/diagnostic", params.clone()).await;
    assert_eq!(found["items"], json!([]));
    std::fs::write(&other, "pub fn another() -> int {\n  1\n}\n").unwrap();
    let found = client.ask("textDocument/diagnostic", params).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    client.finish().await;
}

/// A module that is made from `kait.lock` is shown like one of the standard library, and read anew when the lock changes.
#[tokio::test]
async fn tools_of_mcp_servers_are_shown_as_declarations() {
    let folder = folder();
    let lock = |description: &str, hash: &str| {
        format!(
            "version = 1\n[mcp.maths.tools.half]\ndescription = \"{description}\"\ninput = '''{{\"type\": \"object\", \
             \"properties\": {{\"ofNumber\": {{\"type\": \"integer\"}}}}, \"required\": [\"ofNumber\"]}}'''\nhash = \"{hash}\"\n"
        )
    };
    let lock_path = folder.path().join("kait.lock");
    std::fs::write(
        &lock_path,
        lock("Halves.", "blake3:6618036ddb4d0037bf14e982e9c989107e3e8c10480c601017551ccf38152955"),
    )
    .unwrap();
    let file = uri(&folder.path().join("a.kait"));
    let mut client = Client::ready(folder.path()).await;
    let program = "use mcp.maths\n\npub graph g(n: int) -> text {\n  maths.$0half(n)\n}\n";
    let (text, at) = place(&file, program);
    client.open(&file, &text).await;
    let shown = client.ask("textDocument/hover", at.clone()).await.to_string();
    assert!(shown.contains("half(of_number: int) -> text") && shown.contains("Halves."), "{shown}");
    let offered = client.ask("textDocument/completion", at.clone()).await.to_string();
    assert!(offered.contains("\"half\""), "{offered}");
    let found = client.ask("textDocument/definition", at.clone()).await;
    let path = found["uri"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
    let page = std::fs::read_to_string(&path).unwrap();
    let line = usize::try_from(found["range"]["start"]["line"].as_u64().unwrap()).unwrap();
    assert!(page.lines().nth(line).unwrap().starts_with("pub extern half("), "{page}");
    assert!(path.contains("mcp-maths-"), "{path}");

    std::fs::write(
        &lock_path,
        lock(
            "Divides by two.",
            "blake3:2562b81c28c8413aec9c2611e45cfba1b80edfe9996953bd9e715ba2b5364988",
        ),
    )
    .unwrap();
    let changed = json!({ "changes": [{ "uri": uri(&lock_path), "type": 2 }] });
    client.tell("workspace/didChangeWatchedFiles", changed).await;
    let shown = client.ask("textDocument/hover", at.clone()).await.to_string();
    assert!(shown.contains("Divides by two."), "{shown}");
    let found = client.ask("textDocument/definition", at).await;
    assert!(!found["uri"].as_str().unwrap().ends_with(&path), "{found}");
    client.finish().await;
}
