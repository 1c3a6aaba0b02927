// The TextMate grammar, as an editor runs it: over every program of the project, and each keyword in
// its place and as a name.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { before, test } = require('node:test');
const oniguruma = require('vscode-oniguruma');
const { INITIAL, Registry, parseRawGrammar } = require('vscode-textmate');

const ROOT = path.join(__dirname, '../../..');
const FOLDER = path.join(__dirname, '..');
let grammar;

before(async () => {
  await oniguruma.loadWASM(fs.readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm')));
  const file = path.join(FOLDER, 'syntaxes/kait.tmLanguage.json');
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (sources) => new oniguruma.OnigScanner(sources),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => parseRawGrammar(fs.readFileSync(file, 'utf8'), file),
  });
  grammar = await registry.loadGrammar('source.kait');
});

// All tokens of a text: { line, text, scopes }, without the outermost scope.
function tokenize(text) {
  let stack = INITIAL;
  return text.split('\n').flatMap((line, number) => {
    const result = grammar.tokenizeLine(line, stack);
    stack = result.ruleStack;
    return result.tokens.map(({ startIndex, endIndex, scopes }) => ({
      line: number + 1,
      text: line.slice(startIndex, endIndex),
      scopes: scopes.slice(1),
    }));
  });
}

const scopesOf = (text, word) =>
  tokenize(text).filter((token) => token.text.trim() === word).map((token) => token.scopes.at(-1) ?? '');

const isKeyword = (scope) => /^(keyword\.(?!operator\.kait|other\.unit)|storage\.|constant\.language)/.test(scope);

function* programs(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith('.kait')) yield path.join(folder, entry.name);
  }
}

function everyProgram() {
  const folders = ['examples', 'stdlib', 'tests/corpus/programs', 'tests/corpus/adapted'];
  return folders.flatMap((folder) => [...programs(path.join(ROOT, folder))]);
}

test('in every program, texts and comments hold no code and code holds no text', () => {
  let strings = 0;
  let embedded = 0;
  for (const file of everyProgram()) {
    const text = fs.readFileSync(file, 'utf8');
    const name = path.relative(ROOT, file);
    const tokens = tokenize(text);
    for (const token of tokens) {
      const at = `${name}:${token.line}: ${token.text} is ${token.scopes.join(' ')}`;
      const innermost = token.scopes.findLastIndex((s) => /^(string|comment|meta\.embedded)/.test(s));
      const inside = token.scopes[innermost] ?? '';
      const below = token.scopes.slice(innermost + 1);
      if (/^(string|comment)/.test(inside)) {
        strings += 1;
        assert.ok(below.every((s) => /^(constant\.character|punctuation)/.test(s)), at);
      } else if (inside) {
        embedded += 1;
      }
      assert.ok(!token.scopes.some((s) => s.startsWith('invalid')), at);
    }
    // Nothing is left open: what follows the file is code at its top level.
    assert.deepEqual(tokenize(`${text}\nlet x = 1`).at(-1).scopes, ['constant.numeric.kait'], name);
    const comments = tokens.filter((token) => token.scopes.some((s) => s.startsWith('comment')));
    const lines = new Set(comments.map((token) => token.line));
    text.split('\n').forEach((line, index) => {
      if (/^\s*\/\//.test(line)) assert.ok(lines.has(index + 1), `${name}:${index + 1}: no comment`);
    });
  }
  assert.ok(strings > 500 && embedded > 100, `${strings} texts, ${embedded} pieces of code in them`);
});

test('in every program, the first word of a declaration is a keyword', () => {
  let count = 0;
  for (const file of everyProgram()) {
    const text = fs.readFileSync(file, 'utf8');
    const tokens = tokenize(text);
    text.split('\n').forEach((line, index) => {
      const word = /^(?:pub )?([a-z]+) (?=["A-Za-z_])/.exec(line)?.[1];
      const token = tokens.find((t) => t.line === index + 1 && t.text.trim() === word);
      if (!word || token?.scopes.some((s) => s.startsWith('string'))) return;
      count += 1;
      assert.ok(isKeyword(token?.scopes.at(-1) ?? ''), `${file}:${index + 1}: ${word}`);
    });
  }
  assert.ok(count > 150, `${count} declarations`);
});

// Each keyword in a place of its own.
const PLACES = {
  let: 'let x = 1', if: 'if a { b }', else: 'if a { b } else { c }', match: 'match a { _ => b }',
  for: 'for x in xs { x }', in: 'for x in xs { x }', loop: 'loop x = 1 max 2 { done x } else { x }',
  race: 'race { a, b }', try: 'try f(x)', catch: 'f(x) catch { _ => 0 }', undo: 'f(x) undo { g(x) }',
  fail: 'x ?? fail "no"', done: 'done x', next: 'next(x: 1)', with: 'f(x) with (retry: 3)',
  and: 'a and b', or: 'a or b', not: 'not a', is: 'a is B', true: 'f(true)', false: 'f(a: false)',
  none: 'x == none', fn: 'fn f(a: int) -> int {', graph: 'pub graph g(a: int) -> int {',
  use: 'use mcp.github', pub: 'pub graph g(a: int) -> int {', record: 'record Ticket {',
  enum: 'pub enum Label { Bug }', type: 'type OrderId = text', model: 'model fast',
  prompt: 'prompt p(a: text) -> text {', agent: 'agent a(q: text) -> Answer {',
  extern: 'extern e(a: text) -> text', session: 'session Chat {',
  trigger: 'trigger t on http.webhook("/x") {', test: 'test "what holds" {',
  needs: 'model fast needs (tools: true)', from: '  from http "GET https://a.b"',
  on: 'trigger t on http.webhook("/x") {', as: 'use acme.support as support',
  does: '  does write payments', where: 'type A = text where (max_len: 3)',
  max: 'for x in xs max 3 { x }', parallel: 'for x in xs parallel 3 { x }',
  then: '  stub f(_) => 1 then 2', after: '  stub f(_) => 1 after 5s', stub: '  stub f(_) => 1',
  approve: '  stub approve f(_) => 1', expect: '  expect f(x) == 1', tools: '  tools [web.fetch]',
  stream: 'fn f(stream a: text) -> text {', system: '  system "You sort."', user: '  user body',
  assistant: '  assistant "Yes."', messages: '  messages history', secret: 'secret github_hook',
  trusted: 'fn f(a: trusted text) -> text {', untrusted: 'fn f(a: untrusted text) -> text {',
  public: 'fn f(a: public text) -> text {', private: 'fn f(a: private [text]) -> text {',
};

test('every keyword is one in its place, and a name before a colon, after a dot and in texts', () => {
  // These lists are compared with the compiler's by the Rust tests.
  const source = fs.readFileSync(path.join(ROOT, 'editors/tree-sitter-kait/grammar.js'), 'utf8');
  const list = (name) =>
    [...new RegExp(`const ${name} = \\[([^\\]]*)\\]`).exec(source)[1].matchAll(/'([a-z]+)'/g)].map((m) => m[1]);
  const contextual = list('CONTEXTUAL');
  const words = [...list('RESERVED'), ...contextual];
  assert.deepEqual(Object.keys(PLACES).sort(), [...words].sort());
  for (const word of words) {
    const scopes = scopesOf(PLACES[word], word);
    assert.ok(scopes.some(isKeyword), `${PLACES[word]}: ${word} is ${scopes}`);
    for (const name of [`  ${word === 'none' || word === 'true' || word === 'false' ? 'x' : word}: text`, `a.${word}`, `a.${word}(b)`]) {
      assert.ok(!scopesOf(name, word).some(isKeyword), `${name}: ${scopesOf(name, word)}`);
    }
    assert.ok(!tokenize(`let x = "a ${word} b"`).some((t) => t.text.includes(` ${word} `) && isKeyword(t.scopes.at(-1))), word);
  }
  for (const word of contextual) {
    for (const name of [`f(${word})`, `f(${word}, x)`, `let x = ${word}`, `${word}.x`, `${word} |> f()`]) {
      assert.ok(!scopesOf(name, word).some(isKeyword), `${name}: ${word} is ${scopesOf(name, word)}`);
    }
  }
});

test('code in texts nests', () => {
  const text = 'let x = "a ${for f in fs { "- ${f.note ?? "none"}" }} in" in ys';
  const kinds = tokenize(text)
    .filter((t) => ['for', 'in', ' in', 'none'].includes(t.text))
    .map((t) => [t.text, isKeyword(t.scopes.at(-1)) ? 'keyword' : t.scopes.at(-1)]);
  assert.deepEqual(kinds, [
    ['for', 'keyword'], ['in', 'keyword'], ['none', 'string.quoted.double.kait'],
    [' in', 'string.quoted.double.kait'], ['in', 'keyword'],
  ]);
  assert.deepEqual(scopesOf('let x = r"${in}"\nfor', 'for').map(isKeyword), [true]);
  const block = 'let x = """\n  "in" ${a in b}\n  """ in c';
  assert.deepEqual(scopesOf(block, 'in').map(isKeyword), [true, true]);
});
