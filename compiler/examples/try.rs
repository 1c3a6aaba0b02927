use kait_compiler::{diagnostics::render::terminal, sources::MemorySources};
fn main() {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.rsplit('/').next().unwrap().to_owned();
        let sources = MemorySources::single(name.clone(), text);
        let t = std::time::Instant::now();
        let c = kait_compiler::compile(&sources, &[&name]);
        println!("== {path}: {} findings, {:?}", c.diagnostics.len(), t.elapsed());
        print!("{}", terminal::render(&c.diagnostics, &c.files, Default::default()));
        if std::env::var("HIR").is_ok() {
            println!("{:#?}", c.hir.defs);
            println!("{:#?}", c.hir.bodies);
        }
    }
}
