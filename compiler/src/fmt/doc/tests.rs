//! What a document becomes on paper.

use super::*;

fn print(build: impl FnOnce(&mut Doc<'static>)) -> String {
    let mut doc = Doc::default();
    build(&mut doc);
    let mut out = String::new();
    doc.print(&mut out);
    out
}

fn call(doc: &mut Doc<'static>, name: &'static str, args: &[&'static str]) {
    doc.text(name);
    doc.open(Written::Loose);
    doc.text("(");
    doc.indent();
    doc.soft_line();
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            doc.comma();
            doc.line();
        }
        doc.text(arg);
    }
    doc.comma_if_broken();
    doc.dedent();
    doc.soft_line();
    doc.text(")");
    doc.close();
}

const LONG: &str = "a_name_that_is_forty_five_columns_wide_exactl";

#[test]
fn a_group_that_fits_stands_on_one_line() {
    assert_eq!(print(|doc| call(doc, "f", &["a", "b"])), "f(a, b)");
}

#[test]
fn a_group_that_does_not_fit_breaks_at_all_its_lines() {
    let printed = print(|doc| call(doc, "f", &[LONG, LONG, "four"]));
    assert_eq!(printed, format!("f(\n  {LONG},\n  {LONG},\n  four,\n)"));
}

#[test]
fn what_follows_a_group_counts_up_to_the_next_possible_line() {
    // 2 × 45 + 5 = 95 columns for the call itself.
    let with_rest = |rest: &'static str| {
        print(move |doc| {
            call(doc, "f", &[LONG, LONG]);
            doc.text(rest);
        })
    };
    assert!(!with_rest(" 100.").contains('\n'), "100 columns fit");
    assert!(with_rest(" 101..").contains('\n'), "101 columns do not");
    let broken_rest = print(|doc| {
        call(doc, "f", &[LONG, LONG]);
        doc.space();
        call(doc, "w", &[LONG]);
    });
    assert_eq!(broken_rest, format!("f({LONG}, {LONG}) w(\n  {LONG},\n)"));
}

#[test]
fn width_is_columns_not_bytes() {
    // Wide characters take two columns and three bytes, combining ones none.
    let fits = "漢".repeat(47);
    let wide: &'static str = Box::leak(fits.into_boxed_str());
    assert_eq!(print(|doc| call(doc, "f", &[wide])), format!("f({wide})"));
    let marks: &'static str = Box::leak("e\u{301}".repeat(97).into_boxed_str());
    assert_eq!(print(|doc| call(doc, "f", &[marks])), format!("f({marks})"));
    let too_wide: &'static str = Box::leak("漢".repeat(49).into_boxed_str());
    assert_eq!(print(|doc| call(doc, "f", &[too_wide])), format!("f(\n  {too_wide},\n)"));
}

#[test]
fn a_comment_ends_its_line_and_breaks_what_goes_on_behind_it() {
    let printed = print(|doc| {
        doc.open(Written::Flat);
        doc.text("f(");
        doc.indent();
        doc.soft_line();
        call(doc, "g", &["a"]);
        doc.trailing_comment("// why");
        doc.comma();
        doc.line();
        doc.text("b");
        doc.comma_if_broken();
        doc.dedent();
        doc.soft_line();
        doc.text(")");
        doc.close();
    });
    assert_eq!(printed, "f(\n  g(a), // why\n  b,\n)");
}

#[test]
fn a_comment_gets_an_end_of_line_where_none_was_offered() {
    let printed = print(|doc| {
        doc.text("let x =");
        doc.trailing_comment("// one");
        doc.space();
        doc.text("5");
        doc.trailing_comment("// two");
        doc.trailing_comment("// three");
    });
    assert_eq!(printed, "let x = // one\n  5 // two\n  // three");
    let printed = print(|doc| {
        doc.text("let x =");
        doc.own_line_comment("// why");
        doc.space();
        doc.text("5");
    });
    assert_eq!(printed, "let x =\n  // why\n  5");
}

#[test]
fn lines_of_a_text_are_indented_unless_empty() {
    let printed = print(|doc| {
        doc.indent();
        doc.hard_line();
        doc.text("user");
        doc.space();
        doc.open_text();
        doc.text("\"\"\"");
        doc.text_line();
        doc.text("one");
        doc.text_line();
        doc.text_line();
        doc.text("two");
        doc.text_line();
        doc.text("\"\"\"");
    });
    assert_eq!(printed, "  user \"\"\"\n    one\n\n    two\n    \"\"\"");
    let printed = print(|doc| {
        doc.indent();
        doc.hard_line();
        doc.open_text();
        doc.text("\"\"\"");
        doc.text_line();
        doc.text("one");
        doc.text_line();
        doc.text("\"\"\"");
    });
    assert_eq!(printed, "  \"\"\"\n  one\n  \"\"\"");
}

/// A call that was written on one line.
fn flat_call(doc: &mut Doc<'static>, name: &'static str, arg: impl FnOnce(&mut Doc<'static>)) {
    doc.text(name);
    doc.open(Written::Flat);
    doc.text("(");
    doc.indent();
    doc.soft_line();
    arg(doc);
    doc.comma_if_broken();
    doc.dedent();
    doc.soft_line();
    doc.text(")");
    doc.close();
}

#[test]
fn what_was_flat_never_breaks_and_its_width_counts() {
    let long = |doc: &mut Doc<'static>| {
        for text in [LONG, LONG, LONG] {
            doc.text(text);
        }
    };
    assert!(!print(|doc| flat_call(doc, "f", long)).contains('\n'));
    let printed = print(|doc| {
        call(doc, "f", &["a"]);
        flat_call(doc, "g", long);
    });
    assert!(printed.starts_with("f(\n  a,\n)g("), "{printed}");
}

#[test]
fn a_flat_group_does_not_indent_what_is_broken_in_it() {
    let printed = print(|doc| flat_call(doc, "f", |doc| call(doc, "g", &[LONG, LONG, "a"])));
    assert_eq!(printed, format!("f(g(\n  {LONG},\n  {LONG},\n  a,\n))"));
}

#[test]
fn a_loose_group_breaks_if_something_in_it_has_lines() {
    let text = |doc: &mut Doc<'static>| {
        doc.open_text();
        doc.text("\"\"\"");
        doc.text_line();
        doc.text("\"\"\"");
    };
    let printed = print(|doc| {
        doc.open(Written::Loose);
        doc.text("a");
        doc.indent();
        doc.line();
        flat_call(doc, "f", text);
        doc.dedent();
        doc.close();
    });
    assert_eq!(printed, "a\n  f(\"\"\"\n    \"\"\")");
}

#[test]
fn no_line_ends_in_blanks() {
    let printed = print(|doc| {
        doc.text("a");
        doc.space();
        doc.indent();
        doc.hard_line();
        doc.blank();
        doc.text("b");
        doc.space();
        doc.trailing_comment("// c");
        doc.dedent();
        doc.hard_line();
        doc.text("d");
    });
    assert_eq!(printed, "a\n\n  b // c\nd");
}
