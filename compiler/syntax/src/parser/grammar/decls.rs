//! Files and declarations (§13: `start` to `extern`, `session`, `trigger`, and their clauses).

use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;

use super::super::builder::Marker;
use super::super::{Context, Parser, habits};
use super::lists::{self, Separators};
use super::{blocks, exprs, prompts, testing, texts, types};

/// Whether these two tokens start a declaration.
pub(crate) fn is_declaration(word: K, behind: K) -> bool {
    let name = behind.can_be_name() || behind == K::Uid;
    match word {
        K::FnKw | K::GraphKw => !matches!(behind, K::Colon | K::Dot),
        K::LetKw => name || behind == K::Underscore,
        K::UseKw
        | K::RecordKw
        | K::EnumKw
        | K::TypeKw
        | K::ModelKw
        | K::SecretKw
        | K::PromptKw
        | K::AgentKw
        | K::ExternKw
        | K::SessionKw
        | K::TriggerKw => name,
        K::TestKw => matches!(behind, K::StrStart | K::SingleQuoted),
        _ => false,
    }
}

/// `start = (decl (SEP decl)* SEP?)?`
pub(crate) fn source_file(p: &mut Parser<'_>) {
    let mut next_declaration = 0;
    loop {
        p.set_context(Context::Lines);
        p.in_condition = false;
        p.before_block = false;
        p.open = [0; 3];
        p.depth = 0;
        p.open_texts = 0;
        p.suspect = None;
        p.eat_separator();
        if p.raw() == K::Eof {
            if p.pass_break() {
                continue;
            }
            if p.needs_second_pass && !p.second_pass {
                return;
            }
            if p.end < p.lexed.significant.len() || p.decl_end < p.lexed.significant.len() {
                // The end of a declaration in the second pass.
                p.decl_end = p.lexed.significant.len();
                p.update_end();
                if p.raw() == K::Eof && !p.at_break() {
                    return;
                }
                continue;
            }
            return;
        }
        if p.second_pass {
            while p.declarations.get(next_declaration).is_some_and(|&at| at <= p.pos) {
                next_declaration += 1;
            }
            p.decl_end =
                p.declarations.get(next_declaration).copied().unwrap_or(p.lexed.significant.len());
            p.update_end();
        }
        let after_damage = p.damaged;
        p.damaged = false;
        p.decl_start = p.pos;
        p.balanced = None;
        p.recovering = false;
        p.muted = false;
        p.reserved.clear();
        p.in_test = p.raw() == K::TestKw || p.raw() == K::PubKw && p.nth(1) == K::TestKw;
        p.missing_opener = text_size::TextSize::of(p.text);
        let before = p.pos;
        declaration(p, after_damage);
        if p.needs_second_pass && !p.second_pass {
            return;
        }
        end_of_declaration(p);
        p.note_damage();
        if p.pos == before && p.raw() != K::Eof {
            let marker = p.start();
            p.skip_one();
            p.finish_error(marker);
        }
        p.flush();
    }
}

/// What separates declarations.
fn end_of_declaration(p: &mut Parser<'_>) {
    loop {
        match p.current() {
            K::Separator | K::Eof => return,
            K::Semicolon => {
                habits::semicolon(p);
                continue;
            }
            _ => {}
        }
        if p.recovering || p.muted || p.damaged {
            p.recovering = true;
            if p.starts_line() || p.declares_at(p.pos) {
                return;
            }
            p.skip_to_line_end(false);
            if matches!(p.raw(), K::RBrace | K::InterpEnd) {
                // Nothing is open any more: it closes nothing. (The end of a `${` is left over if the
                // second pass has ended the declaration inside of it.)
                let marker = p.start();
                p.bump();
                p.finish_error(marker);
            }
            continue;
        }
        if habits::after_statement(p) {
            continue;
        }
        let error = if matches!(p.raw(), K::RBrace | K::RParen | K::RBracket) {
            SyntaxError::new(
                Code::StrayCloser,
                p.range(0),
                format!("`{}` has no opening bracket", p.text(0)),
            )
            .with_replacement("remove it", p.range(0), "")
        } else {
            p.expected_new_line("declaration")
        };
        p.report(error);
        if is_declaration(p.raw(), p.nth(1)) {
            p.recovering = false;
            return;
        }
        p.recovering = true;
    }
}

/// `decl = DOC* "pub"? item`
fn declaration(p: &mut Parser<'_>, after_damage: bool) {
    let marker = p.start_documented();
    if after_damage && !p.declares_at(p.pos) && p.pos > 0 {
        no_declaration(p, marker, true);
        return;
    }
    habits::export_word(p);
    if p.raw() == K::PubKw && (p.nth(1).is_keyword() || p.nth(1) == K::Lid) {
        p.bump_keyword();
    }
    if habits::arrow_function(p, marker) {
        return;
    }
    habits::declaration_word(p);
    let next = p.raw();
    match next {
        K::UseKw => use_decl(p, marker),
        K::LetKw => blocks::let_at(p, marker),
        K::RecordKw => record(p, marker),
        K::EnumKw => enum_decl(p, marker),
        K::TypeKw => alias(p, marker),
        K::ModelKw => model(p, marker),
        K::SecretKw => secret(p, marker),
        K::FnKw => function(p, marker),
        K::GraphKw => graph(p, marker),
        K::PromptKw | K::AgentKw => prompts::prompt(p, marker),
        K::ExternKw => extern_decl(p, marker),
        K::SessionKw => session(p, marker),
        K::TriggerKw => trigger(p, marker),
        K::TestKw => testing::test(p, marker),
        _ => {
            if after_damage || !habits::foreign_declaration(p, marker) {
                no_declaration(p, marker, after_damage);
            }
        }
    }
}

/// Something that is no declaration: reported once, skipped to the next one.
fn no_declaration(p: &mut Parser<'_>, marker: Marker, after_damage: bool) {
    if after_damage {
        // What was cut loose by a mistake in the declaration above.
        p.recovering = true;
    }
    let (range, found) = (p.range(0), p.text(0));
    let found: String = found.chars().take(30).collect();
    let error = if matches!(p.raw(), K::RBrace | K::RParen | K::RBracket) {
        SyntaxError::new(Code::StrayCloser, p.range(0), format!("`{found}` has no opening bracket"))
            .with_replacement("remove it", range, "")
    } else if p.raw() == K::Semicolon {
        habits::semicolon(p);
        p.abandon(marker);
        return;
    } else if let Some(word) = habits::similar_declaration_word(p) {
        SyntaxError::new(
            Code::Unexpected,
            range,
            format!("expected a declaration, found `{found}`"),
        )
        .with_replacement(format!("replace it by `{word}`"), range, word)
    } else {
        SyntaxError::new(Code::Unexpected, range, format!("expected a declaration, found `{found}`"))
            .with_help("begin a declaration with one of `use`, `let`, `record`, `enum`, `type`, `model`, `secret`, `fn`, `graph`, `prompt`, `agent`, `extern`, `session`, `trigger`, `test`; put steps inside a `graph`")
    };
    p.report(error);
    p.muted = true;
    let from = p.pos;
    loop {
        if p.raw() == K::Eof {
            if p.pass_break() {
                continue;
            }
            break;
        }
        if p.pos > from && p.declares_at(p.pos) {
            break;
        }
        match p.raw() {
            // Group by group, unless a declaration starts inside.
            K::StrStart => p.skip_one(),
            _ => {
                p.clear_separator();
                p.bump();
            }
        }
    }
    p.finish_error(marker);
    p.damaged = true;
}

/// `use = "use" path ("as" LID)?`
fn use_decl(p: &mut Parser<'_>, marker: Marker) {
    p.bump_keyword();
    types::path(p);
    habits::path_of_file(p);
    if p.at_clause(K::AsKw) {
        p.clear_separator();
        p.bump_keyword();
        p.expect_lower_name("a module");
    }
    p.finish_node(marker, K::Use);
}

/// `record = "record" UID tparams? "{" fields "}"`
fn record(p: &mut Parser<'_>, marker: Marker) {
    p.bump_keyword();
    p.expect_upper_name("a record");
    type_params(p);
    fields(p, false);
    p.finish_node(marker, K::Record);
}

/// `session = "session" UID "{" fields "}"`
fn session(p: &mut Parser<'_>, marker: Marker) {
    p.bump_keyword();
    p.expect_upper_name("a session");
    fields(p, false);
    p.finish_node(marker, K::Session);
}

/// `"{" fields "}"`
fn fields(p: &mut Parser<'_>, equals_reported: bool) {
    habits::equals_before_brace(p, equals_reported);
    if let Some(bracket) = lists::open_braces(p, Context::Lines, "fields", |p| p.nth(1) == K::Colon)
    {
        lists::lines(p, bracket, Separators::LinesOrCommas, "field", field);
    }
}

/// `field = DOC* LID ":" type ("=" expr)? ("as" STR)?`
fn field(p: &mut Parser<'_>) -> bool {
    let marker = p.start_documented();
    if p.raw() == K::Uid
        && !p.recovering
        && (p.on_new_line(1) || matches!(p.nth(1), K::Comma | K::RBrace | K::LParen))
    {
        let error = SyntaxError::new(
            Code::ForeignDeclaration,
            p.range(0),
            "expected a field, `name: type`; for alternatives use an `enum`",
        );
        p.report(error);
        p.muted = true;
        p.finish_error(marker);
        p.skip_to_line_end(true);
        return false;
    }
    let name = p.text(0);
    if !named_type(p, "a field", true) {
        p.finish_error(marker);
        return false;
    }
    if p.at(K::Eq) {
        p.bump();
        exprs::expect_expr(p, "a default");
    }
    if !p.at_clause(K::AsKw) && name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let behind = p.behind().start();
        p.wire_names.entry(name).or_default().push(behind);
    }
    let before_wire = p.behind();
    wire_name(p);
    if p.at(K::Eq) && before_wire != p.behind() {
        habits::default_behind_wire_name(p, before_wire);
    }
    p.finish_node(marker, K::Field);
    true
}

/// `LID ":" type`; any word can name a field.
fn named_type(p: &mut Parser<'_>, what: &str, any_word: bool) -> bool {
    if any_word && p.raw().is_reserved_word() && p.nth(1) == K::Colon {
        p.bump_as(K::Lid);
    } else if p.raw() == K::Colon {
        p.expected(&format!("the name of {what}"));
    } else if habits::type_before_name(p) {
        return true;
    } else if !p.expect_lower_name(what) {
        return false;
    }
    if p.at(K::Question) && p.nth(1) == K::Colon {
        let mark = p.range(0);
        habits::optional_name(p);
        p.bump();
        p.bump();
        types::ty(p);
        habits::move_question(p, mark);
        return true;
    }
    if p.at(K::Colon) {
        p.bump();
        types::ty(p);
        return true;
    }
    let mut error = p.expected_error("`:` and a type");
    if types_follow(p) {
        error = error.with_replacement("insert `:`", p.behind(), ":");
        p.report(error);
        types::ty(p);
        p.recovering = false;
    } else {
        p.report(error);
    }
    true
}

fn types_follow(p: &Parser<'_>) -> bool {
    let begins = |kind: K| kind.can_be_name() || matches!(kind, K::Uid | K::LBracket);
    // Of two words that are no clause, the second would be a riddle.
    let (next, after) = (p.current(), p.nth(1));
    let ends = next == K::LBracket
        || next.is_qualifier()
        || !begins(after)
        || p.on_new_line(1)
        || matches!(after, K::WhereKw | K::AsKw);
    !p.on_new_line(0) && begins(next) && ends
}

/// `("as" STR)?`
fn wire_name(p: &mut Parser<'_>) {
    if p.at_clause(K::AsKw) {
        p.clear_separator();
        let marker = p.start();
        p.bump_keyword();
        texts::expect_string(p, "the name in JSON, in quotes");
        p.finish_node(marker, K::WireName);
    }
}

/// `enum = "enum" UID tparams? "{" (variant (sep variant)* sep?)? "}"`
fn enum_decl(p: &mut Parser<'_>, marker: Marker) {
    p.bump_keyword();
    p.expect_upper_name("an enum");
    type_params(p);
    habits::equals_before_brace(p, false);
    if let Some(bracket) = lists::open_braces(p, Context::Lines, "variants", |p| p.at(K::Uid)) {
        lists::lines(p, bracket, Separators::LinesOrCommas, "variant", variant);
    }
    p.finish_node(marker, K::Enum);
}

/// `variant = DOC* UID params? ("as" STR)?`
fn variant(p: &mut Parser<'_>) -> bool {
    let marker = p.start_documented();
    if p.nth(1) == K::Colon && !p.recovering {
        let error = SyntaxError::new(
            Code::ForeignDeclaration,
            p.range(0),
            "a variant has no type: put fields into a `record`",
        )
        .with_help("write a variant with a value as `Name(field: type)`");
        p.report(error);
        p.muted = true;
        p.finish_error(marker);
        p.skip_to_line_end(true);
        return false;
    }
    if !p.expect_upper_name("a variant") {
        p.finish_error(marker);
        return false;
    }
    if p.at(K::LParen) {
        p.free_params = true;
        params(p);
        p.free_params = false;
    }
    habits::variant_value(p);
    wire_name(p);
    p.finish_node(marker, K::Variant);
    true
}

/// `alias = "type" UID tparams? "=" type`
fn alias(p: &mut Parser<'_>, marker: Marker) {
    if habits::type_with_braces(p) {
        p.bump_as(K::RecordKw);
        p.clear_separator();
        p.expect_upper_name("a record");
        type_params(p);
        fields(p, true);
        p.finish_node(marker, K::Record);
        return;
    }
    p.bump_keyword();
    p.expect_upper_name("a type");
    type_params(p);
    if p.expect(K::Eq, "`=` and a type") {
        types::ty(p);
    }
    p.finish_node(marker, K::TypeAlias);
}

/// `model = "model" LID ("needs" "(" args ")")?`
fn model(p: &mut Parser<'_>, marker: Marker) {
    p.bump_keyword();
    p.expect_lower_name("a model's role");
    habits::bound_outside(
        p,
        "`model` declares a role; which model it is, `kait.toml` says",
        "bind it there: `[models.role]`",
    );
    if p.at_clause(K::NeedsKw) {
        p.clear_separator();
        let needs = p.start();
        p.bump_keyword();
        exprs::expect_args(p, "`(` and what the model needs: `needs (tools: true)`");
        p.finish_node(needs, K::Needs);
    }
    p.finish_node(marker, K::Model);
}

/// `secret = "secret" LID`
fn secret(p: &mut Parser<'_>, marker: Marker) {
    p.bump_keyword();
    p.expect_lower_name("a secret");
    habits::bound_outside(
        p,
        "the value of a secret is never written in the program",
        "bind it in `kait.toml`, and take this value out of the file's history, too",
    );
    p.finish_node(marker, K::Secret);
}

/// `fn = "fn" sig block`
fn function(p: &mut Parser<'_>, marker: Marker) {
    p.bump();
    signature(p, "a function");
    clauses(p, &[], "a function");
    blocks::block(p, "a body");
    p.finish_node(marker, K::Fn);
}

/// `graph = "graph" sig ("in" UID)? does? policies? block`
fn graph(p: &mut Parser<'_>, marker: Marker) {
    p.bump();
    signature(p, "a graph");
    clauses(p, &[K::InKw, K::DoesKw, K::WithKw], "a graph");
    blocks::block(p, "a body");
    p.finish_node(marker, K::Graph);
}

/// `extern = "extern" sig does? ("needs" LID)? policies? "from" LID STR`
fn extern_decl(p: &mut Parser<'_>, marker: Marker) {
    p.bump_keyword();
    p.free_params = true;
    signature(p, "an extern");
    p.free_params = false;
    clauses(p, &[K::DoesKw, K::NeedsKw, K::WithKw], "an extern");
    if p.at_clause(K::FromKw) {
        p.clear_separator();
        let from = p.start();
        p.bump_keyword();
        if p.current().can_be_name() {
            p.bump_as(K::Lid);
            texts::expect_string(p, "the address, command or file of the extern, in quotes");
        } else {
            p.expected("`native`, `wasm`, `process`, `http` or `mcp`");
        }
        p.finish_node(from, K::From);
    } else {
        p.expected("`from` and where the extern comes from: `from wasm \"file.wasm#name\"`");
    }
    p.finish_node(marker, K::Extern);
}

/// The clauses of a header. They have one order; in another they are understood and reported.
pub(crate) fn clauses(p: &mut Parser<'_>, allowed: &[K], what: &str) {
    // The order of the language; `from` ends an extern and is not among them.
    const ORDER: [K; 4] = [K::InKw, K::DoesKw, K::NeedsKw, K::WithKw];
    let mut least = 0;
    let mut seen: [bool; 4] = [false; 4];
    loop {
        if p.recovering {
            p.skip_on_line(&[K::InKw, K::DoesKw, K::NeedsKw, K::WithKw, K::FromKw, K::LBrace]);
        }
        let Some(place) = ORDER.iter().position(|&word| p.at_clause(word)) else { return };
        let Some(&word) = ORDER.get(place) else { return };
        let text = word.fixed_text().unwrap_or_default();
        if !allowed.contains(&word) {
            let range = p.range(0);
            p.report(SyntaxError::new(
                Code::Unexpected,
                range,
                format!("{what} cannot have `{text}`"),
            ));
        } else if seen.get(place) == Some(&true) {
            let range = p.range(0);
            p.report(SyntaxError::new(
                Code::Unexpected,
                range,
                format!("{what} can have `{text}` only once"),
            ));
        } else if place < least {
            let range = p.range(0);
            let before = ORDER.get(least).and_then(|word| word.fixed_text()).unwrap_or_default();
            let error = SyntaxError::new(
                Code::Unexpected,
                range,
                format!("write `{text}` before `{before}`"),
            )
            .with_help(
                "write the parts of a header in the order `in`, `does`, `needs`, `with`, `from`",
            );
            p.habit(error);
        }
        least = least.max(place);
        if let Some(seen) = seen.get_mut(place) {
            *seen = true;
        }
        p.clear_separator();
        match word {
            K::InKw => {
                let marker = p.start();
                p.bump();
                p.expect_upper_name("a session");
                p.finish_node(marker, K::InSession);
            }
            K::DoesKw => does(p),
            K::NeedsKw => {
                let marker = p.start();
                p.bump_keyword();
                // `from` on a line of its own is the clause that every extern ends with.
                let missing = p.raw() == K::FromKw && p.on_new_line(0);
                if p.current().can_be_name() && !missing {
                    p.bump_as(K::Lid);
                } else if missing {
                    let error = SyntaxError::new(
                        Code::Unexpected,
                        p.behind(),
                        "expected `approval` behind `needs`",
                    )
                    .with_replacement("write `needs approval`", p.behind(), " approval")
                    .guessed();
                    p.habit(error);
                } else {
                    p.expected("`approval`");
                }
                p.finish_node(marker, K::Needs);
            }
            _ => exprs::policies(p),
        }
    }
}

/// `does = "does" eff ("," eff)*`
fn does(p: &mut Parser<'_>) {
    let marker = p.start();
    p.bump_keyword();
    loop {
        if !effect(p) {
            break;
        }
        if !p.eat(K::Comma) {
            break;
        }
    }
    p.finish_node(marker, K::Does);
}

/// `eff = LID path? STR? | "model"`
fn effect(p: &mut Parser<'_>) -> bool {
    let marker = p.start();
    if !p.current().can_be_name() || matches!(p.raw(), K::NeedsKw | K::FromKw) {
        p.expected("an effect: `read net`, `write db`, `model`");
        p.abandon(marker);
        return false;
    }
    let model = p.raw() == K::ModelKw;
    p.bump_as(if model { K::ModelKw } else { K::Lid });
    if !model {
        let next = p.current();
        if next.can_be_name() && !matches!(next, K::NeedsKw | K::FromKw) || next == K::Uid {
            types::path(p);
        }
        if matches!(p.current(), K::StrStart | K::SingleQuoted) {
            texts::expect_string(p, "a resource");
        }
    }
    p.finish_node(marker, K::Effect);
    true
}

/// `trigger = "trigger" LID "on" path "(" args ")" ("as" LID ":" type)? policies? block`
fn trigger(p: &mut Parser<'_>, marker: Marker) {
    p.bump_keyword();
    if !p.expect_lower_name("a trigger") {
        p.skip_on_line(&[K::OnKw, K::LParen, K::LBrace]);
    }
    if p.at_clause(K::OnKw) {
        p.clear_separator();
        p.bump_keyword();
        types::path(p);
    } else {
        p.expected("`on` and the source of events: `on schedule.cron(…)`");
    }
    if p.recovering {
        p.skip_on_line(&[K::LParen, K::AsKw, K::WithKw, K::LBrace]);
    }
    if p.at(K::LParen) {
        exprs::args(p);
    } else {
        p.expected("`(` and the arguments of the source");
        p.skip_on_line(&[K::AsKw, K::WithKw, K::LBrace]);
    }
    if p.at_clause(K::AsKw) {
        p.clear_separator();
        let event = p.start();
        p.bump_keyword();
        p.expect_lower_name("an event");
        if p.expect(K::Colon, "`:` and the event's type") {
            types::ty(p);
        }
        p.finish_node(event, K::TriggerEvent);
    }
    if p.at(K::WithKw) {
        exprs::policies(p);
    }
    blocks::block(p, "a body");
    p.finish_node(marker, K::Trigger);
}

/// `sig = LID tparams? params "->" type`
pub(crate) fn signature(p: &mut Parser<'_>, what: &str) {
    // What a `(` follows is a name here, whatever the word begins elsewhere.
    if p.raw().is_reserved_word() && matches!(p.nth(1), K::LParen | K::Lt) {
        p.reserved_name(what);
    } else {
        p.expect_lower_name(what);
    }
    type_params(p);
    if p.at(K::LParen) {
        params(p);
    } else if p.at(K::LBrace) {
        p.expected("`(`, the parameters, `)`, `->` and the type of the result");
        return;
    } else if p.at(K::Arrow) || p.current() == K::Colon && !p.on_line(0, K::RParen) {
        let error = p.expected_error("`(` and the parameters").with_replacement(
            "insert `()`",
            p.behind(),
            "()",
        );
        p.habit(error);
    } else {
        // As `expect`, which also knows about a `(` on the next line.
        if p.current() == K::Separator && p.raw() == K::LParen {
            let range = p.range(0);
            p.habit(SyntaxError::new(Code::Unexpected, range, "put `(` on the line of the name"));
            p.clear_separator();
            params(p);
        } else {
            p.expected("`(` and the parameters");
            p.skip_on_line(&[K::Arrow, K::LBrace]);
        }
    }
    if p.recovering && !p.at(K::Arrow) {
        p.skip_on_line(&[K::Arrow, K::LBrace]);
    }
    if p.at(K::Arrow) {
        p.bump();
        types::ty(p);
    } else if matches!(p.current(), K::FatArrow | K::Colon) {
        habits::result_arrow(p);
        p.bump_as(K::Arrow);
        types::ty(p);
    } else {
        let error = p.expected_error("`->` and the type of the result").with_help(
            "write the type of the result, such as `-> text`, or `-> none` if there is no result",
        );
        if p.at(K::LBrace) && p.is_balanced() {
            p.habit(error);
        } else {
            p.report(error);
        }
    }
}

/// `tparams = "<" UID ("," UID)* ">"`
fn type_params(p: &mut Parser<'_>) {
    if !p.at(K::Lt) {
        return;
    }
    let marker = p.start();
    p.bump();
    loop {
        if !p.expect_upper_name("a type parameter") {
            break;
        }
        if !p.eat(K::Comma) {
            break;
        }
    }
    p.expect(K::Gt, "`>`");
    p.finish_node(marker, K::TypeParams);
}

/// `params = "(" (param ("," param)* ","?)? ")"`
pub(crate) fn params(p: &mut Parser<'_>) {
    let marker = p.start();
    let bracket = p.open(Context::Inside);
    lists::comma_list(p, bracket, "a parameter", param);
    p.finish_node(marker, K::Params);
}

/// `param = DOC* "stream"? LID ":" type ("=" expr)?`
fn param(p: &mut Parser<'_>) -> bool {
    let marker = p.start_documented();
    if p.raw() == K::StreamKw
        && (p.nth(1).can_be_name() || p.nth(1).is_reserved_word() && p.nth(2) == K::Colon)
    {
        p.bump_keyword();
    }
    // What stands before a `:` is a name. Natives may have parameters named like reserved words, and so may the parts of
    // variants; in a body the word could not be used.
    if !p.free_params && p.raw().is_reserved_word() && p.nth(1) == K::Colon {
        p.reserved_name("a parameter");
        p.bump();
        types::ty(p);
    } else if !named_type(p, "a parameter", true) {
        p.finish_error(marker);
        return false;
    }
    if p.at(K::Eq) {
        p.bump();
        exprs::expect_expr(p, "a default");
    }
    p.finish_node(marker, K::Param);
    true
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Place, check};

    #[test]
    fn declarations() {
        check(
            Place::File,
            &[
                ("use a.b as c", "SourceFile(Use(use Path(a . b) as c))"),
                (
                    "pub record R<T> { a: text = \"x\" as \"A\", in: T }",
                    "SourceFile(Record(pub record R TypeParams(< T >) { Field(a : NamedType(Path(text)) = StrExpr(\" x \") WireName(as StrExpr(\" A \"))) , Field(in : NamedType(Path(T))) }))",
                ),
                (
                    "enum E { A, B(x: int) as \"b\" }",
                    "SourceFile(Enum(enum E { Variant(A) , Variant(B Params(( Param(x : NamedType(Path(int))) )) WireName(as StrExpr(\" b \"))) }))",
                ),
                (
                    "type T = text where (max_len: 3)",
                    "SourceFile(TypeAlias(type T = RefinedType(NamedType(Path(text)) Where(where Args(( Arg(max_len : NumberExpr(3)) ))))))",
                ),
                (
                    "model m needs (tools: true)",
                    "SourceFile(Model(model m Needs(needs Args(( Arg(tools : BoolExpr(true)) )))))",
                ),
                ("secret s", "SourceFile(Secret(secret s))"),
                (
                    "graph g(stream a: text, b: int = 1,) -> none in S does write net \"x\", model with (time: 1s) { }",
                    "SourceFile(Graph(graph g Params(( Param(stream a : NamedType(Path(text))) , Param(b : NamedType(Path(int)) = NumberExpr(1)) , )) -> NoneType(none) InSession(in S) Does(does Effect(write Path(net) StrExpr(\" x \")) , Effect(model)) Policies(with Args(( Arg(time : NumberExpr(1s)) ))) Block({ })))",
                ),
                (
                    "extern e() -> text\n  does read db.orders\n  needs approval\n  with (a: 1)\n  from http \"POST x\"",
                    "SourceFile(Extern(extern e Params(( )) -> NamedType(Path(text)) Does(does Effect(read Path(db . orders))) Needs(needs approval) Policies(with Args(( Arg(a : NumberExpr(1)) ))) From(from http StrExpr(\" POST x \"))))",
                ),
                (
                    "trigger t on m.f(1) as e: T with (by: e) { }",
                    "SourceFile(Trigger(trigger t on Path(m . f) Args(( Arg(NumberExpr(1)) )) TriggerEvent(as e : NamedType(Path(T))) Policies(with Args(( Arg(by : NameExpr(e)) ))) Block({ })))",
                ),
                (
                    "session S { a: int }",
                    "SourceFile(Session(session S { Field(a : NamedType(Path(int))) }))",
                ),
                (
                    "//! file\n/// doc\nfn f() -> int { 1 }\n",
                    "SourceFile(Fn(/// doc fn f Params(( )) -> NamedType(Path(int)) Block({ NumberExpr(1) })))",
                ),
            ],
        );
    }
}
