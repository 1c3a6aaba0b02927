//! `std.db` on a file of its own.

use std::path::Path;
use std::sync::Arc;

use kait_connect::{Access, Config, Connections, Grower, LeafJob, Limits};
use kait_engine::Outcome;
use kait_engine::check::TypeTable;
use kait_ir::program::{Calling, Param};
use kait_ir::{
    Currency, EffectClass, EnumType, Failure, FieldType, LeafDecl, Money, RecordType, Type, TypeId,
    Types, Value, VariantType,
};

use crate::support::{EFFECT, Only, ended, t, words};

const TEXT: TypeId = TypeId(0);
const INT: TypeId = TypeId(1);
const FLOAT: TypeId = TypeId(2);
const BOOL: TypeId = TypeId(3);
const MONEY: TypeId = TypeId(4);
const JSON: TypeId = TypeId(5);
const TEXTS: TypeId = TypeId(6);
const VECTOR: TypeId = TypeId(7);
const NOTE: TypeId = TypeId(8);
const WAY: TypeId = TypeId(9);
const ORDER: TypeId = TypeId(10);
const ORDERS: TypeId = TypeId(11);
const MAYBE_ORDER: TypeId = TypeId(12);
const CHUNK: TypeId = TypeId(13);
const CHUNKS: TypeId = TypeId(14);
const INTS: TypeId = TypeId(15);
const JSONS: TypeId = TypeId(16);
const BYTES: TypeId = TypeId(17);

fn table() -> Arc<TypeTable> {
    let mut types = Types::default();
    for ty in [Type::Text, Type::Int, Type::Float, Type::Bool, Type::Money, Type::Json] {
        types.push(ty);
    }
    types.push(Type::List(TEXT));
    types.push(Type::List(FLOAT));
    types.push(Type::Optional(TEXT));
    let variant = |name: &str, wire: &str| VariantType {
        name: name.into(),
        wire: wire.into(),
        docs: "".into(),
        fields: vec![],
    };
    types.push(Type::Enum(EnumType {
        name: "Way".into(),
        docs: "".into(),
        variants: vec![variant("Card", "card"), variant("BankTransfer", "bank_transfer")],
    }));
    let record = |name: &str, fields: &[(&str, TypeId)]| {
        let field = |(wire, ty): &(&str, TypeId)| FieldType {
            name: wire.to_lowercase().into(),
            wire: (*wire).into(),
            docs: "".into(),
            ty: *ty,
            default: None,
            trust: None,
        };
        let fields = fields.iter().map(field).collect();
        Type::Record(RecordType { name: name.into(), docs: "".into(), fields })
    };
    types.push(record(
        "Order",
        &[
            ("id", TEXT),
            ("Total", MONEY),
            ("way", WAY),
            ("open", BOOL),
            ("count", INT),
            ("tags", TEXTS),
            ("note", NOTE),
            ("raw", BYTES),
        ],
    ));
    types.push(Type::List(ORDER));
    types.push(Type::Optional(ORDER));
    types.push(record("Chunk", &[("words", TEXT), ("vector", VECTOR)]));
    types.push(Type::List(CHUNK));
    types.push(Type::List(INT));
    types.push(Type::List(JSON));
    types.push(Type::Bytes);
    Arc::new(TypeTable::new(types).unwrap())
}

fn at(directory: &Path) -> Connections {
    let database = Some(directory.join("inner/data.sqlite"));
    Connections::new(Config { database, ..Config::default() })
}

async fn call(
    cx: &Connections,
    name: &str,
    first: TypeId,
    result: TypeId,
    args: &[Value],
) -> Result<Value, Failure> {
    let param = Param {
        name: "x".into(),
        docs: "".into(),
        ty: first,
        default: None,
        stream: false,
        trust: None,
    };
    let decl = LeafDecl {
        name: name.into(),
        kind: "native".into(),
        locator: name.into(),
        params: vec![param],
        result,
        class: EffectClass::Read,
        reads: vec![],
        writes: vec![],
        guarded: false,
        trust: None,
        with: Calling::default(),
    };
    let job = LeafJob {
        decl: &decl,
        table: &table(),
        args,
        key: None,
        path: "main/call".into(),
        grower: Grower::new(EFFECT, None),
    };
    match ended(cx.start(&job)).await.outcome {
        Outcome::Ok(value) => Ok(value),
        Outcome::Failed(failure) => Err(failure),
    }
}

fn order(id: &str, cents: i64, note: Value) -> Value {
    let amount = rust_decimal::Decimal::new(cents, 2);
    let total = Value::Money(Money { amount, currency: Currency::parse("usd").unwrap() });
    let tags = Value::list(vec![t("a\"b"), t("ä")]);
    let raw = Value::Bytes([0, 255].into());
    Value::record([t(id), total, Value::Tag(1), Value::Bool(true), Value::Int(7), tags, note, raw])
}

async fn upsert(cx: &Connections, rows: Vec<Value>) -> Result<Value, Failure> {
    call(cx, "db.upsert", ORDERS, INT, &[Value::list(rows), t("orders"), Value::Int(0)]).await
}

async fn query(
    cx: &Connections,
    sql: &str,
    args: &[&str],
    result: TypeId,
) -> Result<Value, Failure> {
    let args = Value::list(args.iter().map(|arg| t(arg)).collect());
    call(cx, "db.query", TEXT, result, &[t(sql), args, Value::Int(3)]).await
}

async fn execute(cx: &Connections, sql: &str, args: &[&str]) -> Result<Value, Failure> {
    let args = Value::list(args.iter().map(|arg| t(arg)).collect());
    call(cx, "db.execute", TEXT, INT, &[t(sql), args]).await
}

#[tokio::test]
async fn what_is_written_is_read_back_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let cx = at(dir.path());
    let get = async |cx: &Connections, id: &str| {
        call(cx, "db.get", TEXT, MAYBE_ORDER, &[t(id), t("orders")]).await
    };
    let (a, b) = (order("a", 2000, Value::None), order("b", -5, t("late")));
    assert_eq!(upsert(&cx, vec![a.clone(), b.clone()]).await, Ok(Value::Int(2)));
    assert_eq!(get(&cx, "a").await, Ok(a.clone()));
    assert_eq!(get(&cx, "c").await, Ok(Value::None));
    let newer = order("a", 1, t("new"));
    upsert(&cx, vec![newer.clone()]).await.unwrap();
    let all = query(&cx, "select * from orders order by id", &[], ORDERS).await;
    assert_eq!(all, Ok(Value::list(vec![newer.clone(), b])));
    drop(cx);
    let cx = at(dir.path());
    assert_eq!(get(&cx, "a").await, Ok(newer));
    let delete = async |id: &str| call(&cx, "db.delete", TEXT, BOOL, &[t(id), t("orders")]).await;
    assert_eq!(
        (delete("a").await, delete("a").await),
        (Ok(Value::Bool(true)), Ok(Value::Bool(false)))
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = std::fs::metadata(dir.path().join("inner/data.sqlite")).unwrap();
        assert_eq!(file.permissions().mode() & 0o077, 0);
    }
}

#[tokio::test]
async fn queries_are_typed_and_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let cx = at(dir.path());
    execute(&cx, "create table t (k text primary key, n integer, x real)", &[]).await.unwrap();
    for n in ["1", "2", "3"] {
        let sql = "insert into t values (?1, ?2, 0.5)";
        assert_eq!(execute(&cx, sql, &[n, n]).await, Ok(Value::Int(1)));
    }
    let ints = |all: &[i64]| Ok(Value::list(all.iter().map(|n| Value::Int(*n)).collect()));
    let found = query(&cx, "select n from t where n > ?1 order by n", &["1"], INTS).await;
    assert_eq!(found, ints(&[2, 3]));
    let json = query(&cx, "select k, x from t where n = 1", &[], JSONS).await.unwrap();
    assert_eq!(
        json,
        Value::list(vec![Value::Json(Arc::new(serde_json::json!({"k": "1", "x": 0.5})))])
    );
    let get = call(&cx, "db.get", TEXT, MAYBE_ORDER, &[t("1"), t("t")]).await;
    assert!(matches!(&get, Err(Failure::Invalid { path, .. }) if path.contains("id")), "{get:?}");
    let wrong = query(&cx, "select k || 'x' from t", &[], INTS).await;
    assert!(
        matches!(&wrong, Err(Failure::Invalid { path, .. }) if path.contains('0')),
        "{wrong:?}"
    );
    execute(&cx, "insert into t values ('4', 4, 1)", &[]).await.unwrap();
    let many = query(&cx, "select n from t", &[], INTS).await;
    assert_eq!(many, Err(Failure::Budget { kind: "items".into() }));
    assert!(words(query(&cx, "select n, k from t", &[], INTS).await).contains("2 columns"));
    assert!(words(query(&cx, "select ?1", &[], INTS).await).contains("1 places"));
    assert!(words(query(&cx, "selec n from t", &[], INTS).await).contains("syntax error"));
    let missing = words(query(&cx, "select n from u", &[], INTS).await);
    assert!(missing.contains("no table `u`") && missing.contains("`t`"), "{missing}");
    assert_eq!(execute(&cx, "update t set x = 2 where n > 2", &[]).await, Ok(Value::Int(2)));
    assert_eq!(execute(&cx, "create index i on t (n)", &[]).await, Ok(Value::Int(0)));
    assert!(words(execute(&cx, "select 1", &[]).await).contains("db.query"));
    let plan = call(&cx, "db.explain", TEXT, TEXT, &[t("select * from t where n = ?1")]).await;
    assert!(plan.unwrap().as_text().unwrap().contains("INDEX i"));
    let small = Connections::new(Config {
        database: cx.config().database.clone(),
        limits: Limits { body: 100, ..Limits::default() },
        ..Config::default()
    });
    let large = query(&small, "select hex(zeroblob(1000))", &[], TEXTS).await;
    assert_eq!(large, Err(Failure::Budget { kind: "bytes".into() }));
}

#[tokio::test]
async fn sql_stays_in_its_file_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { request: std::time::Duration::from_millis(500), ..Limits::default() };
    let database = Some(dir.path().join("data.sqlite"));
    let cx = Connections::new(Config { database, limits, ..Config::default() });
    execute(&cx, "create table t (n)", &[]).await.unwrap();
    let other = dir.path().join("other.sqlite");
    let refused = [
        format!("attach '{}' as other", other.display()),
        format!("vacuum into '{}'", other.display()),
        "begin".to_owned(),
        "savepoint a".to_owned(),
        "pragma journal_mode = delete".to_owned(),
        "pragma writable_schema = 1".to_owned(),
        "select load_extension('x')".to_owned(),
    ];
    for sql in refused {
        let result = execute(&cx, &sql, &[]).await;
        assert!(
            matches!(&result, Err(Failure::Refused { .. } | Failure::Tool { .. })),
            "{sql}: {result:?}"
        );
        assert!(!other.exists(), "{sql}");
    }
    for sql in [
        "insert into t values (1)",
        "delete from t",
        "drop table t",
        "insert into t values (1) returning n",
    ] {
        let result = query(&cx, sql, &[], INTS).await;
        assert!(matches!(&result, Err(Failure::Refused { .. })), "{sql}: {result:?}");
    }
    for sql in ["select 1; drop table t", "select 1; nonsense", "", "-- nothing"] {
        assert!(query(&cx, sql, &[], INTS).await.is_err(), "{sql}");
    }
    assert_eq!(
        query(&cx, &format!("select 1{}", ";".repeat(100_000)), &[], INTS).await,
        Ok(Value::list(vec![Value::Int(1)]))
    );
    let endless =
        "with recursive c(n) as (select 1 union all select n + 1 from c) select max(n) from c";
    assert_eq!(query(&cx, endless, &[], INTS).await, Err(Failure::Timeout));
    // The others go on.
    assert_eq!(
        query(&cx, "select count(*) from t", &[], INTS).await,
        Ok(Value::list(vec![Value::Int(0)]))
    );
}

#[tokio::test]
async fn a_batch_of_rows_is_written_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let cx = at(dir.path());
    execute(&cx, "create table orders (id text primary key check (id <> 'bad'), \"Total\", way, open, count, tags, note, raw)", &[])
        .await
        .unwrap();
    let rows = vec![order("a", 1, Value::None), order("bad", 1, Value::None)];
    assert!(words(upsert(&cx, rows).await).contains("CHECK"));
    assert_eq!(
        query(&cx, "select count(*) from orders", &[], INTS).await,
        Ok(Value::list(vec![Value::Int(0)]))
    );
    execute(&cx, "drop table orders", &[]).await.unwrap();
    execute(&cx, "create table orders (id text primary key)", &[]).await.unwrap();
    assert!(words(upsert(&cx, vec![order("a", 1, Value::None)]).await).contains("alter table"));
    execute(&cx, "drop table orders", &[]).await.unwrap();
    execute(&cx, "create table orders (id, \"Total\", way, open, count, tags, note, raw)", &[])
        .await
        .unwrap();
    assert!(words(upsert(&cx, vec![order("a", 1, Value::None)]).await).contains("no key"));
    let get = call(&cx, "db.get", TEXT, MAYBE_ORDER, &[t("a"), t("orders")]).await;
    assert!(words(get).contains("no primary key"));
}

#[tokio::test]
async fn a_fresh_database_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let cx = at(dir.path());
    let get = call(&cx, "db.get", TEXT, MAYBE_ORDER, &[t("a"), t("orders")]).await;
    let why = words(get);
    assert!(
        why.contains("no table `orders`") && why.contains("empty") && why.contains("db.upsert"),
        "{why}"
    );
    assert_eq!(call(&cx, "db.tables", TEXT, TEXTS, &[]).await, Ok(Value::list(vec![])));
    upsert(&cx, vec![]).await.unwrap();
    assert_eq!(call(&cx, "db.tables", TEXT, TEXTS, &[]).await, Ok(Value::list(vec![t("orders")])));
    let schema = call(&cx, "db.schema", TEXT, JSONS, &[t("orders")]).await.unwrap();
    let first = Value::record([t("id"), t("TEXT"), Value::Bool(false)]);
    assert_eq!(schema.as_list().unwrap()[0], first, "{schema:?}");
    assert!(
        words(call(&cx, "db.schema", TEXT, JSONS, &[t("x\"; drop table orders")]).await)
            .contains("no table")
    );
    let none = Connections::new(Config::default());
    assert!(words(query(&none, "select 1", &[], INTS).await).contains("no database"));
}

#[tokio::test]
async fn rows_are_found_by_words_and_by_nearness() {
    let dir = tempfile::tempdir().unwrap();
    let cx = at(dir.path());
    let chunk = |words: &str, x: f64, y: f64| {
        Value::record([t(words), Value::list(vec![Value::Float(x), Value::Float(y)])])
    };
    let all = vec![
        chunk("Green tea from Japan", 0.0, 1.0),
        chunk("black coffee", 1.0, 0.0),
        chunk("green green tea, tea", 0.6, 0.6),
    ];
    let args = [Value::list(all.clone()), t("chunks"), Value::Int(0)];
    call(&cx, "db.upsert", CHUNKS, INT, &args).await.unwrap();
    let near = async |x: f64, y: f64| {
        let vector = Value::list(vec![Value::Float(x), Value::Float(y)]);
        call(&cx, "db.nearest", VECTOR, CHUNKS, &[vector, t("chunks"), Value::Int(2)]).await
    };
    assert_eq!(near(0.1, 0.9).await, Ok(Value::list(vec![all[0].clone(), all[2].clone()])));
    let short = Value::list(vec![Value::Float(1.0)]);
    let result =
        call(&cx, "db.nearest", VECTOR, CHUNKS, &[short, t("chunks"), Value::Int(2)]).await;
    assert!(matches!(result, Err(Failure::Invalid { .. })), "{result:?}");
    let find = async |words: &str| {
        let args = [t(words), t("chunks"), Value::Int(5)];
        let found = call(&cx, "db.search", TEXT, CHUNKS, &args).await.unwrap();
        found.as_list().unwrap().to_vec()
    };
    assert_eq!(find("green TEA").await.len(), 2);
    assert_eq!(find("japan").await, [all[0].clone()]);
    assert_eq!(find("\"tea\" OR coffee*").await, []);
    assert_eq!(find("  - ").await, []);
    assert_eq!(find("coffee").await, [all[1].clone()]);
}

#[tokio::test]
async fn the_database_needs_its_grant() {
    let dir = tempfile::tempdir().unwrap();
    let cx = Connections::new(Config {
        database: Some(dir.path().join("d.sqlite")),
        grants: Arc::new(Only(|access| access != Access::Database { write: true })),
        ..Config::default()
    });
    assert!(query(&cx, "select 1", &[], INTS).await.is_ok());
    for result in [execute(&cx, "create table t (n)", &[]).await, upsert(&cx, vec![]).await] {
        assert!(matches!(result, Err(Failure::Refused { .. })), "{result:?}");
    }
}
