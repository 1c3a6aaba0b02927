"""What the site has beyond docs/: the language reference, which is tests/spec, since the tests run it."""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
SPEC = "tests/spec/"


def on_files(files, config):
    for chapter in sorted((ROOT / SPEC).glob("*.md")):
        files.append(File.generated(config, f"reference/{chapter.name}", abs_src_path=str(chapter)))
    return files


def on_page_markdown(markdown, page, **_):
    """Links out of docs/ lead to the reference, or to what the site does not have and only names."""
    up = "" if page.file.src_uri.startswith("reference/") else "reference/"

    def link(match):
        words, target = match[1], match[2]
        if SPEC in target:
            return f"[{words}]({up}{target.split(SPEC)[1]})"
        return words

    return re.sub(r"\[([^\]]+)\]\(((?:\.\./)+[^)]+)\)", link, markdown)
