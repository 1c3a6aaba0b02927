//! `std.markdown`: HTML that is safe to show, plain text, and sections.

use kait_ir::Value;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::converted;
use crate::connections::LeafFn;

/// The leaves of the module.
pub(super) const LEAVES: &[(&str, LeafFn)] = &[
    ("markdown.sections", |_, job| converted(job, |s| Ok(sections(s)))),
    ("markdown.to_html", |_, job| converted(job, |s| Ok(Value::text(to_html(s))))),
    ("markdown.to_text", |_, job| converted(job, |s| Ok(Value::text(plain(s))))),
];

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

fn to_html(source: &str) -> String {
    // Raw HTML becomes text: the result is safe to show, whoever wrote the Markdown.
    let events = Parser::new_ext(source, options()).map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) if !is_safe(&dest_url) => {
            let _ = dest_url;
            Event::Start(Tag::Link { link_type, dest_url: "".into(), title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) if !is_safe(&dest_url) => {
            let _ = dest_url;
            Event::Start(Tag::Image { link_type, dest_url: "".into(), title, id })
        }
        other => other,
    });
    let mut out = String::with_capacity(source.len() * 3 / 2);
    html::push_html(&mut out, events);
    out
}

/// Whether a link can be followed without running anything: relative, or one of the usual schemes.
fn is_safe(url: &str) -> bool {
    let scheme = url.split(['/', '?', '#']).next().unwrap_or_default().split_once(':');
    scheme.is_none_or(|(scheme, _)| {
        ["http", "https", "mailto", "tel"].contains(&scheme.trim().to_ascii_lowercase().as_str())
    })
}

/// The text of Markdown without its marks; blocks are set apart by empty lines, items of lists by line ends.
pub(super) fn plain(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let gap = |out: &mut String, lines: usize| {
        let kept = out.trim_end().len();
        out.truncate(kept);
        if !out.is_empty() {
            out.extend(std::iter::repeat_n('\n', lines));
        }
    };
    for event in Parser::new_ext(source, options()) {
        match event {
            Event::Text(text) | Event::Code(text) => out.push_str(&text),
            Event::SoftBreak => out.push(' '),
            Event::HardBreak => out.push('\n'),
            Event::Start(Tag::Item | Tag::TableRow | Tag::TableHead) => gap(&mut out, 1),
            Event::End(TagEnd::TableCell) => out.push('\t'),
            Event::Start(
                Tag::Paragraph | Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::BlockQuote(_),
            ) => {
                gap(&mut out, 2);
            }
            Event::End(TagEnd::List(_) | TagEnd::Table) => gap(&mut out, 2),
            _ => {}
        }
    }
    out.trim().to_owned()
}

/// `markdown.Section(level, title, body)` for each heading, and one of level 0 for what stands above the first.
fn sections(source: &str) -> Value {
    let section = |level: i64, title: &str, body: &str| {
        Value::record([Value::Int(level), Value::text(title.trim()), Value::text(body.trim())])
    };
    let mut found = Vec::new();
    let (mut level, mut title, mut body_from) = (0, String::new(), 0);
    let mut heading = None;
    for (event, range) in Parser::new_ext(source, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level: next, .. }) => {
                let body = source.get(body_from..range.start).unwrap_or_default();
                if level > 0 || !body.trim().is_empty() {
                    found.push(section(level, &title, body));
                }
                heading = Some(next);
                title.clear();
            }
            Event::End(TagEnd::Heading(_)) => {
                level = heading.take().map_or(1, |h: HeadingLevel| h as i64);
                body_from = range.end;
            }
            Event::Text(text) | Event::Code(text) if heading.is_some() => title.push_str(&text),
            _ => {}
        }
    }
    let body = source.get(body_from..).unwrap_or_default();
    if level > 0 || !body.trim().is_empty() {
        found.push(section(level, &title, body));
    }
    Value::list(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_html_and_strange_links_lose_their_power() {
        assert_eq!(to_html("*hot* tea"), "<p><em>hot</em> tea</p>\n");
        let html = to_html(
            "<script>x</script>\n\n[a](javascript:x) <b onclick=x> [b](/rel:x) [c](JaVascript:x)",
        );
        assert!(
            !html.contains("<script")
                && !html.contains("<b ")
                && !html.to_lowercase().contains("\"javascript")
        );
        assert!(html.contains("/rel:x"));
    }

    #[test]
    fn sections_keep_their_level_and_body() {
        let Value::List(parts) = sections("intro\n\n# Tea *hot*\n\nHot.\n\n## Milk\n\nCold.")
        else {
            panic!()
        };
        let section =
            |l, t: &str, b: &str| Value::record([Value::Int(l), Value::text(t), Value::text(b)]);
        assert_eq!(
            **parts,
            [section(0, "", "intro"), section(1, "Tea hot", "Hot."), section(2, "Milk", "Cold.")]
        );
        assert_eq!(
            sections("```\n# no heading\n```"),
            Value::list(vec![section(0, "", "```\n# no heading\n```")])
        );
    }
}
