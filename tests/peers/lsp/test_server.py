"""The language server, driven by a client that others wrote (pytest-lsp), against the examples.

Every capability that the server names in its answer to `initialize` is asked for here; the last test fails if one is
added and not asked. The command is in KAIT, the folder of the examples in KAIT_EXAMPLES. Run by `cargo test -p kait`.
"""

import json
import os
import pathlib
import subprocess

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

EXAMPLES = pathlib.Path(os.environ["KAIT_EXAMPLES"]).resolve()
SERVER = ClientServerConfig(server_command=[os.environ["KAIT"], "lsp", "--stdio"])

# Capabilities that a test has asked for.
ASKED: set[str] = set()

# What the server asked the client to watch.
REGISTERED: list[str] = []


@pytest_lsp.fixture(config=SERVER, scope="module")
async def client(lsp_client: LanguageClient):
    # The client of the library says that it can watch files, but does not take the request for it.
    @lsp_client.feature(lsp.CLIENT_REGISTER_CAPABILITY)
    def _(params: lsp.RegistrationParams):
        globs = [
            watcher["globPattern"] if isinstance(watcher, dict) else watcher.globPattern
            for registration in params.registrations
            for watcher in (
                registration.register_options["watchers"]
                if isinstance(registration.register_options, dict)
                else registration.register_options.watchers
            )
        ]
        REGISTERED.extend(globs)

    await lsp_client.initialize_session(
        lsp.InitializeParams(
            capabilities=client_capabilities("visual-studio-code"),
            workspace_folders=[lsp.WorkspaceFolder(uri=EXAMPLES.as_uri(), name="examples")],
        )
    )
    yield lsp_client
    await lsp_client.shutdown_session()


class Text:
    """An open text; `at` finds a place in it."""

    def __init__(self, client, name, text=None):
        path = EXAMPLES / name
        self.client = client
        self.uri = path.as_uri()
        self.text = path.read_text(encoding="utf-8") if text is None else text
        self.version = 1
        client.text_document_did_open(
            lsp.DidOpenTextDocumentParams(
                lsp.TextDocumentItem(self.uri, "kait", self.version, self.text)
            )
        )

    @property
    def document(self):
        return lsp.TextDocumentIdentifier(self.uri)

    def at(self, words, inside=None):
        """The place of `inside` (its start) in the first occurrence of `words`; its end if not given."""
        start = self.text.index(words)
        offset = start + (len(words) if inside is None else words.index(inside))
        before = self.text[:offset].split("\n")
        # None of the examples has characters beyond the basic plane, so one is one.
        return lsp.Position(len(before) - 1, len(before[-1]))

    def replace(self, old, new):
        self.text = self.text.replace(old, new, 1)
        self.version += 1
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(version=self.version, uri=self.uri),
                [lsp.TextDocumentContentChangeWholeDocument(self.text)],
            )
        )

    def insert(self, words, new):
        """Puts `new` behind the first occurrence of `words`, as an incremental edit."""
        place = self.at(words)
        self.text = self.text.replace(words, words + new, 1)
        self.version += 1
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(version=self.version, uri=self.uri),
                [lsp.TextDocumentContentChangePartial(lsp.Range(place, place), new)],
            )
        )

    def slice(self, range):
        lines = self.text.split("\n")
        if range.start.line == range.end.line:
            return lines[range.start.line][range.start.character : range.end.character]
        middle = lines[range.start.line + 1 : range.end.line]
        first = lines[range.start.line][range.start.character :]
        return "\n".join([first, *middle, lines[range.end.line][: range.end.character]])

    def whole(self):
        lines = self.text.split("\n")
        return lsp.Range(lsp.Position(0, 0), lsp.Position(len(lines) - 1, len(lines[-1])))

    def apply(self, edits):
        lines = self.text.split("\n")
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        text = self.text
        for edit in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True):
            start = starts[edit.range.start.line] + edit.range.start.character
            end = starts[edit.range.end.line] + edit.range.end.character
            text = text[:start] + edit.new_text + text[end:]
        return text

    def close(self):
        self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(self.document))


@pytest.fixture
async def refine(client):
    text = Text(client, "refine.kait")
    yield text
    text.close()


def capability(name):
    ASKED.add(name)


async def test_every_example_is_without_findings(client):
    capability("text_document_sync")
    capability("diagnostic_provider")
    for path in sorted(EXAMPLES.glob("*.kait")):
        text = Text(client, path.name)
        report = await client.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(text.document))
        assert list(report.items) == [], path
        text.close()


async def test_findings_follow_the_edits(client, refine):
    capability("diagnostic_provider")
    refine.insert("loop note = draft", "x")
    report = await client.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(refine.document))
    assert [found.code for found in report.items] == ["K0201"]
    found = report.items[0]
    assert found.message.startswith("`draftx` is not known here")
    assert refine.slice(found.range) == "draftx"
    known = await client.text_document_diagnostic_async(
        lsp.DocumentDiagnosticParams(refine.document, previous_result_id=report.result_id)
    )
    assert known.kind == "unchanged"

    capability("code_action_provider")
    actions = await client.text_document_code_action_async(
        lsp.CodeActionParams(refine.document, found.range, lsp.CodeActionContext([found]))
    )
    assert [action.kind for action in actions] == ["quickfix"]
    edit = actions[0].edit.document_changes[0]
    assert edit.text_document.version == refine.version
    assert "loop note = draft(" in refine.apply(edit.edits)


async def test_all_fixes_at_once(client):
    capability("code_action_provider")
    wrong = "fn f(a: bool, b: bool) -> bool {\n  a && b || b\n}\n"
    text = Text(client, "unsaved_1.kait", wrong)
    actions = await client.text_document_code_action_async(
        lsp.CodeActionParams(
            text.document, text.whole(), lsp.CodeActionContext([], only=["source.fixAll"])
        )
    )
    assert text.apply(actions[0].edit.document_changes[0].edits).split("\n")[1] == "  a and b or b"
    text.close()


async def test_workspace_findings(client):
    capability("diagnostic_provider")
    report = await client.workspace_diagnostic_async(lsp.WorkspaceDiagnosticParams(previous_result_ids=[]))
    assert len(report.items) >= len(list(EXAMPLES.glob("*.kait")))
    assert all(len(one.items) == 0 for one in report.items)


async def test_hover(client, refine):
    capability("hover_provider")
    found = await client.text_document_hover_async(
        lsp.HoverParams(refine.document, refine.at("loop note = draft", "draft"))
    )
    assert "prompt draft" in found.contents.value
    assert "Effects: `model`" in found.contents.value
    assert refine.slice(found.range) == "draft"


async def test_definition_references_and_highlights(client, refine):
    capability("definition_provider")
    place = refine.at("loop note = draft", "draft")
    found = await client.text_document_definition_async(lsp.DefinitionParams(refine.document, place))
    assert found.uri == refine.uri and refine.slice(found.range) == "draft"

    capability("type_definition_provider")
    found = await client.text_document_type_definition_async(
        lsp.TypeDefinitionParams(refine.document, refine.at("match judge", "judge"))
    )
    assert refine.slice(found.range) == "Verdict"

    capability("references_provider")
    all_places = await client.text_document_references_async(
        lsp.ReferenceParams(
            text_document=refine.document, position=place, context=lsp.ReferenceContext(True)
        )
    )
    others = await client.text_document_references_async(
        lsp.ReferenceParams(
            text_document=refine.document, position=place, context=lsp.ReferenceContext(False)
        )
    )
    assert len(all_places) == len(others) + 1 >= 2
    assert all(refine.slice(found.range) == "draft" for found in all_places)

    capability("document_highlight_provider")
    marked = await client.text_document_document_highlight_async(
        lsp.DocumentHighlightParams(refine.document, place)
    )
    assert len(marked) == len(all_places)


async def test_rename(client, refine):
    capability("rename_provider")
    place = refine.at("loop note = draft", "draft")
    prepared = await client.text_document_prepare_rename_async(
        lsp.PrepareRenameParams(refine.document, place)
    )
    assert prepared.placeholder == "draft"
    edit = await client.text_document_rename_async(lsp.RenameParams(refine.document, place, "first_draft"))
    renamed = refine.apply(edit.document_changes[0].edits)
    assert "loop note = first_draft(" in renamed and "prompt first_draft(" in renamed
    with pytest.raises(Exception, match="cannot be called `judge`"):
        await client.text_document_rename_async(lsp.RenameParams(refine.document, place, "judge"))


async def test_completion_and_signature(client):
    capability("completion_provider")
    text = Text(client, "unsaved_2.kait", "fn f(word: text) -> text {\n  text.tr\n}\n")
    answer = await client.text_document_completion_async(
        lsp.CompletionParams(text.document, text.at("text.tr"))
    )
    trim = next(item for item in answer.items if item.label == "trim")
    assert "white space" in trim.documentation.value
    assert text.apply([trim.text_edit]).split("\n")[1] == "  text.trim($0)"

    capability("signature_help_provider")
    text.replace("text.tr", "text.join([word], ")
    found = await client.text_document_signature_help_async(
        lsp.SignatureHelpParams(text.document, text.at("[word], "))
    )
    assert found.signatures[0].label.startswith("join(xs: [text], with")
    assert found.active_parameter == 1
    text.close()


async def test_outline_and_search(client, refine):
    capability("document_symbol_provider")
    outline = await client.text_document_document_symbol_async(lsp.DocumentSymbolParams(refine.document))
    names = {one.name: [child.name for child in one.children or []] for one in outline}
    assert names["Verdict"] == ["Accept", "Revise"] and "refine" in names

    capability("workspace_symbol_provider")
    found = await client.workspace_symbol_async(lsp.WorkspaceSymbolParams("refine"))
    assert any(one.name == "refine" and one.location.uri == refine.uri for one in found)


async def test_tokens(client, refine):
    capability("semantic_tokens_provider")
    whole = await client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(refine.document))
    assert len(whole.data) % 5 == 0 and len(whole.data) > 500
    first = lsp.Range(lsp.Position(0, 0), lsp.Position(5, 0))
    part = await client.text_document_semantic_tokens_range_async(
        lsp.SemanticTokensRangeParams(refine.document, first)
    )
    assert part.data == whole.data[: len(part.data)] and 0 < len(part.data) < len(whole.data)


async def test_folding_formatting_and_types(client, refine):
    capability("folding_range_provider")
    folds = await client.text_document_folding_range_async(lsp.FoldingRangeParams(refine.document))
    loop = refine.at("loop note").line
    assert any(fold.start_line == loop for fold in folds)

    capability("document_formatting_provider")
    options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
    params = lsp.DocumentFormattingParams(refine.document, options)
    assert len(await client.text_document_formatting_async(params)) == 0
    standard = refine.text
    refine.replace("  loop note", "        loop   note")
    edits = await client.text_document_formatting_async(params)
    assert refine.apply(edits) == standard

    capability("inlay_hint_provider")
    hints = await client.text_document_inlay_hint_async(lsp.InlayHintParams(refine.document, refine.whole()))
    assert all(hint.label.startswith(": ") for hint in hints) and hints


async def test_files_that_change_on_disk(client):
    capability("workspace")
    assert "**/*.kait" in REGISTERED
    client.workspace_did_change_watched_files(
        lsp.DidChangeWatchedFilesParams([lsp.FileEvent(EXAMPLES.as_uri(), lsp.FileChangeType.Changed)])
    )
    client.workspace_did_change_workspace_folders(
        lsp.DidChangeWorkspaceFoldersParams(lsp.WorkspaceFoldersChangeEvent(added=[], removed=[]))
    )
    found = await client.workspace_symbol_async(lsp.WorkspaceSymbolParams("refine"))
    assert found


async def test_z_every_capability_was_asked_for(client):
    # The client keeps no copy of the server's answer: a second session is asked.
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "processId": None,
                "rootUri": None,
                "capabilities": {
                    "textDocument": {
                        "codeAction": {
                            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}
                        }
                    }
                },
            },
        }
    ).encode()
    command = [os.environ["KAIT"], "lsp"]
    message = b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    output = subprocess.run(command, input=message, capture_output=True, timeout=60).stdout
    named = json.loads(output.split(b"\r\n\r\n", 1)[1])["result"]["capabilities"]

    def snake(name):
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)

    named = {snake(name) for name in named} - {"position_encoding"}
    assert named - ASKED == set()
    assert len(named) >= 17
