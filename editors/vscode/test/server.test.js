// The client, bundled as it is shipped with the real protocol library, against the real `kait lsp`: it starts, a
// text that is opened gets its findings, and the editor is given what the server can do. Only the editor
// is played, as little of it as the library touches.
//
// The binary is the one of $KAIT, else of the workspace's target folder. Without one the test says so and does
// nothing, unless KAIT_PEERS=required.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const Module = require('node:module');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { pathToFileURL } = require('node:url');

const EXTENSION = path.join(__dirname, '..');
const ROOT = path.join(EXTENSION, '../..');

function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target');
  const places = [process.env.KAIT, path.join(target, 'debug/kait'), path.join(target, 'release/kait')];
  return places.find((file) => file && fs.existsSync(file));
}

class Disposable {
  constructor(run) { this.run = run; }
  dispose() { this.run?.(); }
  static from(...all) { return new Disposable(() => all.forEach((one) => one.dispose())); }
}

class EventEmitter {
  listeners = new Set();
  event = (listener, self) => {
    const bound = listener.bind(self);
    this.listeners.add(bound);
    return new Disposable(() => this.listeners.delete(bound));
  };
  fire(data) { return Promise.all([...this.listeners].map((listener) => listener(data))); }
  dispose() { this.listeners.clear(); }
}

class Uri {
  constructor(text) { this.text = text; this.scheme = text.split(':')[0]; }
  static parse(text) { return new Uri(text); }
  static file(file) { return new Uri(pathToFileURL(file).href); }
  get fsPath() { return decodeURIComponent(new URL(this.text).pathname); }
  get path() { return this.fsPath; }
  toString() { return this.text; }
}

class Position {
  constructor(line, character) { Object.assign(this, { line, character }); }
}

class Range {
  constructor(start, end, line, character) {
    this.start = typeof start === 'number' ? new Position(start, end) : start;
    this.end = typeof start === 'number' ? new Position(line, character) : end;
  }
}

class Diagnostic {
  constructor(range, message, severity) { Object.assign(this, { range, message, severity }); }
}

// What the library only passes on, calls or derives from: it has everything and does nothing.
const anything = () => new Proxy(function () {}, {
  get: (target, key) => (key in target || typeof key === 'symbol' ? target[key] : anything()),
  apply: () => anything(),
});

// Enumerations count from 0, or from 1 by the protocol; the library compares only what it made itself.
function editor(kait, log) {
  const events = new Map();
  const event = (name) => {
    if (!events.has(name)) events.set(name, new EventEmitter());
    return events.get(name);
  };
  // `onDid…` are events, `register…` are counted, the rest is nothing.
  const part = (own) => new Proxy(own, {
    get: (target, key) => {
      if (key in target || typeof key === 'symbol') return target[key];
      if (/^on(Did|Will)/.test(key)) return event(key).event;
      if (key.startsWith('register')) {
        return (...args) => { log.registered.set(key, args); return new Disposable(); };
      }
      return undefined;
    },
  });
  const channel = new Proxy({}, { get: (_, key) => (key === 'logLevel' ? 3 : key === 'onDidChangeLogLevel' ? event(key).event : (text) => log.output.push(`${key}: ${text}`)) });
  const known = {
    version: '1.106.0',
    Disposable, EventEmitter, Uri, Position, Range, Diagnostic,
    CancellationTokenSource: class {
      token = { isCancellationRequested: false, onCancellationRequested: new EventEmitter().event };
      cancel() { this.token.isCancellationRequested = true; }
      dispose() {}
    },
    CancellationError: class extends Error {},
    DiagnosticSeverity: { Error: 0, Warning: 1, Information: 2, Hint: 3 },
    LogLevel: { Off: 0, Trace: 1, Debug: 2, Info: 3, Warning: 4, Error: 5 },
    env: { language: 'en', appName: 'test', openExternal: async () => true },
    commands: part({ executeCommand: async () => undefined }),
    tasks: {},
    languages: part({
      match: (selector, document) => (selector.some((one) => one.language === document.languageId) ? 10 : 0),
      createDiagnosticCollection: () => ({
        set: (uri, found) => log.findings.fire([uri.toString(), found]),
        delete: () => {}, clear: () => {}, dispose: () => {},
      }),
    }),
    window: part({
      visibleTextEditors: [],
      tabGroups: { all: [], onDidChangeTabs: event('onDidChangeTabs').event },
      createOutputChannel: () => channel,
      showErrorMessage: async (text) => { log.errors.push(text); },
      showWarningMessage: async (text) => { log.errors.push(text); },
      setStatusBarMessage: (text) => { log.status.push(text); },
      withProgress: (_, run) => run({ report() {} }, new known.CancellationTokenSource().token),
    }),
    workspace: part({
      isTrusted: true,
      textDocuments: [],
      notebookDocuments: [],
      workspaceFolders: [],
      getConfiguration: () => ({ get: (key, otherwise) => (key === 'path' ? kait : otherwise), has: () => false }),
      getWorkspaceFolder: () => undefined,
      createFileSystemWatcher: () => ({ ...part({}), onDidCreate: event('create').event, onDidChange: event('change').event, onDidDelete: event('delete').event, dispose() {} }),
    }),
  };
  const vscode = new Proxy(known, { get: (target, key) => (key in target || typeof key === 'symbol' ? target[key] : anything()) });
  return { vscode, event };
}

function document(uri, text) {
  const lines = text.split('\n');
  return {
    uri, languageId: 'kait', version: 1, isClosed: false, isDirty: false, lineCount: lines.length,
    getText: () => text,
  };
}

// The first of what an event gives that is wanted.
function first(emitter, wanted) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('nothing came in 60 s')), 60_000);
    const listening = emitter.event((data) => {
      if (!wanted(data)) return;
      clearTimeout(timer);
      listening.dispose();
      resolve(data);
    });
  });
}

const kait = binary();
const skip = !kait && process.env.KAIT_PEERS !== 'required' ? 'there is no kait binary: cargo build -p kait, or set KAIT' : false;

test('the shipped client starts `kait lsp`, and a text that is opened gets its findings', { skip }, async () => {
  assert.ok(kait, 'there is no kait binary');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kait-vscode-'));
  // As `npm run build` does, in a place of its own: other tests build at the same time.
  const bundle = path.join(folder, 'client.js');
  const options = ['--bundle', '--platform=node', '--target=node18', '--external:vscode', `--outfile=${bundle}`];
  execFileSync(path.join(EXTENSION, 'node_modules/.bin/esbuild'), ['client.js', ...options], { cwd: EXTENSION, stdio: 'pipe' });
  const log = { registered: new Map(), errors: [], output: [], status: [], findings: new EventEmitter() };
  const { vscode, event } = editor(kait, log);
  const load = Module._load;
  Module._load = (name, ...rest) => (name === 'vscode' ? vscode : load(name, ...rest));
  let client;
  try {
    client = require(bundle);
    const uri = Uri.file(path.join(folder, 'a.kait'));
    const opened = document(uri, 'fn f(number: int) -> int {\n  numbr\n}\n');
    const found = first(log.findings, ([of, all]) => of === uri.toString() && all.length > 0);
    vscode.workspace.textDocuments.push(opened);
    await client.activate({ subscriptions: [] });
    assert.deepEqual(log.errors, [], log.output.join('\n'));
    await event('onDidOpenTextDocument').fire(opened);
    const [, [finding]] = await found;
    assert.match(finding.message, /`numbr` is not known here/);
    assert.equal(finding.range.start.line, 1);
    for (const feature of ['Hover', 'CompletionItem', 'Definition', 'Rename', 'DocumentFormattingEdit', 'CodeActions']) {
      const name = feature === 'CodeActions' ? 'registerCodeActionsProvider' : `register${feature}Provider`;
      assert.ok(log.registered.has(name), `${name} of ${[...log.registered.keys()]}`);
    }
    // Why a broken text is not formatted stands in the status bar, not in a box.
    const broken = document(Uri.file(path.join(folder, 'b.kait')), 'fn f( -> int {\n');
    vscode.workspace.textDocuments.push(broken);
    await event('onDidOpenTextDocument').fire(broken);
    const [, formatter] = log.registered.get('registerDocumentFormattingEditProvider');
    const token = new vscode.CancellationTokenSource().token;
    const edits = await formatter.provideDocumentFormattingEdits(broken, { tabSize: 2, insertSpaces: true }, token);
    assert.deepEqual(edits, []);
    assert.match(log.status.join(), /syntax errors/);
  } finally {
    await client?.deactivate();
    Module._load = load;
    fs.rmSync(folder, { recursive: true });
  }
});
