//! `kait cost`: what is printed, with and without prices in the profile.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::support::{Done, kait};

const PROGRAM: &str = "\
model fast

record Note {
  body: text
}

prompt draft(topic: text) -> Note {
  model fast with (max_tokens: 1_000)
  user topic
}

/// Drafts about each.
pub graph drafts(topics: [text] where (max: 10)) -> [Note] {
  for topic in topics {
    draft(topic)
  }
}
";

const PRICES: &str = "\
[models.fast]
provider = \"openai\"
model = \"tea-1\"
key_env = \"TEA_KEY\"
context = 9_000
max_output = 4_000
input_price = \"0.50 usd\"
output_price = \"2 usd\"
";

fn cost(directory: &Path, args: &[&str]) -> Done {
    let mut command = kait(&["cost", "notes.kait"]);
    command.args(args).current_dir(directory).env("HOME", directory);
    command.output().unwrap().into()
}

#[test]
fn without_a_profile_calls_are_known_and_money_is_unpriced() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("notes.kait"), PROGRAM).unwrap();
    let shown = cost(directory.path(), &[]).exits(0).out;
    assert_eq!(
        shown,
        "\
drafts(topics: [text] where (max: 10)) -> [Note]
  model calls len(topics) + len(topics) repairs = 20, with len(topics) ≤ 10
    len(topics) + len(topics) repairs  draft  line 15, len(topics) times
  tool calls  0
  questions   0
  tokens      unbounded
  money       unpriced: the profile has no prices for fast
  time        unbounded
  no bound for tokens: the profile gives no `context` for `fast`: how many tokens its model reads at most (notes.kait:1:7)
  no bound for time: nothing says how long `draft` may take: give its calls a `timeout:`, or a header a `time:` (notes.kait:7:8)
"
    );
}

#[test]
fn limits_and_prices_of_the_profile_give_tokens_and_money() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("notes.kait"), PROGRAM).unwrap();
    fs::write(directory.path().join("kait.toml"), PRICES).unwrap();
    let shown = cost(directory.path(), &["--json"]).exits(0).out;
    let shown: Json = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["schema"], "kait.cost/1");
    let graph = &shown["graphs"][0];
    let figures = &graph["figures"];
    assert_eq!(figures["requests"]["most"], 20);
    // Twenty calls of at most 9,000 tokens read and 1,000 written.
    assert_eq!(figures["tokens"]["most"], 200_000);
    assert_eq!(figures["money"]["most"], "0.13");
    assert_eq!(graph["currency"], "usd");
    assert_eq!(graph["unpriced"], serde_json::json!([]));
    assert_eq!(graph["parts"][0]["place"], "notes.kait:15:5");
    assert!(cost(directory.path(), &[]).exits(0).out.contains("money       0.13 usd\n"));
}

#[test]
fn what_cannot_be_counted_is_refused_with_a_code() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("notes.kait"), PROGRAM).unwrap();
    cost(directory.path(), &["--profile", "nowhere"]).exits(2).says(&["K0902", "nowhere"]);
    let mixed = format!("{PRICES}\n[models.smart]\nprovider = \"echo\"\ninput_price = \"1 eur\"\n");
    fs::write(directory.path().join("kait.toml"), mixed).unwrap();
    cost(directory.path(), &[]).exits(2).says(&["K0902", "one currency"]);
    let wrong = PRICES.replace("0.50 usd", "cheap");
    fs::write(directory.path().join("kait.toml"), wrong).unwrap();
    cost(directory.path(), &[]).exits(2).says(&["K0902", "`cheap` is not a price"]);
}
