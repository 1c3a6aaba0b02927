//! Prompts and agents (§13: `prompt`, `pitem`, `tool`).

use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;

use super::super::builder::Marker;
use super::super::{Context, Parser, habits};
use super::lists::{self, Separators};
use super::{decls, exprs, types};

/// `prompt = ("prompt" | "agent") sig does? policies? "{" pitem (SEP pitem)* SEP? "}"`
pub(crate) fn prompt(p: &mut Parser<'_>, marker: Marker) {
    let what = if p.raw() == K::AgentKw { "an agent" } else { "a prompt" };
    p.bump_keyword();
    decls::signature(p, what);
    decls::clauses(p, &[K::DoesKw, K::WithKw], what);
    if let Some(bracket) = lists::open_braces(p, Context::Lines, "its items", |p| {
        p.raw().is_role() || p.at(K::ModelKw)
    }) {
        let opener = p.behind();
        let mut count = 0u32;
        lists::lines(p, bracket, Separators::Lines, "item of a prompt", |p| {
            count += 1;
            item(p)
        });
        if count == 0 && !p.damaged {
            lists::none_inside(
                p,
                opener,
                "expected at least one item: `model`, `system`, `user`, `assistant`, `messages`",
            );
        }
    }
    p.finish_node(marker, K::Prompt);
}

/// `pitem = "model" LID policies? | ROLE expr | "tools" "[" (tool ("," tool)* ","?)? "]"`
fn item(p: &mut Parser<'_>) -> bool {
    let marker = p.start();
    let next = p.raw();
    match next {
        K::ModelKw => {
            p.bump_keyword();
            habits::colon_after_word(p);
            if matches!(p.raw(), K::StrStart) {
                let error = p.expected_error("the name of a role").with_help(
                    "name a role, such as `model fast`; `kait.toml` says which model plays it",
                );
                p.report(error);
                p.skip_one();
            } else {
                p.expect_lower_name("a model's role");
                if matches!(p.raw(), K::Minus | K::Slash | K::Dot | K::Colon) && p.glued(0) {
                    let error = p.expected_error("the end of the line").with_help(
                        "code names roles, `model fast`; a profile says which model that is",
                    );
                    p.report(error);
                    p.skip_to_line_end(false);
                }
            }
            if p.at(K::WithKw) {
                exprs::policies(p);
            }
            p.finish_node(marker, K::PromptModel);
        }
        K::ToolsKw => {
            p.bump_keyword();
            habits::colon_after_word(p);
            if p.at(K::LBracket) {
                let bracket = p.open(Context::Inside);
                lists::comma_list(p, bracket, "a tool", tool);
            } else {
                p.expected("`[` and the tools");
            }
            p.finish_node(marker, K::PromptTools);
        }
        _ if next.is_role() => {
            p.bump_keyword();
            habits::colon_after_word(p);
            exprs::expect_expr(p, "the content of the message");
            p.finish_node(marker, K::PromptMessage);
        }
        _ => {
            let mut error = p.expected_error(
                "an item of a prompt: `model`, `system`, `user`, `assistant`, `messages`, `tools`",
            );
            if matches!(next, K::StrStart) {
                error = error.with_replacement("insert `user`", p.behind_blank(), "user ");
            } else if next == K::LetKw {
                error = SyntaxError::new(
                    Code::Unexpected,
                    p.range(0),
                    "a prompt cannot contain steps, only its model and its messages",
                )
                .with_help("compute it in a graph, and pass it as a parameter");
            }
            p.report(error);
            p.abandon(marker);
            p.skip_to_line_end(false);
            return false;
        }
    }
    true
}

/// `tool = path policies?`
fn tool(p: &mut Parser<'_>) -> bool {
    let marker = p.start();
    if !types::path(p) {
        p.abandon(marker);
        return false;
    }
    if p.at(K::WithKw) {
        exprs::policies(p);
    }
    p.finish_node(marker, K::Tool);
    true
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Place, check};

    #[test]
    fn items_of_an_agent() {
        check(
            Place::File,
            &[(
                "agent a(q: text) -> T with (turns: 2) {\n  model m with (x: 1)\n  user q\n  tools [a.b with (c: 1), d]\n}",
                "SourceFile(Prompt(agent a Params(( Param(q : NamedType(Path(text))) )) -> NamedType(Path(T)) Policies(with Args(( Arg(turns : NumberExpr(2)) ))) { PromptModel(model m Policies(with Args(( Arg(x : NumberExpr(1)) )))) PromptMessage(user NameExpr(q)) PromptTools(tools [ Tool(Path(a . b) Policies(with Args(( Arg(c : NumberExpr(1)) )))) , Tool(Path(d)) ]) }))",
            )],
        );
    }
}
