//! Stable paths of nodes, rendered only when somebody asks: `support/reply.draft#2`.
//!
//! A path begins with the graph of the run. `/` leads into a node, whatever encloses it; a call adds nothing (its
//! node names it). `[3]` is an item of a `for` or a round of a `loop`, `.1` an arm, `@2` the second attempt,
//! `.else` the last resort of a loop, `.fallback` that of a policy, `.catch0` a handler. Each part depends only on
//! the text of its own block and on values, so edits elsewhere and other schedules leave it alone.

use std::fmt::Write as _;

use smallvec::SmallVec;

use crate::event::EffectId;
use crate::load::Loaded;
use crate::machine::state::{Role, State};

/// The path of a node in flight.
pub(crate) fn render(loaded: &Loaded, state: &State, effect: EffectId) -> Option<String> {
    let frame = state.frames.get(effect.frame as usize)?;
    if !frame.alive || frame.generation != effect.generation {
        return None;
    }
    // From the inside out, then turned around.
    let mut steps: SmallVec<[_; 8]> = SmallVec::new();
    let (mut at, mut node) = (effect.frame, effect.node);
    loop {
        let frame = state.frames.get(at as usize)?;
        steps.push((frame, node));
        if matches!(frame.role, Role::Root | Role::Undo) {
            break;
        }
        (at, node) = (frame.parent, frame.node);
    }
    let program = loaded.program();
    let mut path = String::new();
    for (frame, node) in steps.into_iter().rev() {
        let index = frame.index;
        let _ = match frame.role {
            Role::Root => {
                let graph = loaded.graph_of(kait_ir::RegionId(frame.region));
                path.push_str(&program.graphs.get(graph.index())?.name);
                Ok(())
            }
            Role::Call => Ok(()),
            Role::Undo => {
                path.push_str(&frame.extra.as_ref()?.place.as_ref()?.path);
                Ok(())
            }
            Role::Arm | Role::Racer => write!(path, ".{index}"),
            Role::Item | Role::Round => write!(path, "[{index}]"),
            Role::Otherwise => write!(path, ".else"),
            Role::Body if index > 1 => write!(path, "@{index}"),
            Role::Body => Ok(()),
            Role::Handler => write!(path, ".catch{index}"),
            Role::Fallback => write!(path, ".fallback"),
        };
        let region = program.regions.get(frame.region as usize)?;
        path.push('/');
        path.push_str(&region.nodes.get(node as usize)?.path);
    }
    Some(path)
}
