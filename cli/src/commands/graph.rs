//! `kait graph`: draws a graph.

use std::io::Write as _;
use std::path::Path;

use kait_ir::draw;

use crate::args::{GraphArgs, GraphFormat};
use crate::exit::Exit;
use crate::{compile, files};

/// Draws it.
pub fn run(args: &GraphArgs) -> anyhow::Result<Exit> {
    let (file, wanted) = files::split(&args.file);
    let Ok(compiled) = compile::to_keep(Path::new(file), wanted)? else {
        return Ok(Exit::Failed);
    };
    let program = &compiled.program;
    let named: Vec<_> = (0..)
        .map(kait_ir::GraphId)
        .zip(&program.graphs)
        .filter(|(_, graph)| match wanted {
            Some(wanted) => graph.name == wanted,
            None => graph.public,
        })
        .map(|(id, _)| id)
        .collect();
    let graph = match (named.as_slice(), wanted) {
        ([graph], _) => *graph,
        ([first, ..], None) => program
            .graphs
            .iter()
            .position(|g| g.name == "main")
            .and_then(|at| u32::try_from(at).ok())
            .map_or(*first, kait_ir::GraphId),
        _ => {
            let wanted = wanted.map(|w| format!(" `{w}`")).unwrap_or_default();
            anstream::eprintln!("error K9040: `{file}` has no graph{wanted}");
            for graph in &program.graphs {
                anstream::eprintln!("   kait graph {file}:{}", graph.name);
            }
            return Ok(Exit::Usage);
        }
    };
    let drawn = match args.format {
        GraphFormat::Text => draw::text(program, graph),
        GraphFormat::Svg => draw::svg(program, graph),
        GraphFormat::Mermaid => draw::mermaid(program, graph),
        GraphFormat::Json => format!("{:#}\n", draw::json(program, graph)),
    };
    std::io::stdout().write_all(drawn.as_bytes())?;
    Ok(Exit::Done)
}
