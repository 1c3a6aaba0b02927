//! What is wrong with a program is said in the same words by `kait check`, by an editor and by the server: every wrong
//! program of the project, and every part of what is found: code, sentences, places, notes, help, fixes.

use std::collections::BTreeMap;

use kait_tests::sources::Source;
use kait_tests::wrong;
use serde_json::{Value as Json, json};

use super::server::Server;
use crate::lsp::{Editor, uri};
use crate::support::root;

/// A program as a file of its own: the name says nothing, so that nothing can be guessed from it.
struct Program {
    source: Source,
    file: String,
}

fn programs() -> Vec<Program> {
    let named = |(number, source)| Program { source, file: format!("p{number:04}.kait") };
    wrong::programs().unwrap().into_iter().enumerate().map(named).collect()
}

fn host(programs: &[Program], args: &[&str]) -> Server {
    let files: Vec<_> =
        programs.iter().map(|one| (one.file.as_str(), one.source.text.as_str())).collect();
    Server::host(&files, args)
}

/// What `kait check --json` finds, by file; every place must be in the file itself.
fn checked(server: &Server) -> BTreeMap<String, Vec<Json>> {
    let done = server.command().args(["check", "--json"]).output().unwrap();
    let report: Json = serde_json::from_slice(&done.stdout).unwrap();
    let mut found = BTreeMap::<String, Vec<Json>>::new();
    for finding in report["diagnostics"].as_array().unwrap() {
        let path = finding["primary"]["path"].as_str().unwrap().to_owned();
        found.entry(path).or_default().push(finding.clone());
    }
    found
}

/// A place in the protocol's terms: lines from 0, columns in UTF-16.
fn position(text: &str, byte: &Json) -> Json {
    let before = &text[..usize::try_from(byte.as_u64().unwrap()).unwrap()];
    let column = before.rsplit('\n').next().unwrap().encode_utf16().count();
    json!({ "line": before.matches('\n').count(), "character": column })
}

fn range(text: &str, place: &Json) -> Json {
    let bytes = &place["bytes"];
    json!({ "start": position(text, &bytes["start"]), "end": position(text, &bytes["end"]) })
}

/// The file of a module of the standard library.
fn std_module(path: &str) -> Option<&str> {
    path.strip_prefix("std/")
}

/// What an editor must be told of a finding of `kait check --json`.
fn as_diagnostic(file: &str, text: &str, finding: &Json) -> Json {
    let mut message = finding["message"].as_str().unwrap().to_owned();
    let mut line = |before: &str, words: &Json| {
        let words = words.as_str().unwrap_or_default();
        if !words.is_empty() {
            message.push_str(&format!("\n{before}{words}"));
        }
    };
    line("", &finding["primary"]["text"]);
    finding["notes"].as_array().unwrap().iter().for_each(|note| line("note: ", note));
    line("help: ", &finding["help"]);
    let labels: Vec<Json> = finding["labels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|label| {
            let (uri, range) = match std_module(label["path"].as_str().unwrap()) {
                Some(module) => {
                    let text = std::fs::read_to_string(root().join("stdlib").join(module)).unwrap();
                    (module, range(&text, label))
                }
                None => (file, range(text, label)),
            };
            json!({ "location": { "uri": uri, "range": range }, "message": label["text"] })
        })
        .collect();
    let severity = match finding["severity"].as_str().unwrap() {
        "error" => 1,
        "warning" => 2,
        _ => 3,
    };
    json!({
        "range": range(text, &finding["primary"]),
        "severity": severity,
        "code": finding["code"],
        "source": "kait",
        "message": message,
        "relatedInformation": labels,
    })
}

/// What an editor was told, without where the page of the code is and how it is drawn.
fn told(mut diagnostic: Json) -> Json {
    let members = diagnostic.as_object_mut().unwrap();
    let page = members.remove("codeDescription").expect("every code has a page");
    let code = members["code"].as_str().unwrap();
    assert!(page["href"].as_str().unwrap().ends_with(&format!("/{code}.md")), "{page}");
    members.remove("tags");
    let related = members.entry("relatedInformation").or_insert_with(|| json!([]));
    for place in related.as_array_mut().unwrap() {
        // The standard library is shown from a copy.
        let uri = place["location"]["uri"].as_str().unwrap().to_owned();
        if uri.contains("/kait/pages-") {
            place["location"]["uri"] = json!(uri.rsplit('/').next());
        }
    }
    diagnostic
}

/// All fixes of a file: their words, what they are for, and what they change.
fn as_actions(file: &str, text: &str, findings: &[Json]) -> Vec<String> {
    let mut actions = Vec::new();
    for finding in findings {
        for fix in finding["fixes"].as_array().unwrap() {
            let edits = fix["edits"].as_array().unwrap().iter();
            let edits: Vec<_> = edits
                .map(|edit| json!({ "range": range(text, edit), "newText": edit["insert"] }))
                .collect();
            let mut action = json!({
                "title": fix["title"],
                "kind": "quickfix",
                "diagnostics": [as_diagnostic(file, text, finding)],
                "edit": { "changes": { file: edits } },
            });
            // The order of members says nothing.
            action.sort_all_objects();
            actions.push(action.to_string());
        }
    }
    actions.sort_unstable();
    actions
}

fn offered(actions: Json) -> Vec<String> {
    let mut offered: Vec<String> = Vec::new();
    for mut action in actions.as_array().unwrap().iter().cloned() {
        let finding = action["diagnostics"][0].take();
        action["diagnostics"][0] = told(finding);
        // An editor prefers a fix only once it is proven; what the compiler says of it is its word alone.
        action.as_object_mut().unwrap().remove("isPreferred");
        action.sort_all_objects();
        offered.push(action.to_string());
    }
    offered.sort_unstable();
    offered
}

fn capabilities(pulls: bool) -> Json {
    let mut can = json!({
        "publishDiagnostics": { "relatedInformation": true },
        "codeAction": { "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["quickfix"] } } },
    });
    if pulls {
        can["diagnostic"] = json!({ "relatedInformation": true });
    }
    json!({ "textDocument": can })
}

#[track_caller]
fn same(program: &Program, who: &str, found: &[Json], expected: &[Json]) {
    let name = &program.source.name;
    assert_eq!(found, expected, "{who}, of {name}:\n{}", program.source.text);
}

#[test]
fn wrong_programs_are_told_in_the_same_words() {
    let programs = programs();
    let server = host(&programs, &[]);
    let expected = checked(&server);
    let folder = server.directory.path().canonicalize().unwrap();
    let mut pushed = Editor::start(server.command(), &folder, capabilities(false));
    let mut pulled = Editor::start(server.command(), &folder, capabilities(true));
    // Of files that are not open, too.
    let mut closed = BTreeMap::new();
    let report = pulled.ask("workspace/diagnostic", json!({ "previousResultIds": [] }));
    for item in report["items"].as_array().unwrap() {
        closed.insert(item["uri"].as_str().unwrap().to_owned(), item["items"].clone());
    }
    let hosted = server.get("/api/graphs").json();
    let mut refused = 0;
    for program in &programs {
        let Program { source, file } = program;
        let text = source.text.as_str();
        let findings = expected.get(file).map(Vec::as_slice).unwrap_or_default();
        let document = uri(&folder.join(file));
        let diagnostics: Vec<_> =
            findings.iter().map(|finding| as_diagnostic(&document, text, finding)).collect();
        let as_told =
            |found: &Json| found.as_array().unwrap().iter().cloned().map(told).collect::<Vec<_>>();

        pushed.open(&document, text);
        let published = pushed.told("textDocument/publishDiagnostics");
        assert_eq!(published["uri"], document);
        same(program, "pushed", &as_told(&published["diagnostics"]), &diagnostics);
        let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 999_999, "character": 0 } });
        let about = json!({ "textDocument": { "uri": document } });
        let actions = json!({
            "textDocument": about["textDocument"],
            "range": whole,
            "context": { "diagnostics": [] },
        });
        let actions = offered(pushed.ask("textDocument/codeAction", actions));
        assert_eq!(actions, as_actions(&document, text, findings), "{}\n{text}", source.name);
        pushed.close(&document);
        // Closing takes back what was found.
        assert_eq!(pushed.told("textDocument/publishDiagnostics")["diagnostics"], json!([]));

        same(program, "closed", &as_told(&closed[&document]), &diagnostics);
        pulled.open(&document, text);
        let report = pulled.ask("textDocument/diagnostic", about);
        same(program, "pulled", &as_told(&report["items"]), &diagnostics);
        pulled.close(&document);

        let here = hosted["files"].as_array().unwrap().iter().find(|one| one["path"] == *file);
        same(program, "hosted", here.unwrap()["diagnostics"].as_array().unwrap(), findings);
        if let Some(first) = findings.iter().find(|one| one["severity"] == "error") {
            let module = file.trim_end_matches(".kait");
            let answer = server.post(&format!("/api/graphs/{module}.main/runs"), "{}");
            let problem = answer.is_problem(409, first["code"].as_str().unwrap(), &[file]);
            assert_eq!(problem["detail"], first["message"], "{}", source.name);
            same(program, "refused", problem["diagnostics"].as_array().unwrap(), findings);
            refused += 1;
        }
    }
    assert!(refused > 300, "only {refused} programs were wrong");
    pushed.finish();
    pulled.finish();
}

#[test]
fn files_that_become_wrong_are_told_in_the_same_words() {
    let programs = programs();
    let good = "pub graph main() -> text {\n  \"as before\"\n}\n";
    let files: Vec<_> = programs.iter().map(|one| (one.file.as_str(), good)).collect();
    let server = Server::host(&files, &[]);
    for program in &programs {
        server.write(&program.file, &program.source.text);
    }
    let expected = checked(&server);
    let has_errors = |file: &str| {
        expected.get(file).is_some_and(|found| found.iter().any(|one| one["severity"] == "error"))
    };
    let hosted = server.until("/api/graphs", |graphs| {
        let files = graphs["files"].as_array().unwrap();
        let stale = files.iter().filter(|file| file["state"] == "stale").count();
        stale == programs.iter().filter(|one| has_errors(&one.file)).count()
    });
    for program in &programs {
        let file = program.file.as_str();
        let here = hosted["files"].as_array().unwrap().iter().find(|one| one["path"] == *file);
        let here = here.unwrap();
        let findings = expected.get(file).map(Vec::as_slice).unwrap_or_default();
        same(program, "reloaded", here["diagnostics"].as_array().unwrap(), findings);
        assert_eq!(here["state"] == "stale", has_errors(file), "{}", program.source.name);
    }
    // The version without errors is still there for whoever runs it.
    let stale = programs.iter().find(|one| has_errors(&one.file)).unwrap();
    let path = format!("/api/graphs/{}.main/runs", stale.file.trim_end_matches(".kait"));
    assert_eq!(server.post(&path, "{}").json()["result"], "as before");
}

#[test]
fn what_is_wrong_in_an_imported_file_is_told_in_the_same_words() {
    let main = "use shop\n\npub graph main() -> int {\n  shop.price()\n}\n";
    let shop = "pub fn price() -> int {\n  amount\n}\n";
    let server = Server::host(&[("main.kait", main), ("shop.kait", shop)], &[]);
    let expected = checked(&server);
    assert_eq!(expected.keys().collect::<Vec<_>>(), ["shop.kait"]);
    let refused = server.post("/api/graphs/main.main/runs", "{}");
    let problem = refused.is_problem(409, "K0201", &["shop.kait"]);
    assert_eq!(problem["diagnostics"], json!(expected["shop.kait"]));
    let folder = server.directory.path().canonicalize().unwrap();
    let mut editor = Editor::start(server.command(), &folder, capabilities(false));
    for (file, text) in [("main.kait", main), ("shop.kait", shop)] {
        let document = uri(&folder.join(file));
        editor.open(&document, text);
        let published = editor.told("textDocument/publishDiagnostics");
        assert_eq!(published["uri"], document);
        let found = published["diagnostics"].as_array().unwrap().iter().cloned().map(told);
        let findings = expected.get(file).map(Vec::as_slice).unwrap_or_default();
        let wanted = findings.iter().map(|one| as_diagnostic(&document, text, one));
        assert_eq!(found.collect::<Vec<_>>(), wanted.collect::<Vec<_>>(), "{file}");
    }
    editor.finish();
}
