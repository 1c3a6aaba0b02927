//! `std.file`, `std.process` and the small leaves.

use std::fs;
use std::time::Duration;

use kait_connect::{Access, Config, Connections, Limits};
use kait_ir::{Failure, Value};
use tempfile::tempdir;

use crate::support::{at, call, granted, t, words};

#[tokio::test]
async fn text_is_read_and_each_obstacle_named() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("notes.md"), "\u{feff}tea\n").unwrap();
    fs::write(dir.path().join("latin.txt"), b"caf\xe9").unwrap();
    fs::create_dir(dir.path().join("docs")).unwrap();
    let cx = at(dir.path());
    assert_eq!(call(&cx, "file.read", &[t("notes.md")]).await, Ok(t("tea\n")));
    for (path, expected) in [
        ("note.md", "did you mean `notes.md`?"),
        ("NOTES.MD", "did you mean `notes.md`?"),
        ("zzz", "there is no file `zzz`"),
        ("nowhere/a.md", "there is no directory"),
        ("docs", "is a directory, not a file"),
        ("notes.md/x", "is a file, not a directory"),
        ("latin.txt", "not UTF-8 text: byte 3"),
        ("a\0b", "zero character"),
    ] {
        let why = words(call(&cx, "file.read", &[t(path)]).await);
        assert!(why.contains(expected), "{path}: {why}");
    }
    assert_eq!(
        call(&cx, "file.bytes", &[t("latin.txt")]).await,
        Ok(Value::Bytes(b"caf\xe9"[..].into()))
    );
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_refused_before_it_is_read() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("big"), vec![b'x'; 101]).unwrap();
    let limits = Limits { file: 100, ..Limits::default() };
    let cx = Connections::new(Config { root: dir.path().into(), limits, ..Config::default() });
    assert!(words(call(&cx, "file.read", &[t("big")]).await).contains("too large"));
    fs::write(dir.path().join("big"), vec![b'x'; 100]).unwrap();
    call(&cx, "file.read", &[t("big")]).await.unwrap();
}

#[tokio::test]
async fn writing_replaces_as_a_whole_and_leaves_nothing_behind() {
    let dir = tempdir().unwrap();
    let cx = at(dir.path());
    assert_eq!(call(&cx, "file.write", &[t("out/deep/a.txt"), t("one")]).await, Ok(Value::None));
    call(&cx, "file.write", &[t("out/deep/a.txt"), t("two")]).await.unwrap();
    call(&cx, "file.append", &[t("out/deep/a.txt"), t("+")]).await.unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("out/deep/a.txt")).unwrap(), "two+");
    assert_eq!(fs::read_dir(dir.path().join("out/deep")).unwrap().count(), 1);
    assert!(words(call(&cx, "file.write", &[t("out"), t("x")]).await).contains("is a directory"));
    assert_eq!(call(&cx, "file.exists", &[t("out/deep")]).await, Ok(Value::Bool(true)));
    assert_eq!(call(&cx, "file.exists", &[t("out/none")]).await, Ok(Value::Bool(false)));
}

#[tokio::test]
async fn an_abandoned_write_still_runs_to_its_end() {
    let dir = tempdir().unwrap();
    let cx = at(dir.path());
    // Polled never, dropped at once.
    drop(tokio::time::timeout(Duration::ZERO, call(&cx, "file.write", &[t("a"), t("x")])).await);
    for _ in 0..200 {
        if dir.path().join("a").exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the file was never written");
}

#[tokio::test]
async fn lists_match_patterns_in_order() {
    let dir = tempdir().unwrap();
    for path in
        ["docs/b.md", "docs/a.md", "docs/x.txt", "docs/sub/c.md", "docs/.hidden/d.md", "docs/.e.md"]
    {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "12345").unwrap();
    }
    let cx = at(dir.path());
    let paths = async |dir: &str, glob: &str| {
        let found = call(&cx, "file.list", &[t(dir), t(glob)]).await.unwrap();
        let path = |entry: &Value| (entry.fields()[0].clone(), entry.fields()[1].clone());
        found.as_list().unwrap().iter().map(path).collect::<Vec<_>>()
    };
    let pair = |name: &str, path: &str| (t(name), t(path));
    assert_eq!(paths("docs", "*.md").await, [pair("a.md", "docs/a.md"), pair("b.md", "docs/b.md")]);
    let deep = ["docs/a.md", "docs/b.md", "docs/sub/c.md"].map(|path| pair(&path[5..], path));
    assert_eq!(paths("docs/", "**/*.md").await, deep);
    assert_eq!(paths(".", "docs/*.{txt,pdf}").await, [pair("docs/x.txt", "docs/x.txt")]);
    assert_eq!(paths("docs", ".e.*").await, [pair(".e.md", "docs/.e.md")]);
    assert!(words(call(&cx, "file.list", &[t("docs/a.md"), t("*")]).await).contains("is a file"));
    assert!(
        words(call(&cx, "file.list", &[t("doc"), t("*")]).await).contains("did you mean `docs`?")
    );
    assert!(words(call(&cx, "file.list", &[t("docs"), t("[")]).await).contains("cannot be read"));
    let stat = call(&cx, "file.stat", &[t("docs/a.md")]).await.unwrap();
    assert_eq!(stat.fields()[..3], [t("a.md"), t("docs/a.md"), Value::Size(5)]);
}

#[tokio::test]
async fn pictures_are_known_by_their_content() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("a.txt"), b"\x89PNG\r\n\x1a\n....").unwrap();
    fs::write(dir.path().join("b.png"), b"no picture").unwrap();
    let cx = at(dir.path());
    let Ok(Value::Blob(blob)) = call(&cx, "file.image", &[t("a.txt")]).await else { panic!() };
    assert_eq!((blob.name.as_str(), blob.media_type.as_str()), ("a.txt", "image/png"));
    assert!(words(call(&cx, "file.image", &[t("b.png")]).await).contains("not a PNG"));
    let Ok(Value::Blob(blob)) = call(&cx, "file.open", &[t("b.png")]).await else { panic!() };
    assert_eq!(blob.media_type, "text/plain");
}

#[cfg(unix)]
#[tokio::test]
async fn links_do_not_lead_out_of_what_is_granted() {
    let (inside, outside) = (tempdir().unwrap(), tempdir().unwrap());
    fs::write(outside.path().join("secret"), "s").unwrap();
    std::os::unix::fs::symlink(outside.path(), inside.path().join("link")).unwrap();
    fs::write(inside.path().join("open"), "o").unwrap();
    fn allow(access: Access<'_>) -> bool {
        match access {
            // The marker file is only in the granted directory.
            Access::ReadFile { path, .. } | Access::WriteFile { path, .. } => {
                let dir = if path.is_dir() { path } else { path.parent().unwrap() };
                dir.join("open").exists()
            }
            _ => false,
        }
    }
    let cx = granted(inside.path(), allow);
    assert_eq!(call(&cx, "file.read", &[t("open")]).await, Ok(t("o")));
    for (name, args) in [
        ("file.read", vec![t("link/secret")]),
        ("file.exists", vec![t("link/secret")]),
        ("file.write", vec![t("link/new"), t("x")]),
        ("file.append", vec![t("link/secret"), t("x")]),
        ("file.read", vec![t(outside.path().join("secret").to_str().unwrap())]),
    ] {
        let result = call(&cx, name, &args).await;
        assert!(matches!(result, Err(Failure::Refused { .. })), "{name}: {result:?}");
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

fn argv(parts: &[&str]) -> Value {
    Value::list(parts.iter().copied().map(Value::text).collect())
}

#[cfg(unix)]
#[tokio::test]
async fn programs_run_without_a_shell_and_end_in_time() {
    let dir = tempdir().unwrap();
    let cx = at(dir.path());
    let run = async |parts: &[&str], stdin: &str, millis: i64| {
        let args = [argv(parts), t("."), t(stdin), Value::Duration(millis * 1_000_000)];
        call(&cx, "process.run", &args).await
    };
    let result =
        |status, out: &str, err: &str| Ok(Value::record([Value::Int(status), t(out), t(err)]));
    assert_eq!(run(&["cat"], "tea", 5000).await, result(0, "tea", ""));
    assert_eq!(run(&["echo", "$HOME; ls"], "", 5000).await, result(0, "$HOME; ls\n", ""));
    assert_eq!(run(&["sh", "-c", "echo no >&2; exit 3"], "", 5000).await, result(3, "", "no\n"));
    assert_eq!(run(&["sh", "-c", "kill -9 $$"], "", 5000).await, result(137, "", ""));
    assert_eq!(run(&["sleep", "30"], "", 50).await, Err(Failure::Timeout));
    // What a program has started goes with it.
    let family = ["sh", "-c", "sleep 30 & echo $! > child; wait"];
    assert_eq!(run(&family, "", 300).await, Err(Failure::Timeout));
    let child = fs::read_to_string(dir.path().join("child")).unwrap();
    let stat = format!("/proc/{}/stat", child.trim());
    let gone = || match fs::read_to_string(&stat) {
        Ok(stat) => stat.contains(") Z "),
        Err(_) => true,
    };
    for _ in 0..100 {
        if gone() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(gone(), "a child of the program that was ended is still there");
    assert!(words(run(&["no-such-program-here"], "", 5000).await).contains("there is no program"));
    assert!(words(run(&[], "", 5000).await).contains("empty"));
    // A pipe's buffer is far smaller than this: reading and writing must overlap.
    let long = "x".repeat(1 << 20);
    assert_eq!(run(&["cat"], &long, 20_000).await, result(0, &long, ""));
    let refused = granted(dir.path(), |_| false);
    let args = [argv(&["cat"]), t("."), t(""), Value::Duration(1)];
    assert!(matches!(call(&refused, "process.run", &args).await, Err(Failure::Refused { .. })));
}

#[tokio::test]
async fn small_leaves_answer() {
    let cx = Connections::new(Config::default());
    assert!(matches!(call(&cx, "clock.now", &[]).await, Ok(Value::Time(_))));
    let time = Value::Time("2026-07-01T12:34:56Z".parse().unwrap());
    assert_eq!(call(&cx, "time.weekday", &[time.clone(), t("UTC")]).await, Ok(Value::Tag(2)));
    for (zone, pattern, expected) in [
        ("UTC", "", "2026-07-01T12:34:56Z"),
        ("Europe/Vienna", "", "2026-07-01T14:34:56+02:00"),
        ("Europe/Vienna", "%d.%m.%Y %H:%M", "01.07.2026 14:34"),
    ] {
        assert_eq!(
            call(&cx, "time.format", &[time.clone(), t(zone), t(pattern)]).await,
            Ok(t(expected))
        );
    }
    assert!(
        words(call(&cx, "time.format", &[time.clone(), t("Mars"), t("")]).await)
            .contains("Europe/Vienna")
    );
    assert!(words(call(&cx, "time.format", &[time, t("UTC"), t("%!")]).await).contains("pattern"));
    let Ok(Value::Int(n)) =
        call(&cx, "random.int", &[Value::Int(i64::MIN), Value::Int(i64::MAX)]).await
    else {
        panic!()
    };
    let _ = n;
    assert_eq!(call(&cx, "random.int", &[Value::Int(3), Value::Int(3)]).await, Ok(Value::Int(3)));
    assert!(call(&cx, "random.int", &[Value::Int(4), Value::Int(3)]).await.is_err());
    assert_eq!(call(&cx, "random.choice", &[Value::list(vec![])]).await, Ok(Value::None));
    assert_eq!(call(&cx, "clock.sleep", &[Value::Duration(1)]).await, Ok(Value::None));
    let sentences = call(&cx, "text.sentences", &[t("a. b.")]).await;
    assert_eq!(sentences, Ok(Value::list(vec![t("a."), t("b.")])));
    assert_eq!(call(&cx, "no.such", &[]).await, Err(Failure::Unbound { name: "no.such".into() }));
}
