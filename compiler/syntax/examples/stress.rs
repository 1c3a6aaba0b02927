//! scratch
use std::time::Instant;
fn main() {
    let n = 100_000;
    let cases: Vec<(&str, String)> = vec![
        ("brackets", "[".repeat(n)),
        ("parens closed", format!("let x = {}1{}\n", "(".repeat(n), ")".repeat(n))),
        ("braces", "graph f() -> int ".to_string() + &"{".repeat(n)),
        ("mixed", "let x = ".to_string() + &"[(".repeat(n)),
        ("mixed wrong", "let x = ".to_string() + &"[".repeat(n) + &")".repeat(n)),
        ("interp", "let x = ".to_string() + &"\"${".repeat(n)),
        ("interp3", "let x = ".to_string() + &"\"\"\"${".repeat(n)),
        ("minus", "let x = ".to_string() + &"-".repeat(n) + "1"),
        ("not", "let x = ".to_string() + &"not ".repeat(n) + "a"),
        ("fail", "let x = ".to_string() + &"fail ".repeat(n) + "a"),
        ("dots", "let x = a".to_string() + &".b".repeat(n)),
        ("plus", "let x = a".to_string() + &" + b".repeat(n)),
        ("coal", "let x = a".to_string() + &" ?? b".repeat(n)),
        ("pipe", "let x = a".to_string() + &" |> b".repeat(n)),
        ("catch", "let x = a".to_string() + &" catch { _ => b }".repeat(n)),
        ("ternary", "let x = a".to_string() + &" ? b : c".repeat(n)),
        ("ternary2", "let x = a".to_string() + &" ? b".repeat(n)),
        ("elseif", "graph f() -> int { if a {}".to_string() + &" else if a {}".repeat(n) + "}"),
        ("elif", "graph f() -> int { if a {}".to_string() + &" elif a {}".repeat(n) + "}"),
        ("quals", "let x: ".to_string() + &"trusted ".repeat(n) + "text = 1"),
        ("types", "let x: ".to_string() + &"[".repeat(n) + "text"),
        ("arrays", "let x: text".to_string() + &"[]".repeat(n) + "= 1"),
        ("generic", "let x: ".to_string() + &"A<".repeat(n) + "text"),
        ("pats", "graph f() -> int { match x { ".to_string() + &"A(".repeat(n)),
        ("patlists", "graph f() -> int { match x { ".to_string() + &"[".repeat(n)),
        ("return", "graph f() -> int { ".to_string() + &"return ".repeat(n)),
        ("await", "graph f() -> int { ".to_string() + &"await ".repeat(n)),
        ("semi", ";".repeat(n)),
        ("semis", "graph f() -> int { ".to_string() + &"a;".repeat(n)),
        ("quote", "'".repeat(n)),
        ("dq", "\"".repeat(n)),
        ("dq1", "\"".repeat(n + 1)),
        ("bt", "`".repeat(n + 1)),
        ("comments", "/*".repeat(n)),
        ("hash", "#\n".repeat(n)),
        ("commas", "let x = f(".to_string() + &",".repeat(n)),
        ("closers", ")".repeat(n)),
        ("closers2", "}".repeat(n)),
        ("lets", "let ".repeat(n)),
        ("let lines", "let\n".repeat(n)),
        ("graphs", "graph ".repeat(n)),
        ("graph lines", "graph\n".repeat(n)),
        ("unclosed graphs", "graph f() -> int {\n".repeat(n)),
        ("unclosed lists", "let x = [\n".repeat(n)),
        ("unclosed texts", "let x = \"a\n".repeat(n)),
        ("unclosed triple", "let x = \"\"\"a ${\nlet y = 1\n".repeat(n / 10)),
        ("bad", "let x = @\n".repeat(n)),
        ("badnames", "let userName = fooBar\n".repeat(n)),
        ("Upper", "let Foo = 1\n".repeat(n)),
        ("name colon", "graph f() -> int { ".to_string() + &"a: b ".repeat(n)),
        ("names", "a ".repeat(n)),
        ("lines", "graph f() -> int {\n".to_string() + &"a b\n".repeat(n)),
        ("eq", "graph f() -> int { ".to_string() + &"a = ".repeat(n)),
        ("lambda", "let x = f(".to_string() + &"x => ".repeat(n)),
        ("bars", "let x = ".to_string() + &"|".repeat(n)),
        ("unicode", "ä".repeat(n)),
        ("bidi", "//\u{202e}\n".repeat(n)),
        ("docs", "///\n".repeat(n)),
        ("docsx", "/// a\n\n let".repeat(n)),
        ("records", "graph f() -> int {".to_string() + &"A { a: ".repeat(n)),
        ("recordlit", "graph f() -> int {\n".to_string() + &"A { a: 1 }\n".repeat(n)),
        ("while", "graph f() -> int {".to_string() + &"while a { ".repeat(n)),
        ("if", "graph f() -> int {".to_string() + &"if a { ".repeat(n)),
        ("if2", "graph f() -> int {".to_string() + &"if ".repeat(n)),
        ("for", "graph f() -> int {".to_string() + &"for x in ".repeat(n)),
        ("match", "graph f() -> int {".to_string() + &"match ".repeat(n)),
        ("loop", "graph f() -> int {".to_string() + &"loop a = ".repeat(n)),
        ("arms", "graph f() -> int { match x {".to_string() + &"a => ".repeat(n)),
        ("arms2", "graph f() -> int { match x {\n".to_string() + &"a => match x {\n".repeat(n)),
        ("longline list", "let x = [".to_string() + &"{".repeat(n) + &"(".repeat(n)),
        ("braceclose", "graph f() -> int {".to_string() + &"(}".repeat(n)),
        ("case", "graph f() -> int { match x {".to_string() + &"case ".repeat(n)),
        ("export", "export ".repeat(n)),
        ("pub", "pub ".repeat(n)),
        ("priv", "private ".repeat(n)),
        ("expectrec", "record A {".to_string() + &"a: int ".repeat(n)),
        ("typestart", "let x: a".to_string() + &".b".repeat(n) + &"[]".repeat(n)),
        ("nestedcall", "let x = ".to_string() + &"f(".repeat(n)),
        ("wrongclose", "let x = ".to_string() + &"f(a] ".repeat(n)),
        ("wrongclose2", "let x = ".to_string() + &"(]".repeat(n)),
    ];
    for (name, text) in cases {
        let t = Instant::now();
        let p = kait_syntax::parse(&text);
        let d = t.elapsed();
        // height
        let mut h = 0;
        for node in p.tree.root().descendants().step_by(977) {
            h = h.max(node.ancestors().take(5000).count());
        }
        let h2 = p
            .tree
            .node(0)
            .map(|_| {
                let mut m = 0;
                let mut depth: Vec<u32> = vec![0; p.tree.len()];
                for e in p.tree.elements() {
                    let i = e.index();
                    if i > 0 {
                        let par = match e {
                            kait_syntax::SyntaxElement::Node(n) => n.parent().unwrap().index(),
                            kait_syntax::SyntaxElement::Token(t) => t.parent().index(),
                        };
                        depth[i as usize] = depth[par as usize] + 1;
                        m = m.max(depth[i as usize]);
                    }
                }
                m
            })
            .unwrap_or(0)
            .max(h as u32);
        let ok: String = p.tree.tokens().map(|t| t.text()).collect();
        assert_eq!(ok, text, "{name}");
        let flag = if d.as_millis() > 700 || h2 > 520 || p.errors.len() > 1 { "  <<<" } else { "" };
        println!(
            "{name:16} {:>8.1?} height {h2} errors {} {}{flag}",
            d,
            p.errors.len(),
            p.errors.first().map(|e| format!("{} {}", e.code, e.message)).unwrap_or_default()
        );
    }
}
