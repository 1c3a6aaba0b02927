//! `std.html`: pages as Markdown, as text, and the parts of them that a CSS selector names.

use dom_query::{Document, Matcher};
use htmd::HtmlToMarkdown;
use indexmap::IndexMap;
use kait_ir::{Failure, Value, ValueMap};

use super::{converted, markdown, start};
use crate::args;
use crate::connections::{Connections, LeafFn};
use crate::leaf::{LeafJob, Started};

/// The leaves of the module.
pub(super) const LEAVES: &[(&str, LeafFn)] = &[
    ("html.select", select),
    ("html.to_markdown", |_, job| {
        converted(job, |s| to_markdown(s).map(Value::text).map_err(broken))
    }),
    ("html.to_text", |_, job| {
        converted(job, |s| Ok(Value::text(markdown::plain(&to_markdown(s).map_err(broken)?))))
    }),
];

/// Deepest nesting of HTML: the converter recurses.
const MAX_NESTING: usize = 400;

/// Longest selector, in bytes: matching costs its length for each element.
const MAX_SELECTOR: usize = 1000;

/// Most elements that a selection gives.
const MAX_SELECTED: usize = 100_000;

/// Longest selection, in bytes: elements lie within each other, and each brings its content.
const MAX_CONTENT: usize = 16 << 20;

fn broken(message: String) -> Failure {
    Failure::Tool { name: "html".into(), message: message.into() }
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

fn select(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let (source, selector) = (args::text(job.args, 0)?, args::text(job.args, 1)?);
    start(source.len(), move || selected(&source, &selector))
}

/// `html.Element(tag, text, html, attributes)` for each element that the selector means, in the order of the page.
fn selected(source: &str, selector: &str) -> Result<Value, Failure> {
    let invalid = |why: String| Failure::invalid("selector", why);
    if selector.len() > MAX_SELECTOR {
        return Err(invalid(format!("the selector is longer than {MAX_SELECTOR} bytes")));
    }
    if selector.to_ascii_lowercase().contains(":has(") {
        // It looks at all that is below, for each element.
        return Err(invalid("`:has(…)` is not supported".to_owned()));
    }
    let matcher = Matcher::new(selector).map_err(|_| {
        invalid(format!("`{selector}` is not a CSS selector such as `table td.price`"))
    })?;
    if nesting(source) > MAX_NESTING {
        return Err(broken(format!("the HTML is nested deeper than {MAX_NESTING} elements")));
    }
    let document = Document::from(source);
    let mut found = Vec::new();
    let mut size = 0;
    for node in document.select_matcher(&matcher).nodes() {
        let tag = node.node_name().unwrap_or_default();
        let (text, html) = (node.text(), node.html());
        size += text.len() + html.len();
        if found.len() >= MAX_SELECTED {
            return Err(Failure::Budget { kind: "items".into() });
        }
        if size > MAX_CONTENT {
            return Err(Failure::Budget { kind: "bytes".into() });
        }
        // A page may say an attribute twice; the first counts.
        let mut attributes: IndexMap<String, String> = IndexMap::new();
        for attribute in node.attrs() {
            let name = attribute.name.local.to_string();
            attributes.entry(name).or_insert_with(|| attribute.value.to_string());
        }
        let attributes: ValueMap =
            attributes.into_iter().map(|(k, v)| (Value::text(k), Value::text(v))).collect();
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        found.push(Value::record([
            Value::text(&*tag),
            Value::text(words),
            Value::text(&*html),
            Value::Map(attributes.into()),
        ]));
    }
    Ok(Value::list(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::markdown::plain;

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
    fn elements_are_selected_with_their_content() {
        let page = "<ul><li class=a>One <b>1</b><li class='a b' id=x>Two</ul><p>Three";
        let Value::List(found) = selected(page, "li.a").unwrap() else { panic!() };
        assert_eq!(found.len(), 2);
        let fields = found[1].fields();
        assert_eq!(fields[0], Value::text("li"));
        assert_eq!(fields[1], Value::text("Two"));
        assert_eq!(fields[2], Value::text("<li class=\"a b\" id=\"x\">Two</li>"));
        let Value::Map(attributes) = &fields[3] else { panic!() };
        assert_eq!(attributes.get(&Value::text("id")), Some(&Value::text("x")));
        assert_eq!(found[0].fields()[1], Value::text("One 1"));
        assert_eq!(selected(page, "table").unwrap(), Value::list(vec![]));
    }

    #[test]
    fn a_selector_that_cannot_be_read_or_costs_too_much_is_refused() {
        for (selector, why) in [
            ("li[", "no"),
            ("", "not a CSS"),
            ("a:has(b)", "not supported"),
            (&"a ".repeat(999), "longer"),
        ] {
            let failure = selected("<p>a", selector).unwrap_err();
            assert!(format!("{failure:?}").contains(why), "{selector}: {failure:?}");
        }
        let deep = "<div>".repeat(300) + &"x".repeat(200_000);
        assert_eq!(selected(&deep, "div"), Err(Failure::Budget { kind: "bytes".into() }));
    }
}
