//! `std.html` and `std.markdown`, and segmenters as leaves: pure, but their results are recorded, because they get
//! better with the crates behind them.

use htmd::HtmlToMarkdown;
use kait_engine::Outcome;
use kait_engine::std::segment::Segmenter;
use kait_ir::{Failure, Value};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use smol_str::SmolStr;

use crate::args;
use crate::connections::{Connections, LeafFn};
use crate::leaf::{Ended, LeafJob, Started};

/// The leaves of the module.
pub(crate) const LEAVES: &[(&str, LeafFn)] = &[
    ("html.to_markdown", |_, job| convert(job, "html", |s| to_markdown(s).map(Value::text))),
    ("html.to_text", |_, job| convert(job, "html", |s| Ok(Value::text(plain(&to_markdown(s)?))))),
    ("markdown.sections", |_, job| convert(job, "markdown", |s| Ok(sections(s)))),
    ("markdown.to_html", |_, job| convert(job, "markdown", |s| Ok(Value::text(to_html(s))))),
    ("text.chunks", segments),
    ("text.lines", segments),
    ("text.paragraphs", segments),
    ("text.sentences", segments),
];

/// Texts up to this size, in bytes, are converted at once: that takes less than a thread would.
const AT_ONCE: usize = 32 << 10;

/// Deepest nesting of HTML: the converter recurses.
const MAX_NESTING: usize = 400;

fn convert(
    job: &LeafJob<'_>,
    module: &'static str,
    by: fn(&str) -> Result<Value, String>,
) -> Result<Started, Failure> {
    let text = args::text(job.args, 0)?;
    let run = move || match by(&text) {
        Ok(value) => Outcome::Ok(value),
        Err(message) => {
            Outcome::Failed(Failure::Tool { name: module.into(), message: message.into() })
        }
    };
    if args::text(job.args, 0)?.len() <= AT_ONCE {
        return Ok(Started::Now(run()));
    }
    Ok(Started::Later(Box::pin(async move {
        let ended = tokio::task::spawn_blocking(run).await;
        Ended::from(
            ended.unwrap_or_else(|_| Outcome::Failed(Failure::trap("the conversion broke down"))),
        )
    })))
}

fn segments(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let text = args::text(job.args, 0)?;
    let rest = job.args.get(1..).unwrap_or_default();
    let mut segmenter = Segmenter::of(&job.decl.name, rest)
        .unwrap_or_else(|| Err(Failure::trap("this is no segmenter")))?;
    let mut out: Vec<SmolStr> = Vec::new();
    segmenter.push(&text, &mut out);
    segmenter.finish(&mut out);
    Ok(Started::Now(Outcome::Ok(Value::list(out.into_iter().map(Value::Text).collect()))))
}

fn to_markdown(source: &str) -> Result<String, String> {
    if nesting(source) > MAX_NESTING {
        return Err(format!("the HTML is nested deeper than {MAX_NESTING} elements"));
    }
    let converter = HtmlToMarkdown::builder()
        .skip_tags(vec!["script", "style", "noscript", "template", "head", "svg", "iframe"])
        .build();
    converter.convert(source).map(|text| text.trim().to_owned()).map_err(|error| error.to_string())
}

/// An upper bound of how deep the elements are nested. Elements which close each other do not count: they only nest
/// within others that do.
fn nesting(source: &str) -> usize {
    const FLAT: &[&str] = &[
        "p", "li", "td", "th", "tr", "dt", "dd", "option", "br", "hr", "img", "input", "meta",
        "link", "col", "area", "base", "embed", "source", "track", "wbr", "html", "head", "body",
        "thead", "tbody", "tfoot", "optgroup",
    ];
    let (mut depth, mut deepest) = (0usize, 0usize);
    let mut rest = source;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at + 1..).unwrap_or_default();
        let closing = rest.starts_with('/');
        let name = rest.trim_start_matches('/');
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let name = name.get(..end.min(24)).unwrap_or_default().to_ascii_lowercase();
        if name.is_empty() || FLAT.contains(&name.as_str()) {
            continue;
        }
        if closing {
            depth = depth.saturating_sub(1);
        } else {
            depth += 1;
            deepest = deepest.max(depth);
        }
    }
    deepest
}

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
fn plain(source: &str) -> String {
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
    fn pages_become_markdown_without_scripts() {
        let page = "<html><head><title>x</title></head><body><h1>Tea</h1><script>evil()</script>\
                    <p>Hot <b>water</b>.</p><ul><li>a<li>b</ul></body></html>";
        let text = to_markdown(page).unwrap();
        assert!(text.starts_with("# Tea\n\nHot **water**."), "{text}");
        assert!(!text.contains("evil"));
        assert_eq!(plain(&to_markdown("<p>Fish &amp; <i>chips</i></p>").unwrap()), "Fish & chips");
    }

    #[test]
    fn nesting_is_bounded_and_what_is_allowed_fits_the_stack() {
        let deep = |n: usize| format!("{}x{}", "<div>".repeat(n), "</div>".repeat(n));
        assert!(to_markdown(&deep(MAX_NESTING + 1)).unwrap_err().contains("nested"));
        let deepest = deep(MAX_NESTING);
        let run = move || assert_eq!(to_markdown(&deepest).unwrap(), "x");
        std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
        // Many paragraphs that nobody closed are not deep.
        to_markdown(&"<p>a".repeat(5000)).unwrap();
        to_markdown(&"</b>".repeat(5000)).unwrap();
    }

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
