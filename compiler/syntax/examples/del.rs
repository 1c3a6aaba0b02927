//! scratch
fn main() {
    let mut total = 0;
    let mut multi = 0;
    let mut shown = 0;
    let skip: usize = std::env::var("SKIP").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    let mode = std::env::var("MODE").unwrap_or("del".into());
    for f in std::env::args().skip(1) {
        let t = std::fs::read_to_string(&f).unwrap();
        let p = kait_syntax::parse(&t);
        let toks: Vec<_> = p.tree.tokens().filter(|t| !t.kind().is_trivia()).collect();
        for (i, tok) in toks.iter().enumerate() {
            let (a, b) = (usize::from(tok.range().start()), usize::from(tok.range().end()));
            let reps: Vec<String> = match mode.as_str() {
                "del" => vec!["".into()],
                "dup" => vec![format!("{} {}", tok.text(), tok.text())],
                _ => vec![
                    toks[(i * 7919 + 13) % toks.len()].text().into(),
                    "}".into(),
                    "(".into(),
                    "\"".into(),
                    "let".into(),
                    "x".into(),
                    "]".into(),
                    "{".into(),
                    "=>".into(),
                    "1".into(),
                    ",".into(),
                ],
            };
            for rep in reps {
                let m = if rep.is_empty() || rep == "\"" {
                    format!("{}{}{}", &t[..a], rep, &t[b..])
                } else {
                    format!("{} {} {}", &t[..a], rep, &t[b..])
                };
                let q = kait_syntax::parse(&m);
                total += 1;
                let n = q
                    .errors
                    .iter()
                    .filter(|e| e.severity() == kait_syntax::Severity::Error)
                    .count();
                if n > 1 {
                    multi += 1;
                    if multi > skip && shown < 25 {
                        shown += 1;
                        let li = kait_syntax::LineIndex::new(&m);
                        let lc = li.line_col(tok.range().start());
                        println!(
                            "{f}:{}:{} {:?} -> {rep:?}: {} errors",
                            lc.line + 1,
                            lc.col + 1,
                            tok.text(),
                            n
                        );
                        for e in q.errors.iter().take(4) {
                            let lc = li.line_col(e.range.start());
                            println!(
                                "    {} {}:{} {}   | {}",
                                e.code,
                                lc.line + 1,
                                lc.col + 1,
                                e.message,
                                m.lines().nth(lc.line as usize).unwrap_or("").trim()
                            );
                        }
                    }
                }
            }
        }
    }
    println!("{multi} of {total} give more than one error");
}
