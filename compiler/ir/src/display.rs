//! A program as readable text: for people who debug a compiler, and for golden tests.
//!
//! Nothing parses this form. A node is shown under its path; `$topic` is a parameter, `$0` a parameter of an inner
//! block, `%0` a local, and each `^` in front of a slot is one block outwards. What follows from the expressions
//! (data edges) is not repeated.

use std::cell::Cell;
use std::fmt::{self, Write};

use crate::expr::ExprId;
use crate::program::{
    Auth, Calling, EffectClass, Gate, Graph, GraphKind, HeaderText, KeyPlace, Node, NodeKind,
    Param, Program, Region, RegionId, ResourceId,
};
use crate::types::{Bound, FieldType, Trust, Type, TypeId};

mod exprs;
mod nodes;
mod values;

pub use values::ValueText;

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Dump::new(self);
        out.program();
        f.write_str(&out.text)
    }
}

impl Program {
    /// The text of a type: `[Finding]`, `text where (max_len: 140)`; a nominal type by its name.
    pub fn type_text(&self, id: TypeId) -> String {
        let mut text = String::new();
        write_type(&mut text, self, id, 0);
        text
    }
}

impl Program {
    /// An expression as text, for drawings; what it reads is shown without names.
    pub(crate) fn expr_text(&self, id: ExprId) -> String {
        Dump::new(self).expr(id)
    }

    /// What kind of value an expression gives, in a few words.
    pub(crate) fn result_text(&self, id: ExprId) -> String {
        use crate::expr::Expr;
        match self.exprs.get(id.0 as usize) {
            Some(Expr::Const(value)) => ValueText(value).to_string(),
            Some(Expr::Record(_)) => "a record".into(),
            Some(Expr::List(_)) => "a list".into(),
            Some(Expr::Template(_)) => "a text".into(),
            Some(Expr::Variant(..)) => "a variant".into(),
            Some(Expr::CallFn(function, _)) => {
                self.functions.get(function.index()).map_or("?", |f| f.name.as_str()).into()
            }
            Some(Expr::Native { name, .. }) => name.to_string(),
            Some(Expr::Fail(_)) => "fail".into(),
            _ => "a value".into(),
        }
    }
}

/// Deeper expressions are cut short: nobody reads them, and any bytes that decode may be dumped.
const MAX_DEPTH: u32 = 64;

/// Most expressions that one dump writes, as those that share others repeat them.
const MAX_EXPRS: u32 = 1 << 20;

/// Everything about one dump. Writing to a `String` cannot fail, so results of `write!` are dropped.
struct Dump<'p> {
    program: &'p Program,
    text: String,
    indent: usize,
    /// The blocks that enclose the place, innermost last, and the names of the parameters of the graph's own.
    regions: Vec<(&'p Region, &'p [Param])>,
    /// Expressions that may still be written.
    fuel: Cell<u32>,
}

impl<'p> Dump<'p> {
    fn new(program: &'p Program) -> Self {
        let fuel = Cell::new(MAX_EXPRS);
        Self { program, text: String::new(), indent: 0, regions: Vec::new(), fuel }
    }

    fn line(&mut self, text: &str) {
        let indent = "  ".repeat(self.indent);
        let _ = writeln!(self.text, "{indent}{text}");
    }

    fn program(&mut self) {
        let program = self.program;
        self.line(&format!("program {:?}", program.name.as_str()));
        let nominal = program.types.iter().filter(|(_, ty)| {
            matches!(ty, Type::Record(_) | Type::Enum(_) | Type::Refined { name: Some(_), .. })
        });
        for (_, ty) in nominal {
            let text = declaration(program, ty);
            self.line(&text);
        }
        for role in &program.roles {
            let mut needs = String::new();
            for (name, value) in &role.needs {
                let separator = if needs.is_empty() { " needs (" } else { ", " };
                let _ = write!(needs, "{separator}{name}: {}", ValueText(value));
            }
            let close = if needs.is_empty() { "" } else { ")" };
            self.line(&format!("model {}{needs}{close}", role.name));
        }
        for leaf in &program.leaves {
            let mut text = format!("leaf {}", leaf.name);
            let params = self.params(&leaf.params);
            let (trust, result) = (trust_text(leaf.trust), program.type_text(leaf.result));
            let _ = write!(text, "{params} -> {trust}{result}");
            let _ = write!(text, " does {}", class(leaf.class));
            text += &self.resources(" reads ", &leaf.reads);
            text += &self.resources(" writes ", &leaf.writes);
            text += if leaf.guarded { " needs approval" } else { "" };
            let _ = write!(text, " from {} {:?}", leaf.kind, leaf.locator.as_str());
            text += &calling(&leaf.with);
            self.line(&text);
        }
        for function in &program.functions {
            let body = self.expr(function.body);
            self.line(&format!("fn {}/{} = {body}", function.name, function.params.len()));
        }
        for graph in &program.graphs {
            self.graph(graph);
        }
        self.stubs();
    }

    fn graph(&mut self, graph: &'p Graph) {
        let word = match graph.kind {
            GraphKind::Graph => "graph",
            GraphKind::Prompt => "prompt",
            GraphKind::Test => "test",
        };
        let public = if graph.public { "pub " } else { "" };
        let params = self.params(&graph.params);
        let result = self.program.type_text(graph.result);
        let mut text = format!("{public}{word} {}{params} -> {result}", graph.name);
        if let Some(depth) = graph.depth {
            let _ = write!(text, " depth {depth}");
        }
        for (name, value) in &graph.budgets {
            let _ = write!(text, " {name} {}", self.expr(*value));
        }
        self.line(&text);
        self.indent += 1;
        self.region(graph.body, &graph.params);
        self.indent -= 1;
    }

    fn region(&mut self, id: RegionId, params: &'p [Param]) {
        let Some(region) = self.program.regions.get(id.index()) else { return };
        if self.regions.len() > MAX_DEPTH as usize || self.fuel.get() == 0 {
            self.line("…");
            return;
        }
        self.regions.push((region, params));
        for node in &region.nodes {
            self.node(node);
        }
        let result = self.expr(region.result);
        self.line(&format!("=> {result}"));
        self.regions.pop();
    }

    fn params(&mut self, params: &[Param]) -> String {
        let mut text = String::from("(");
        for (index, param) in params.iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            let stream = if param.stream { "stream " } else { "" };
            let ty = self.program.type_text(param.ty);
            let trust = trust_text(param.trust);
            let _ = write!(text, "{separator}{stream}{}: {trust}{ty}", param.name);
            if let Some(default) = param.default {
                let _ = write!(text, " = {}", self.expr(default));
            }
        }
        text.push(')');
        text
    }

    fn resources(&self, word: &str, ids: &[ResourceId]) -> String {
        let names: Vec<&str> = ids
            .iter()
            .map(|id| self.program.resources.get(id.index()).map_or("?", |name| name.as_str()))
            .collect();
        if names.is_empty() { String::new() } else { format!("{word}{}", names.join(", ")) }
    }

    /// What is worth saying about a node beside what it does.
    fn facts(&self, node: &Node) -> String {
        let mut facts: Vec<String> = Vec::new();
        let mut flag = |on: bool, text: &str| {
            if on {
                facts.push(text.into());
            }
        };
        flag(node.grows, "grows");
        flag(node.gate == Gate::All, "gate");
        flag(node.gate == Gate::Ask, "gate ask");
        flag(node.holds_gate && !node.kind.is_leaf(), "holds gate");
        flag(node.guard, "guard");
        facts.extend([
            self.resources("reads ", &node.reads),
            self.resources("writes ", &node.writes),
        ]);
        if !node.order.is_empty() {
            let nodes = self.regions.last().map_or(&[][..], |(region, _)| &region.nodes);
            let path = |at: &u32| nodes.get(*at as usize).map_or("?", |other| other.path.as_str());
            let names: Vec<&str> = node.order.iter().map(path).collect();
            facts.push(format!("after {}", names.join(", ")));
        }
        facts.retain(|fact| !fact.is_empty());
        if facts.is_empty() { String::new() } else { format!("  # {}", facts.join("; ")) }
    }

    fn stubs(&mut self) {
        let program = self.program;
        let test = program.graphs.iter().find(|graph| graph.kind == GraphKind::Test);
        if let Some(region) = test.and_then(|test| program.regions.get(test.body.index())) {
            self.regions.push((region, &[]));
        }
        for stub in &program.stubs {
            let target = self.target(stub.target);
            let params: Vec<String> =
                stub.params.iter().map(|(at, p)| format!("{at}: {}", self.pattern(p))).collect();
            let mut outcomes = Vec::new();
            for outcome in &stub.outcomes {
                let value = self.expr(outcome.value);
                let after = ValueText(&crate::Value::Duration(outcome.after)).to_string();
                outcomes.push(if outcome.after == 0 {
                    value
                } else {
                    format!("{value} after {after}")
                });
            }
            let line =
                format!("stub {target}({}) => {}", params.join(", "), outcomes.join(" then "));
            self.line(&line);
        }
        self.regions.clear();
    }
}

/// The word of the language for an effect.
fn trust_text(word: Option<Trust>) -> &'static str {
    match word {
        None => "",
        Some(Trust::Trusted) => "trusted ",
        Some(Trust::Untrusted) => "untrusted ",
        Some(Trust::Mixed) => "trusted untrusted ",
    }
}

fn class(class: EffectClass) -> &'static str {
    match class {
        EffectClass::Read => "read",
        EffectClass::Write { keyed: false } => "write",
        EffectClass::Write { keyed: true } => "keyed write",
        EffectClass::Emit => "emit",
        EffectClass::Clock => "clock",
        EffectClass::Random => "random",
        EffectClass::Model => "model",
        EffectClass::Human => "human",
    }
}

fn declaration(program: &Program, ty: &Type) -> String {
    let fields = |fields: &[FieldType]| {
        let all: Vec<String> = fields
            .iter()
            .map(|field| {
                let ty = program.type_text(field.ty);
                let wire = if field.wire == field.name {
                    String::new()
                } else {
                    format!(" as {:?}", field.wire.as_str())
                };
                let default = field.default.as_ref().map(|v| format!(" = {}", ValueText(v)));
                let trust = trust_text(field.trust);
                format!("{}: {trust}{ty}{}{wire}", field.name, default.unwrap_or_default())
            })
            .collect();
        all.join(", ")
    };
    match ty {
        Type::Record(record) => format!("record {} {{ {} }}", record.name, fields(&record.fields)),
        Type::Enum(e) => {
            let variants: Vec<String> = e
                .variants
                .iter()
                .map(|v| {
                    let payload = match v.fields.as_slice() {
                        [] => String::new(),
                        some => format!("({})", fields(some)),
                    };
                    format!("{}{payload} as {:?}", v.name, v.wire.as_str())
                })
                .collect();
            format!("enum {} {{ {} }}", e.name, variants.join(", "))
        }
        Type::Refined { name: Some(name), base, bounds } => {
            format!("type {name} = {}{}", program.type_text(*base), bounds_text(bounds))
        }
        _ => String::new(),
    }
}

fn bounds_text(bounds: &[Bound]) -> String {
    let all: Vec<String> = bounds
        .iter()
        .map(|bound| match bound {
            Bound::Min(v) => format!("min: {}", ValueText(v)),
            Bound::Max(v) => format!("max: {}", ValueText(v)),
            Bound::MinLen(n) => format!("min_len: {n}"),
            Bound::MaxLen(n) => format!("max_len: {n}"),
            Bound::Pattern(regex) => format!("pattern: {regex:?}"),
            Bound::Format(name) => format!("format: {name:?}"),
            Bound::MultipleOf(v) => format!("multiple_of: {}", ValueText(v)),
            Bound::Unique => "unique: true".into(),
        })
        .collect();
    format!(" where ({})", all.join(", "))
}

fn write_type(out: &mut String, program: &Program, id: TypeId, depth: u32) {
    if depth > MAX_DEPTH || out.len() > 4096 {
        out.push('…');
        return;
    }
    match program.types.get(id) {
        Type::Text => out.push_str("text"),
        Type::Int => out.push_str("int"),
        Type::Float => out.push_str("float"),
        Type::Bool => out.push_str("bool"),
        Type::Bytes => out.push_str("bytes"),
        Type::Json => out.push_str("json"),
        Type::Time => out.push_str("time"),
        Type::Duration => out.push_str("duration"),
        Type::Money => out.push_str("money"),
        Type::Size => out.push_str("size"),
        Type::Image => out.push_str("image"),
        Type::Audio => out.push_str("audio"),
        Type::File => out.push_str("file"),
        Type::None => out.push_str("none"),
        Type::Role => out.push_str("role"),
        Type::Secret => out.push_str("secret text"),
        Type::Selector => out.push_str("field"),
        Type::Record(record) => out.push_str(&record.name),
        Type::Enum(e) => out.push_str(&e.name),
        Type::Refined { name: Some(name), .. } => out.push_str(name),
        Type::Refined { name: None, base, bounds } => {
            write_type(out, program, *base, depth + 1);
            out.push_str(&bounds_text(bounds));
        }
        Type::List(item) => {
            out.push('[');
            write_type(out, program, *item, depth + 1);
            out.push(']');
        }
        Type::Map(key, value) => {
            out.push('[');
            write_type(out, program, *key, depth + 1);
            out.push_str(": ");
            write_type(out, program, *value, depth + 1);
            out.push(']');
        }
        Type::Optional(inner) => {
            write_type(out, program, *inner, depth + 1);
            out.push('?');
        }
    }
}

impl Dump<'_> {
    fn target(&self, id: crate::TargetId) -> &str {
        self.program.targets.get(id.index()).map_or("?", |name| name.as_str())
    }

    fn is_block(kind: &NodeKind) -> bool {
        let mut inner = false;
        kind.for_each_region(|_| inner = true);
        inner
    }
}

/// How an extern is called, as its header says it.
fn calling(with: &Calling) -> String {
    let mut parts = Vec::new();
    if let Some(auth) = &with.auth {
        parts.push(match auth {
            Auth::Bearer { secret } => format!("auth: bearer({secret})"),
            Auth::Basic { user, secret } => format!("auth: basic({user:?}, {secret})"),
            Auth::Header { name, secret } => format!("auth: header({name:?}, {secret})"),
            Auth::Query { name, secret } => format!("auth: query({name:?}, {secret})"),
        });
    }
    for (name, content) in &with.headers {
        parts.push(match content {
            HeaderText::Text(text) => format!("header {name:?}: {text:?}"),
            HeaderText::Secret(secret) => format!("header {name:?}: {secret}"),
        });
    }
    match &with.key {
        Some(KeyPlace::Header(name)) => parts.push(format!("key: header({name:?})")),
        Some(KeyPlace::Query(name)) => parts.push(format!("key: query({name:?})")),
        None => {}
    }
    let limits =
        [("timeout", with.timeout, "ns"), ("memory", with.memory, "B"), ("time", with.time, "ns")];
    for (name, limit, unit) in limits {
        parts.extend(limit.map(|limit| format!("{name}: {limit}{unit}")));
    }
    if parts.is_empty() { String::new() } else { format!(" with ({})", parts.join(", ")) }
}
