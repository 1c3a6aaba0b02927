//! Policies, prompts, tests.

use super::{accepts, rejects, repairs};
use crate::diagnostics::Code;

#[test]
fn policies_are_known_by_their_place() {
    let call = |policies: &str| {
        format!("graph f(u: text) -> web.Page {{\n  web.fetch(u) with ({policies})\n}}\n")
    };
    accepts(&call("timeout: 10s, retry: 2, deadline: 1m, cache: 1h"));
    accepts(&call("fallback: web.Page(url: u, status: 200, body: \"\", content_type: \"\")"));
    rejects(&call("timeot: 10s"), &[(Code::UnknownPolicy, "no policy `timeot`", "timeot")]);
    repairs(&call("timeot: 10s"), Code::UnknownPolicy);
    rejects(&call("retry: 1, retry: 2"), &[(Code::RepeatedPolicy, "given twice", "retry")]);
    rejects(
        &call("temperature: 0.5"),
        &[(Code::MisplacedPolicy, "cannot be set on a call", "temperature")],
    );
    rejects(
        &call("timeout: 10"),
        &[(Code::PolicyValue, "needs a value of type `duration`, found `int`", "10")],
    );
    repairs(&call("timeout: 10"), Code::PolicyValue);
    rejects(&call("retry: -1"), &[(Code::PolicyValue, "at least 0", "-1")]);
    rejects(&call("fallback: 3"), &[(Code::Mismatch, "found `int`", "3")]);
    accepts(&call("approve: \"boss\", within: 1h, edit: [.url], show: u"));
    rejects(
        &call("approve: \"boss\""),
        &[(Code::NoWithin, "how long the approval may take", "approve: \"boss\"")],
    );
    rejects(&call("within: 1h"), &[(Code::ApprovalPolicy, "nobody is asked here", "within")]);
}

#[test]
fn prompts_ask_one_model_for_what_it_can_give() {
    let prompt = |result: &str, items: &str| {
        format!(
            "model fast\n\nrecord R {{ a: text, b: [int], c: image? }}\n\nprompt p(t: text, n: int, i: image, ms: [Message]) -> {result} {{\n  {items}\n}}\n"
        )
    };
    accepts(&prompt(
        "text",
        "model fast with (temperature: 0, max_tokens: 10)\n  system \"s\"\n  user t\n  user i\n  messages ms",
    ));
    accepts(&prompt("[int?]", "model fast\n  user [i, i]"));
    rejects(&prompt("text", "user t"), &[(Code::PromptModel, "does not say which model", "p")]);
    rejects(
        &prompt("text", "model fast\n  model fast\n  user t"),
        &[(Code::PromptModel, "only one `model` line", "model fast")],
    );
    rejects(
        &prompt("text", "model fast\n  system t"),
        &[(Code::PromptContent, "has no message for the model", "p")],
    );
    rejects(
        &prompt("text", "model fast\n  user n"),
        &[(Code::PromptContent, "cannot send `int`", "n")],
    );
    repairs(&prompt("text", "model fast\n  user n"), Code::PromptContent);
    rejects(
        &prompt("text", "model fast\n  messages [t]"),
        &[(Code::Mismatch, "expected `Message`, found `text`", "t")],
    );
    rejects(
        &prompt("R", "model fast\n  user t"),
        &[(Code::ModelResult, "cannot be asked for `R`", "R")],
    );
    rejects(&prompt("none", "model fast\n  user t"), &[(Code::ModelResult, "`none`", "none")]);
}

#[test]
fn tests_are_typed_by_what_they_stub() {
    let program = |items: &str| {
        format!(
            "model fast\n\nenum Mood {{ Good, Bad(why: text) }}\n\nprompt judge(t: text, hard: bool) -> Mood {{\n  model fast\n  user \"${{t}} ${{hard}}\"\n}}\n\ntest \"t\" {{\n  {items}\n}}\n"
        )
    };
    accepts(&program(
        "stub judge(_) => Good\n  stub judge(t, hard: true) => Bad(why: t) then fail Timeout\n  let m = judge(\"a\", hard: false)\n  expect m == Good\n  expect m is Good | Bad\n  expect calls(judge) == 1\n  expect called(judge, \"a\", hard: false)\n  expect attempts(judge) < 3\n  expect order(judge(\"a\"), judge)",
    ));
    rejects(
        &program("stub judge(_) => \"good\""),
        &[(Code::Mismatch, "expected `Mood`, found `text`", "\"good\"")],
    );
    rejects(
        &program("stub judge(1) => Good"),
        &[(Code::PatternMismatch, "cannot match a value of type `text`", "1")],
    );
    rejects(
        &program("stub judge(tt: _) => Good"),
        &[(Code::UnknownArgument, "no parameter `tt`", "tt")],
    );
    rejects(
        &program("stub judge(_, _, _) => Good"),
        &[(Code::TooManyArguments, "2 parameters", "_")],
    );
    rejects(&program("expect 1"), &[(Code::Mismatch, "expected `bool`", "1")]);
    rejects(
        &program("expect called(judge, 1)"),
        &[(Code::Mismatch, "expected `text`, found `int`", "1")],
    );
    rejects(
        &program("expect calls(judge) == \"1\""),
        &[(Code::BadOperands, "never equal", "calls(judge) == \"1\"")],
    );
}

#[test]
fn model_roles_need_what_is_known() {
    accepts("model fast needs (tools: true, context: 32_000)\n");
    rejects(
        "model fast needs (tool: true)\n",
        &[(Code::UnknownPolicy, "`tool` is not a requirement", "tool: true")],
    );
    rejects(
        "model fast needs (context: true)\n",
        &[(Code::PolicyValue, "whole number", "context: true")],
    );
}
