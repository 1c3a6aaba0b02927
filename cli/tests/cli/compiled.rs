//! `kait build`, and what loads what it writes: both forms run like the source, and nothing runs that was cut, changed, or
//! edited so that a person is not asked.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::support::{Done, program, run};

const GREET: &str = r#"pub graph greet(name: text) -> text {
  shout("hello ${name}")
}

pub graph shout(words: text) -> text {
  "${words}!"
}
"#;

const REFUND: &str = r#"extern refund(order: trusted text, amount: money) -> text
  does write payments
  needs approval
  from http "POST https://pay.example.com/refunds"

pub graph give_back(order: trusted text) -> text {
  refund(order, amount: 10usd) with (approve: "lead", within: 2d)
}

pub graph other() -> text {
  "here"
}
"#;

/// Builds a program; gives the directory, and where the file is.
fn built(text: &str, name: &str) -> (tempfile::TempDir, PathBuf) {
    let (directory, source) = program(text);
    let out = directory.path().join(name);
    run(&["build", &source, "-o", out.to_str().unwrap()]).exits(0);
    (directory, out)
}

fn word(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn both_forms_run_like_the_source() {
    for name in ["greet.kir", "greet.kir.json"] {
        let (_directory, out) = built(GREET, name);
        let graph = format!("{}:greet", word(&out));
        assert_eq!(run(&["run", &graph, "name=you"]).exits(0).out, "hello you!\n");
        let done = run(&["run", &graph, "name=you", "--json"]).exits(0);
        let document: Json = serde_json::from_str(&done.out).unwrap();
        assert_eq!(
            (&document["result"], &document["graph"]),
            (&json!("hello you!"), &json!("greet.greet"))
        );
        run(&["run", word(&out), "name=you"]).exits(2).says(&["K9040", "greet", "shout"]);
        assert!(run(&["graph", &graph]).exits(0).out.contains("shout"));
    }
}

#[test]
fn the_hash_is_that_of_the_program_whatever_the_form() {
    let plan = |path: &Path| {
        let graph = format!("{}:shout", word(path));
        let done = run(&["run", &graph, "words=x", "--json"]).exits(0);
        serde_json::from_str::<Json>(&done.out).unwrap()["plan"].as_str().unwrap().to_owned()
    };
    let (_one, binary) = built(GREET, "a.kir");
    let (_two, text) = built(GREET, "b.kir.json");
    assert_eq!(plan(&binary), plan(&text));
    let (_three, source) = program(GREET);
    assert_eq!(plan(Path::new(&source)), plan(&binary));
    // One form becomes the other.
    let again = binary.with_extension("kir.json");
    run(&["build", word(&binary), "-o", word(&again)]).exits(0);
    assert_eq!(plan(&again), plan(&binary));
}

#[test]
fn one_graph_can_be_built_alone() {
    let (directory, source) = program(GREET);
    let out = directory.path().join("one.kir");
    run(&["build", &format!("{source}:greet"), "-o", word(&out)]).exits(0).says(&["greet"]);
    assert_eq!(run(&["run", word(&out), "name=you"]).exits(0).out, "hello you!\n");
    run(&["build", &format!("{source}:none"), "-o", word(&out)]).exits(2).says(&["K9040"]);
    let odd = directory.path().join("one.txt");
    run(&["build", &source, "-o", word(&odd)]).exits(2).says(&["K9030", ".kir"]);
    assert!(!odd.exists());
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let (directory, out) = built(GREET, "a.kir");
    let bytes = std::fs::read(&out).unwrap();
    let tried = |name: &str, bytes: &[u8]| -> Done {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        run(&["run", word(&path), "name=you"]).exits(2)
    };
    tried("cut.kir", &bytes[..bytes.len() / 2]).says(&["K9032", "bytes"]);
    tried("empty.kir", b"").says(&["K9030"]);
    tried("foreign.kir", b"\x7fELF and so on").says(&["K9030", "kait build"]);
    tried("source.kir", GREET.as_bytes()).says(&["K9030"]);
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    tried("changed.kir", &changed).says(&["K9032", "hash"]);
    let mut newer = bytes.clone();
    newer[8] = 200;
    tried("newer.kir", &newer).says(&["K9031", "format 200"]);
    tried("newer.kir.json", b"{\"kait_ir\": 200}").says(&["K9031", "format 200"]);
    tried("broken.kir.json", b"{\"kait_ir\": 2, \"program\": {").says(&["K9032", "line 1"]);
    run(&["run", word(&directory.path().join("nothing.kir"))]).exits(2).says(&["K0901"]);
    let done = run(&["run", word(&directory.path().join("cut.kir")), "--json"]).exits(2);
    let document: Json = serde_json::from_str(&done.out).unwrap();
    assert_eq!(document["error"]["code"], "K9032");
}

/// Whoever edits the text so that nobody is asked, is told why that cannot run.
#[test]
fn a_program_without_its_approval_is_refused_on_load() {
    let (directory, out) = built(REFUND, "refund.kir.json");
    let honest: Json = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    let tried = |edit: &dyn Fn(&mut Vec<Json>)| {
        let mut program = honest.clone();
        let regions = program["program"]["regions"].as_array_mut().unwrap();
        let nodes = regions.iter_mut().map(|region| region["nodes"].as_array_mut().unwrap());
        nodes.filter(|nodes| nodes.iter().any(|node| node["path"] == "approve")).for_each(edit);
        let path = directory.path().join("edited.kir.json");
        std::fs::write(&path, program.to_string()).unwrap();
        run(&["run", &format!("{}:give_back", word(&path)), "order=x"])
    };
    // What is honest is loaded, and asks; here is nobody to answer.
    let honest_run = tried(&|_| ()).exits(3);
    assert!(!honest_run.err.contains("K9033"), "{}", honest_run.err);
    let why = ["K9033", "graph `give_back`, node `refund`", "needs approval", "no approve node"];
    tried(&|nodes| {
        nodes.remove(0);
    })
    .exits(2)
    .says(&why);
    tried(&|nodes| {
        let value = nodes[0]["kind"]["approve"]["args"][0].clone();
        nodes[0]["kind"] = json!({ "pure": value });
    })
    .exits(2)
    .says(&why);
    tried(&|nodes| {
        let given = nodes[0]["kind"]["approve"]["args"][1].clone();
        nodes[1]["kind"]["leaf"]["args"][1] = given;
    })
    .exits(2)
    .says(&["K9033", "the argument `amount` does not come from what the person has approved"]);
    // What does not reach it runs.
    assert_eq!(run(&["run", &format!("{}:other", word(&out))]).exits(0).out, "here\n");
}

const KEEP: &str = r#"pub graph keep(src: text) -> text {
  let p = file.read(src)
  file.write(p, content: "kept") with (approve: "editor", within: 1d)
  "kept in ${endorse(p, because: "it is only shown")}"
}
"#;

/// What only trust demands is no less demanded of a file, and nothing that the library knows is believed.
#[test]
fn a_program_cannot_say_otherwise_than_the_library() {
    let (directory, out) = built(KEEP, "keep.kir.json");
    let honest: Json = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    let tried = |edit: &dyn Fn(&mut Json)| {
        let mut program = honest.clone();
        edit(&mut program["program"]);
        let path = directory.path().join("edited.kir.json");
        std::fs::write(&path, program.to_string()).unwrap();
        run(&["graph", word(&path)])
    };
    let block = |program: &Json| {
        let regions = program["regions"].as_array().unwrap();
        let asks = |region: &&Json| region["nodes"].to_string().contains("\"approve\":");
        let region = regions.iter().position(|region| asks(&region)).unwrap();
        let nodes = regions[region]["nodes"].as_array().unwrap();
        let node = nodes.iter().position(|node| node["kind"]["approve"].is_object()).unwrap();
        (region, node)
    };
    let leaf = |program: &Json, name: &str| {
        let leaves = program["leaves"].as_array().unwrap();
        leaves.iter().position(|leaf| leaf["name"] == name).unwrap()
    };
    tried(&|_| ()).exits(0);
    // The call takes what the person would have seen, and nobody is asked.
    tried(&|program| {
        let (region, at) = block(program);
        let nodes = &mut program["regions"][region]["nodes"];
        let args = nodes[at]["kind"]["approve"]["args"].clone();
        nodes[at]["kind"] = json!({ "pure": args[1] });
        nodes[at + 1]["kind"]["leaf"]["args"] = args;
    })
    .exits(2)
    .says(&[
        "K9033",
        "`path` of `file.write` takes only what somebody vouches for",
        "approve node",
    ]);
    let write = |change: &dyn Fn(&mut Json)| {
        tried(&|program| {
            let at = leaf(program, "file.write");
            change(&mut program["leaves"][at]);
        })
        .exits(2)
    };
    write(&|leaf| {
        leaf["class"] = json!("Read");
        leaf["writes"] = json!([]);
    })
    .says(&["K9033", "`file.write` only reads; in the library it writes"]);
    write(&|leaf| leaf["writes"] = json!([])).says(&["K9033", "writes nothing; in the library"]);
    write(&|leaf| leaf["class"] = json!({ "Write": { "keyed": true } })).says(&["K9033", "a key"]);
    write(&|leaf| leaf["guarded"] = json!(true)).says(&["K9033", "approval"]);
    write(&|leaf| leaf["locator"] = json!("file.append")).says(&["K9033", "`file.append`"]);
    write(&|leaf| leaf["locator"] = json!("file.burn")).says(&["K9033", "has no leaf `file.burn`"]);
    write(&|leaf| leaf["kind"] = json!("magic")).says(&["K9033", "no leaves from `magic`"]);
    write(&|leaf| drop(leaf["params"][0].as_object_mut().unwrap().remove("trust")))
        .says(&["K9033", "who must vouch for `path`"]);
    write(&|leaf| leaf["result"] = leaf["params"][0]["ty"].clone()).says(&["K9033", "types"]);
    let approve = |change: &dyn Fn(&mut Json, &mut Json)| {
        tried(&|program| {
            let (region, at) = block(program);
            let mut exprs = program["exprs"].take();
            let approve = &mut program["regions"][region]["nodes"][at]["kind"]["approve"];
            change(approve, &mut exprs);
            program["exprs"] = exprs;
        })
        .exits(2)
    };
    approve(&|approve, _| approve["untrusted"] = json!([])).says(&["K9033", "is not told"]);
    for nanos in [0, -5] {
        approve(&|approve, exprs| {
            let at = approve["within"].as_u64().unwrap() as usize;
            exprs[at] = json!({ "const": { "duration": nanos } });
        })
        .says(&["K9033", "no time to answer"]);
    }
    approve(&|approve, exprs| {
        let at = approve["role"].as_u64().unwrap() as usize;
        exprs[at] = json!({ "const": { "text": "" } });
    })
    .says(&["K9033", "the role is empty"]);
}

#[test]
fn where_nobody_can_be_asked_a_run_ends_before_the_question() {
    let (directory, source) = program(
        "pub graph go(words: text) -> text {\n  file.write(\"out.txt\", content: words) with (approve: \"lead\", within: 1h)\n  \
         \"written\"\n}\n",
    );
    let done = run(&["run", &source, "words=x", "--no-record"]).exits(3);
    done.says(&["K9024", "`file.write`", "`lead`", "2:3 in go/approve", "kait explain K9024"]);
    assert!(!directory.path().join("out.txt").exists());
    let done = run(&["run", &source, "words=x", "--json", "--no-record"]).exits(3);
    let document: Json = serde_json::from_str(&done.out).unwrap();
    assert_eq!(
        (&document["state"], &document["error"]["code"]),
        (&json!("failed"), &json!("K9024"))
    );
    let (_directory, out) = built(
        "pub graph go() -> bool {\n  ask(\"Sure?\") with (within: 1h, fallback: false)\n}\n",
        "ask.kir",
    );
    run(&["run", word(&out), "--no-record"]).exits(3).says(&["K9024", "Sure?"]);
}
