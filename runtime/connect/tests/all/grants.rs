//! A table of grants, held by real files, links, servers and programs.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use kait_connect::{Config, Connections, GrantTable, Need, Part, ProfileGrants, Reach};
use kait_ir::{Failure, Value};
use tempfile::tempdir;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{call, t};

fn grants(base: &Path, tables: &[&str]) -> ProfileGrants {
    let table = |(at, text): (usize, &&str)| {
        let text = format!("[grants]\n{text}\n");
        GrantTable::parse(&text, &format!("{at}.toml"), Some(base), None).unwrap().unwrap()
    };
    ProfileGrants { tables: tables.iter().enumerate().map(table).collect() }
}

fn under(base: &Path, tables: &[&str]) -> Connections {
    let grants = Arc::new(grants(base, tables));
    Connections::new(Config { root: base.into(), grants, ..Config::default() })
}

#[track_caller]
fn refused(result: &Result<Value, Failure>) -> &str {
    match result {
        Err(Failure::Refused { why }) => why,
        other => panic!("not refused: {other:?}"),
    }
}

fn project() -> tempfile::TempDir {
    let dir = tempdir().unwrap();
    for (path, text) in
        [("notes/a.md", "a"), ("notes/deep/b.md", "b"), ("secret/key", "k"), ("one", "1")]
    {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

#[tokio::test]
async fn files_are_held_to_granted_directories() {
    let dir = project();
    let cx = under(dir.path(), &["read = ['file notes', 'file one']\nwrite = ['file out']"]);
    let read = async |path: &str| call(&cx, "file.read", &[t(path)]).await;
    for (path, text) in [("notes/a.md", "a"), ("./notes/../notes/deep/b.md", "b"), ("one", "1")] {
        assert_eq!(read(path).await, Ok(t(text)), "{path}");
    }
    let absolute = dir.path().join("notes/a.md");
    assert_eq!(read(absolute.to_str().unwrap()).await, Ok(t("a")));
    // There or not: the same is said.
    for path in [
        "secret/key",
        "secret/nothing",
        "notes/../secret/key",
        "notesx/a",
        "/etc/passwd",
        "..",
        "on",
    ] {
        let result = read(path).await;
        let why = refused(&result);
        assert_eq!(
            why,
            format!(
                "`read file {path}` is not granted in 0.toml: add \"file {path}\" to `read` under [grants]"
            )
        );
        assert_eq!(refused(&call(&cx, "file.exists", &[t(path)]).await), why);
    }
    // What may be read may not be written, and the other way round.
    let write = async |path: &str| call(&cx, "file.write", &[t(path), t("x")]).await;
    assert!(refused(&write("notes/a.md").await).contains("`write file notes/a.md`"));
    write("out/new/x").await.unwrap();
    call(&cx, "file.append", &[t("out/new/x"), t("y")]).await.unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("out/new/x")).unwrap(), "xy");
    refused(&read("out/new/x").await);
}

#[cfg(unix)]
#[tokio::test]
async fn links_lead_nowhere_that_is_not_granted() {
    use std::os::unix::fs::symlink;
    let dir = project();
    let root = dir.path();
    symlink(root.join("secret"), root.join("notes/away")).unwrap();
    symlink("../secret/key", root.join("notes/key")).unwrap();
    symlink(root.join("secret/new"), root.join("notes/dangling")).unwrap();
    symlink("a.md", root.join("notes/inside")).unwrap();
    symlink("notes", root.join("elsewhere")).unwrap();
    let cx = under(root, &["read = ['file elsewhere']\nwrite = ['file notes']"]);
    // The grant itself may be a link, and links within it are followed.
    for path in ["notes/a.md", "elsewhere/a.md", "notes/inside"] {
        assert_eq!(call(&cx, "file.read", &[t(path)]).await, Ok(t("a")), "{path}");
    }
    for path in ["notes/away/key", "notes/key", "notes/dangling", "notes/away"] {
        refused(&call(&cx, "file.read", &[t(path)]).await);
        refused(&call(&cx, "file.stat", &[t(path)]).await);
    }
    for path in ["notes/away/x", "notes/key", "notes/dangling"] {
        refused(&call(&cx, "file.append", &[t(path), t("x")]).await);
        refused(&call(&cx, "file.write", &[t(path), t("x")]).await);
    }
    assert_eq!(fs::read_to_string(root.join("secret/key")).unwrap(), "k");
    assert!(!root.join("secret/new").exists());
    let listed = call(&cx, "file.list", &[t("notes"), t("**")]).await.unwrap();
    let names: Vec<_> =
        listed.as_list().unwrap().iter().map(|entry| entry.fields()[0].clone()).collect();
    assert_eq!(names, ["a.md", "deep/b.md", "inside"].map(t));
}

fn page(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text, "text/plain")
}

#[tokio::test]
async fn hosts_ports_redirects_and_private_addresses_are_held() {
    let (server, other) = (MockServer::start().await, MockServer::start().await);
    let (port, far) = (server.address().port(), other.address().port());
    Mock::given(path("/")).respond_with(page("here")).mount(&server).await;
    Mock::given(path("/")).respond_with(page("there")).mount(&other).await;
    for (at, to) in [
        ("/port", format!("http://127.0.0.1:{far}/")),
        ("/name", format!("http://LOCALHOST:{port}/")),
        ("/home", format!("http://127.0.0.1:{port}/")),
        ("/two", "/home".to_owned()),
    ] {
        let answer = ResponseTemplate::new(302).insert_header("location", to);
        Mock::given(path(at)).respond_with(answer).mount(&server).await;
    }
    let here = Path::new(".");
    let fetch = async |table: &str, url: &str| {
        let cx = under(here, &[table]);
        call(&cx, "web.fetch", &[t(url)]).await
    };
    let (own, localhost) =
        (format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}/"));
    let exact = format!("read = ['net 127.0.0.1:{port}']");
    for url in
        [own.clone(), format!("{own}/home"), format!("{own}/two"), format!("http://0x7f.1:{port}/")]
    {
        fetch(&exact, &url).await.unwrap();
    }
    for (url, lacks) in [
        (format!("{own}/port"), format!("net 127.0.0.1:{far}")),
        (format!("{own}/name"), format!("net localhost:{port}")),
        (format!("http://127.0.0.1:{far}/"), format!("net 127.0.0.1:{far}")),
        (format!("http://[::ffff:127.0.0.1]:{far}/"), format!(":{far}")),
        ("http://127.0.0.1/".into(), "net 127.0.0.1".into()),
    ] {
        let result = fetch(&exact, &url).await;
        let why = refused(&result);
        assert!(why.contains(&lacks) && why.contains("to `read` under [grants]"), "{url}: {why}");
    }
    // A host by its name, however it is written; `localhost` means this machine, so it may. (Not every system finds it with
    // a dot behind it.)
    let named = format!("read = ['net LocalHost.:{port}']");
    for host in ["localhost", "LOCALHOST", "localhost."] {
        let result = fetch(&named, &format!("http://{host}:{port}/")).await;
        assert!(!matches!(result, Err(Failure::Refused { .. })), "{host}: {result:?}");
        assert!(result.is_ok() || host.ends_with('.'), "{host}: {result:?}");
        refused(&fetch("read = ['net local']", &format!("http://{host}:{port}/")).await);
    }
    // The whole net is the public one.
    for url in [&own, &localhost] {
        let result = fetch("read = ['net']", url).await;
        assert!(refused(&result).contains("to `private` under [grants]"), "{result:?}");
        refused(&fetch("read = true", url).await);
        fetch("read = ['net']\nprivate = true", url).await.unwrap();
        fetch("read = ['net']\nprivate = ['127.0.0.0/8', '::1']", url).await.unwrap();
    }
    fetch("read = ['net']\nprivate = ['localhost']", &localhost).await.unwrap();
    refused(&fetch("read = ['net']\nprivate = ['localhost']", &own).await);
    // Which name stands for an address counts, not which addresses others were granted.
    refused(&fetch(&format!("read = ['net', 'net 127.0.0.1:{port}']"), &localhost).await);

    // A request may change something, so it is a write.
    let request = async |table: &str| {
        let args = [t(&own), t("GET"), Value::Map(Default::default()), t("")];
        call(&under(here, &[table]), "http.request", &args).await
    };
    assert!(refused(&request(&exact).await).contains("to `write`"));
    request(&exact.replace("read", "write")).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn programs_are_the_files_that_are_granted() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let dir = tempdir().unwrap();
    let root = dir.path();
    fs::create_dir(root.join("bin")).unwrap();
    for (name, text) in
        [("ours", "#!/bin/sh\necho ours $0\n"), ("theirs", "#!/bin/sh\necho theirs\n")]
    {
        let path = root.join("bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    symlink("bin", root.join("tools")).unwrap();
    symlink("theirs", root.join("bin/alias")).unwrap();
    let run = async |table: &str, program: &str| {
        let argv = Value::list(vec![t(program)]);
        let args = [argv, t("."), t(""), Value::Duration(10_000_000_000)];
        call(&under(root, &[table]), "process.run", &args).await
    };
    let table = "write = ['process bin/ours', 'process echo']";
    let absolute = root.join("bin/ours");
    for program in
        ["bin/ours", "./bin/../tools/ours", absolute.to_str().unwrap(), "echo", "/bin/echo"]
    {
        let ended = run(table, program).await.unwrap();
        assert_eq!(ended.fields()[0], Value::Int(0), "{program}");
    }
    for program in ["bin/theirs", "bin/alias", "ours", "sh", "/bin/sh", "no-such-program"] {
        let result = run(table, program).await;
        let lacks = format!("add \"process {program}\" to `write`");
        assert!(refused(&result).contains(&lacks), "{result:?}");
    }
    run("write = ['process']", "bin/theirs").await.unwrap();
    refused(&run("write = ['file', 'net']", "echo").await);
    let missing = run("write = ['process no-such-program']", "no-such-program").await;
    assert!(matches!(missing, Err(Failure::Tool { .. })), "{missing:?}");
}

#[tokio::test]
async fn what_no_table_names_is_refused_and_each_table_counts() {
    let here = Path::new(".");
    for (leaf, args, key) in [
        ("clock.now", vec![], "clock"),
        ("clock.sleep", vec![Value::Duration(1)], "clock"),
        ("random.uuid", vec![], "random"),
        ("out.status", vec![t("x")], "emit"),
    ] {
        let result = call(&under(here, &["read = true\nwrite = true"]), leaf, &args).await;
        assert!(refused(&result).contains(&format!("write `{key} = true`")), "{result:?}");
        call(&under(here, &[&format!("{key} = true")]), leaf, &args).await.unwrap();
        let both = under(here, &[&format!("{key} = true"), ""]);
        assert!(refused(&call(&both, leaf, &args).await).contains("1.toml"));
    }
    // What computes has no effects, and no table stands in its way.
    let date = call(&under(here, &[""]), "text.sentences", &[t("a. b.")]).await;
    assert_eq!(date, Ok(Value::list(vec![t("a."), t("b.")])));
}

#[test]
fn what_is_needed_is_known_before_it_runs() {
    let dir = project();
    let profile = grants(
        dir.path(),
        &[
            "read = ['file notes', 'net *.example.com', 'net 10.0.0.5', 'mcp']\nwrite = ['process git', 'payments.eu']\nmodel = ['fast']\nhuman = ['lead']\nclock = true",
        ],
    );
    let of = |write: bool, resource: &'static str, part: Part<'static>| {
        profile.reach(Need::Resource { write, resource, part }, dir.path())
    };
    use Part::{Known, Unknown, Whole};
    for (need, expected) in [
        (of(false, "file", Unknown), Reach::Part),
        (of(false, "file", Whole), Reach::None),
        (of(true, "file", Unknown), Reach::None),
        (of(false, "file", Known("notes/x")), Reach::All),
        (of(false, "file", Known("notes/../one")), Reach::None),
        (of(false, "file.notes", Whole), Reach::All),
        (of(false, "net", Unknown), Reach::Part),
        (of(false, "net", Known("https://a.example.com/x")), Reach::All),
        (of(false, "net", Known("https://example.com/x")), Reach::None),
        (of(false, "net", Known("http://10.0.0.5/")), Reach::All),
        (of(false, "net", Known("http://localhost/")), Reach::None),
        (of(false, "net.a.example.com", Whole), Reach::All),
        (of(false, "net.\"a.example.com\"", Whole), Reach::All),
        (of(false, "net.b.example", Whole), Reach::None),
        (of(false, "mcp.github", Whole), Reach::All),
        (of(false, "mcpx", Whole), Reach::None),
        (of(true, "process", Unknown), Reach::Part),
        (of(true, "process", Known("rm")), Reach::None),
        (of(true, "payments.eu.large", Whole), Reach::All),
        (of(true, "payments", Whole), Reach::None),
        (of(true, "", Whole), Reach::None),
        (profile.reach(Need::Model(Some("fast")), dir.path()), Reach::All),
        (profile.reach(Need::Model(Some("smart")), dir.path()), Reach::None),
        (profile.reach(Need::Person(Some("lead")), dir.path()), Reach::All),
        (profile.reach(Need::Person(None), dir.path()), Reach::Part),
        (profile.reach(Need::Clock, dir.path()), Reach::All),
        (profile.reach(Need::Random, dir.path()), Reach::None),
    ] {
        assert_eq!(need, expected);
    }
    let lacks =
        Need::Resource { write: false, resource: "net", part: Known("https://b.example:8443/x/") };
    assert_eq!(lacks.text(), "read net b.example:8443");
    assert_eq!(lacks.advice(), "add \"net b.example:8443\" to `read`");
    assert_eq!(profile.lacking(lacks, dir.path()), ["0.toml"]);
    assert_eq!(ProfileGrants::default().reach(lacks, dir.path()), Reach::All);
}
