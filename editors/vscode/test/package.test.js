// What is shipped: the packaged extension holds what its manifest names, and nothing else; the client
// loads, and starts and stops the server.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { test } = require('node:test');
const yauzl = require('yauzl');

const FOLDER = path.join(__dirname, '..');

function entries(file) {
  return new Promise((resolve, reject) => {
    yauzl.open(file, { lazyEntries: false }, (error, zip) => {
      if (error) return reject(error);
      const found = new Map();
      zip.on('entry', (entry) => found.set(entry.fileName, entry.uncompressedSize));
      zip.on('end', () => resolve(found));
      zip.on('error', reject);
    });
  });
}

test('the package holds what the manifest names, and no more', async () => {
  execFileSync('npm', ['run', '--silent', 'package'], { cwd: FOLDER, stdio: 'pipe' });
  const found = await entries(path.join(FOLDER, 'dist/kait.vsix'));
  const { main, contributes } = JSON.parse(fs.readFileSync(path.join(FOLDER, 'package.json'), 'utf8'));
  const named = [
    main,
    ...contributes.languages.map((language) => language.configuration),
    ...contributes.grammars.map((grammar) => grammar.path),
    ...contributes.snippets.map((snippets) => snippets.path),
  ].map((file) => path.posix.join('extension', file));
  const fixed = ['[Content_Types].xml', 'extension.vsixmanifest', 'extension/package.json',
    'extension/readme.md', 'extension/LICENSE.txt'];
  assert.deepEqual([...found.keys()].sort(), [...named, ...fixed].sort());
  for (const [name, size] of found) assert.ok(size > 100, `${name} is empty`);
  assert.ok(found.get('extension/dist/client.js') < 1_000_000, 'the client has grown');
});

test('the files that people write are JSON, and snippets fit the language', () => {
  for (const file of ['language-configuration.json', 'syntaxes/markdown.json', 'snippets/kait.json']) {
    JSON.parse(fs.readFileSync(path.join(FOLDER, file), 'utf8'));
  }
  const { indentationRules, wordPattern } =
    JSON.parse(fs.readFileSync(path.join(FOLDER, 'language-configuration.json'), 'utf8'));
  const grows = new RegExp(indentationRules.increaseIndentPattern);
  assert.ok(grows.test('graph f() -> int {') && grows.test('  f( // why') && !grows.test('// f('));
  assert.deepEqual('order_id: 2.5s'.match(new RegExp(wordPattern, 'g')), ['order_id', '2.5s']);
});

// As much of the editor's API as the client touches; what it does not know is an empty class.
function editor(log) {
  const anything = (name) => new Proxy(class {}, {
    get: (target, key) => (key in target ? target[key] : typeof key === 'symbol' ? undefined : anything(`${name}.${key}`)),
    apply: () => undefined,
  });
  const known = {
    commands: {
      registerCommand: (name, run) => { log.commands.set(name, run); return { dispose() {} }; },
      executeCommand: async () => undefined,
    },
    tasks: { executeTask: async (task) => log.tasks.push(task) },
    Task: class { constructor(...parts) { this.parts = parts; } },
    ProcessExecution: class { constructor(...parts) { this.parts = parts; } },
    TaskScope: { Global: 1 },
    Uri: class { constructor(file) { this.scheme = 'file'; this.fsPath = file; } toString() { return this.fsPath; } },
    window: { showErrorMessage: async (text) => { log.errors.push(text); }, showInformationMessage: async (text) => log.errors.push(text) },
    workspace: {
      isTrusted: true,
      textDocuments: [],
      getConfiguration: () => ({ get: () => '/opt/my kait' }),
      getWorkspaceFolder: () => undefined,
      createFileSystemWatcher: () => ({}),
      onDidChangeConfiguration: () => ({ dispose() {} }),
    },
  };
  return new Proxy(known, { get: (target, key) => target[key] ?? anything(String(key)) });
}

test('the client starts `kait lsp` and runs commands without a shell', async () => {
  const log = { commands: new Map(), tasks: [], errors: [], servers: [] };
  class LanguageClient {
    constructor(id, name, server, options) { Object.assign(this, { id, server, options }); log.servers.push(this); }
    async start() { this.running = true; if (log.servers.length === 2) throw new Error('not found'); }
    async dispose() { this.running = false; }
  }
  const load = Module._load;
  const vscode = editor(log);
  Module._load = (name, ...rest) => {
    if (name === 'vscode') return vscode;
    if (name === 'vscode-languageclient/node') return { LanguageClient, TransportKind: { stdio: 0 } };
    return load(name, ...rest);
  };
  try {
    const client = require('../client.js');
    const context = { subscriptions: [] };
    await client.activate(context);
    assert.deepEqual(log.servers[0].server.run, { command: '/opt/my kait', args: ['lsp'], transport: 0 });
    const { contributes } = JSON.parse(fs.readFileSync(path.join(FOLDER, 'package.json'), 'utf8'));
    assert.deepEqual([...log.commands.keys()].sort(), contributes.commands.map((c) => c.command).sort());
    const file = new vscode.Uri("/tmp/it's $(here).kait");
    await log.commands.get('kait.test')(file);
    assert.deepEqual(log.tasks[0].parts[4].parts, ['/opt/my kait', ['test', file.fsPath]]);
    await log.commands.get('kait.run')(undefined);
    assert.match(log.errors[0], /open a file/);
    await log.commands.get('kait.restart')();
    assert.equal(log.servers[0].running, false);
    assert.match(log.errors[1], /cannot be started .*not found/);
    await client.deactivate();
  } finally {
    Module._load = load;
  }
});
