//! scratch
fn main() {
    for f in std::env::args().skip(1) {
        let t = std::fs::read_to_string(&f).unwrap();
        let p = kait_syntax::parse(&t);
        if std::env::var("TREE").is_ok() {
            println!("{}", p.tree.dump());
        }
        assert_eq!(p.tree.tokens().map(|t| t.text()).collect::<String>(), t);
        println!("{f}: {} errors", p.errors.len());
        let li = kait_syntax::LineIndex::new(&t);
        for e in &p.errors {
            let lc = li.line_col(e.range.start());
            println!(
                "  {} {}:{} {} [{:?}] rel={:?} help={:?} fix={:?}",
                e.code,
                lc.line + 1,
                lc.col + 1,
                e.message,
                &t[e.range],
                e.related,
                e.help,
                e.fix
            );
        }
    }
}
