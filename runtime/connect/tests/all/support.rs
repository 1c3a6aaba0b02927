//! Calls leaves as the driver does.

use std::path::Path;
use std::sync::Arc;

use kait_connect::{Access, Config, Connections, Ended, Grants, Grower, LeafJob, Started};
use kait_engine::Outcome;
use kait_engine::check::TypeTable;
use kait_engine::event::EffectId;
use kait_ir::program::Calling;
use kait_ir::{EffectClass, Failure, LeafDecl, Type, Types, Value};
use smol_str::SmolStr;

pub const EFFECT: EffectId = EffectId { frame: 0, generation: 0, node: 0 };

/// Refuses what its function refuses.
pub struct Only(pub fn(Access<'_>) -> bool);

impl Grants for Only {
    fn allow(&self, access: Access<'_>) -> Result<(), SmolStr> {
        if (self.0)(access) { Ok(()) } else { Err("the profile does not grant it".into()) }
    }
}

pub fn at(root: &Path) -> Connections {
    Connections::new(Config { root: root.to_owned(), ..Config::default() })
}

pub fn granted(root: &Path, allow: fn(Access<'_>) -> bool) -> Connections {
    Connections::new(Config {
        root: root.to_owned(),
        grants: Arc::new(Only(allow)),
        ..Config::default()
    })
}

pub async fn ended(started: Started) -> Ended {
    match started {
        Started::Now(outcome) => Ended { outcome, usage: None },
        Started::Later(future) => future.await,
    }
}

pub async fn call(cx: &Connections, name: &str, args: &[Value]) -> Result<Value, Failure> {
    keyed(cx, name, args, None).await
}

pub async fn keyed(
    cx: &Connections,
    name: &str,
    args: &[Value],
    key: Option<Value>,
) -> Result<Value, Failure> {
    let mut types = Types::default();
    let none = types.push(Type::None);
    let table = Arc::new(TypeTable::new(types).unwrap());
    let decl = LeafDecl {
        name: name.into(),
        kind: "native".into(),
        locator: name.into(),
        params: vec![],
        result: none,
        class: EffectClass::Read,
        reads: vec![],
        writes: vec![],
        guarded: false,
        trust: None,
        with: Calling::default(),
    };
    let job = LeafJob {
        decl: &decl,
        table: &table,
        args,
        key,
        path: "main/call".into(),
        grower: Grower::new(EFFECT, None),
    };
    match ended(cx.start(&job)).await.outcome {
        Outcome::Ok(value) => Ok(value),
        Outcome::Failed(failure) => Err(failure),
    }
}

pub fn t(text: &str) -> Value {
    Value::text(text)
}

/// The message of a `Tool` failure (or the reason of `Refused` and `Invalid`).
#[track_caller]
pub fn words(result: Result<Value, Failure>) -> String {
    match result {
        Err(Failure::Tool { message, .. }) => message.to_string(),
        Err(Failure::Refused { why } | Failure::Invalid { why, .. }) => why.to_string(),
        other => panic!("no failure with words: {other:?}"),
    }
}
