/**
 * KAIT for tree-sitter: what editors read while the user types.
 *
 * It follows `grammar/kait.pest`, which is normative, rule by rule. Words, the contents of texts and
 * the newlines that separate come from src/scanner.c, because whether a word is a keyword depends
 * on what may stand at its place and on the colon behind it, and whether a newline separates
 * depends on the next token. The grammar has no conflicts: keep it so.
 *
 * After a change: cargo run -p kait-tests --bin tree-sitter
 */

/** Refused as names; a test compares both lists with the compiler's. */
const RESERVED = [
  'let', 'if', 'else', 'match', 'for', 'in', 'loop', 'race', 'try', 'catch', 'undo', 'fail',
  'done', 'next', 'with', 'and', 'or', 'not', 'is', 'true', 'false', 'none', 'fn', 'graph',
];

/** Keywords in one place, names everywhere else. */
const CONTEXTUAL = [
  'use', 'pub', 'record', 'enum', 'type', 'model', 'prompt', 'agent', 'extern', 'session',
  'trigger', 'test', 'needs', 'from', 'on', 'as', 'does', 'where', 'max', 'parallel', 'then',
  'after', 'stub', 'approve', 'expect', 'tools', 'stream', 'system', 'user', 'assistant',
  'messages', 'secret', 'trusted', 'untrusted', 'public', 'private',
];

const QUALIFIERS = ['secret', 'trusted', 'untrusted', 'public', 'private'];

/** A keyword: the scanner's token, shown under the word itself. */
const kw = ($, word) => alias($[`_kw_${word}`], word);

/** item, item, ... with a comma at the end if one likes; may be empty. */
const list = (item) => optional(list1(item));
const list1 = (item) => seq(item, repeat(seq(',', item)), optional(','));

/** Inside { } of records, enums, matches and races a comma may stand for the newline. */
const lines = ($, item) => seq(item, repeat(seq(choice(',', $._newline), item)), optional(','));

const binary = (left, operator, right) =>
  seq(field('left', left), field('operator', operator), field('right', right));

module.exports = grammar({
  name: 'kait',

  externals: ($) => [
    $._newline,
    $._arm_newline,
    $._line_break,
    $.identifier,
    $._label,
    $._literal_label,
    $._member,
    $._line_content,
    $._block_content,
    $._error_sentinel,
    ...RESERVED.map((word) => $[`_kw_${word}`]),
    ...CONTEXTUAL.map((word) => $[`_kw_${word}`]),
  ],

  extras: ($) => [/[ \t\r\n]/, $._line_break, $.comment, $.doc_comment],

  supertypes: ($) => [$.declaration, $.expression, $.pattern, $.type],

  inline: ($) => [$._word, $._lid, $._member_name, $._elem, $._body, $._statement, $._base],

  rules: {
    source_file: ($) =>
      optional(seq($.declaration, repeat(seq($._newline, $.declaration)))),

    // Declarations -------------------------------------------------------------------------

    declaration: ($) =>
      choice(
        $.use_declaration,
        $.let_declaration,
        $.record_declaration,
        $.enum_declaration,
        $.type_declaration,
        $.model_declaration,
        $.secret_declaration,
        $.fn_declaration,
        $.graph_declaration,
        $.prompt_declaration,
        $.agent_declaration,
        $.extern_declaration,
        $.session_declaration,
        $.trigger_declaration,
        $.test_declaration,
      ),

    use_declaration: ($) =>
      seq(
        optional(kw($, 'pub')),
        kw($, 'use'),
        field('path', $.path),
        optional(seq(kw($, 'as'), field('alias', $._lid))),
      ),

    let_declaration: ($) => seq(optional(kw($, 'pub')), $._let_tail),

    record_declaration: ($) =>
      seq(
        optional(kw($, 'pub')),
        kw($, 'record'),
        field('name', $.type_identifier),
        optional(field('type_parameters', $.type_parameters)),
        field('body', $.field_list),
      ),

    field_list: ($) => seq('{', optional(lines($, $.field)), '}'),

    field: ($) =>
      seq(
        field('name', $._word),
        ':',
        field('type', $.type),
        optional(seq('=', field('default', $.expression))),
        optional($.wire_name),
      ),

    wire_name: ($) => seq(kw($, 'as'), $._text),

    enum_declaration: ($) =>
      seq(
        optional(kw($, 'pub')),
        kw($, 'enum'),
        field('name', $.type_identifier),
        optional(field('type_parameters', $.type_parameters)),
        field('body', $.variant_list),
      ),

    variant_list: ($) => seq('{', optional(lines($, $.variant)), '}'),

    variant: ($) =>
      seq(
        field('name', $.type_identifier),
        optional(field('parameters', $.parameters)),
        optional($.wire_name),
      ),

    type_declaration: ($) =>
      seq(
        optional(kw($, 'pub')),
        kw($, 'type'),
        field('name', $.type_identifier),
        optional(field('type_parameters', $.type_parameters)),
        '=',
        field('type', $.type),
      ),

    model_declaration: ($) =>
      seq(
        optional(kw($, 'pub')),
        kw($, 'model'),
        field('name', $._lid),
        optional(seq(kw($, 'needs'), field('needs', $.arguments))),
      ),

    secret_declaration: ($) =>
      seq(optional(kw($, 'pub')), kw($, 'secret'), field('name', $._lid)),

    fn_declaration: ($) =>
      seq(optional(kw($, 'pub')), kw($, 'fn'), $._signature, field('body', $.block)),

    graph_declaration: ($) =>
      seq(
        optional(kw($, 'pub')),
        kw($, 'graph'),
        $._signature,
        optional(seq(kw($, 'in'), field('session', $.type_identifier))),
        optional($.effects),
        optional($.policies),
        field('body', $.block),
      ),

    prompt_declaration: ($) => seq(optional(kw($, 'pub')), kw($, 'prompt'), $._prompt_tail),

    agent_declaration: ($) => seq(optional(kw($, 'pub')), kw($, 'agent'), $._prompt_tail),

    _prompt_tail: ($) =>
      seq($._signature, optional($.effects), optional($.policies), field('body', $.prompt_body)),

    prompt_body: ($) => seq('{', $._prompt_item, repeat(seq($._newline, $._prompt_item)), '}'),

    _prompt_item: ($) => choice($.model_item, $.message_item, $.tools_item),

    model_item: ($) => seq(kw($, 'model'), field('model', $._lid), optional($.policies)),

    message_item: ($) =>
      seq(
        field('role', choice(...['system', 'user', 'assistant', 'messages'].map((w) => kw($, w)))),
        field('value', $.expression),
      ),

    tools_item: ($) => seq(kw($, 'tools'), '[', list($.tool), ']'),

    tool: ($) => seq($.path, optional($.policies)),

    extern_declaration: ($) =>
      seq(
        optional(kw($, 'pub')),
        kw($, 'extern'),
        $._signature,
        optional($.effects),
        optional(seq(kw($, 'needs'), field('needs', $._lid))),
        optional($.policies),
        kw($, 'from'),
        field('kind', $._lid),
        field('locator', $._text),
      ),

    session_declaration: ($) =>
      seq(
        optional(kw($, 'pub')),
        kw($, 'session'),
        field('name', $.type_identifier),
        field('body', $.field_list),
      ),

    trigger_declaration: ($) =>
      seq(
        optional(kw($, 'pub')),
        kw($, 'trigger'),
        field('name', $._lid),
        kw($, 'on'),
        field('source', $.path),
        field('arguments', $.arguments),
        optional(seq(kw($, 'as'), field('event', $.identifier), ':', field('type', $.type))),
        optional($.policies),
        field('body', $.block),
      ),

    test_declaration: ($) =>
      seq(
        optional(kw($, 'pub')),
        kw($, 'test'),
        field('name', $._text),
        optional($.policies),
        field('body', $.test_body),
      ),

    test_body: ($) => seq('{', optional(seq($._item, repeat(seq($._newline, $._item)))), '}'),

    _item: ($) => choice($.stub, $.expect, $._statement),

    stub: ($) =>
      seq(
        kw($, 'stub'),
        optional(kw($, 'approve')),
        field('callee', $.path),
        optional(field('arguments', $.pattern_arguments)),
        '=>',
        $.outcome,
        repeat(seq(kw($, 'then'), $.outcome)),
      ),

    outcome: ($) => seq($._body, optional(seq(kw($, 'after'), $.number))),

    expect: ($) => seq(kw($, 'expect'), $.expression),

    // Signatures and clauses ---------------------------------------------------------------

    _signature: ($) =>
      seq(
        field('name', $._lid),
        optional(field('type_parameters', $.type_parameters)),
        field('parameters', $.parameters),
        '->',
        field('result', $.type),
      ),

    type_parameters: ($) => seq('<', $.type_identifier, repeat(seq(',', $.type_identifier)), '>'),

    parameters: ($) => seq('(', list($.parameter), ')'),

    parameter: ($) =>
      seq(
        optional(kw($, 'stream')),
        field('name', $._word),
        ':',
        field('type', $.type),
        optional(seq('=', field('default', $.expression))),
      ),

    effects: ($) => seq(kw($, 'does'), $.effect, repeat(seq(',', $.effect))),

    effect: ($) =>
      choice(
        kw($, 'model'),
        seq(field('kind', $._lid), optional(field('region', $.path)), optional($._text)),
      ),

    policies: ($) => seq(kw($, 'with'), $.arguments),

    // Types --------------------------------------------------------------------------------

    type: ($) => choice($.qualified_type, $.refined_type, $.optional_type, $._base),

    qualified_type: ($) => seq($.qualifier, $.type),

    qualifier: ($) => choice(...QUALIFIERS.map((word) => kw($, word))),

    refined_type: ($) => seq(choice($.optional_type, $._base), kw($, 'where'), $.arguments),

    optional_type: ($) => seq($._base, '?'),

    _base: ($) => choice($.named_type, $.list_type, $.map_type, $.none),

    named_type: ($) => seq($.path, optional(field('arguments', $.type_arguments))),

    type_arguments: ($) => seq('<', $.type, repeat(seq(',', $.type)), '>'),

    list_type: ($) => seq('[', field('item', $.type), ']'),

    map_type: ($) => seq('[', field('key', $.type), ':', field('value', $.type), ']'),

    // Where no type, and no path, follows a qualifier or `approve`, it is a name like any other.
    path: ($) =>
      choice(
        seq($.type_identifier, optional(seq('.', $.type_identifier))),
        seq(
          choice(
            $._lid,
            ...[...QUALIFIERS, 'approve'].map((word) => alias($[`_kw_${word}`], $.identifier)),
          ),
          repeat(seq('.', $._member_name)),
          optional(seq('.', $.type_identifier)),
        ),
      ),

    // Statements ---------------------------------------------------------------------------

    block: ($) => seq('{', optional(seq($._statement, repeat(seq($._newline, $._statement)))), '}'),

    _statement: ($) => choice($.let_statement, $.expression),

    let_statement: ($) => $._let_tail,

    _let_tail: ($) =>
      seq(
        kw($, 'let'),
        field('binder', choice($.identifier, $.destructuring)),
        optional(seq(':', field('type', $.type))),
        '=',
        field('value', $.expression),
      ),

    destructuring: ($) => seq($.tag, $.pattern_arguments),

    _body: ($) => choice($.block, $.expression),

    // Expressions, from the loosest to the tightest ----------------------------------------

    expression: ($) =>
      choice($.fail_expression, $.done_expression, $.next_expression, $._caught),

    fail_expression: ($) => seq(kw($, 'fail'), $.expression),

    done_expression: ($) => seq(kw($, 'done'), $.expression),

    next_expression: ($) => seq(kw($, 'next'), $.arguments),

    _caught: ($) => choice($._pipe, $.catch_expression, $.undo_expression),

    catch_expression: ($) => seq(field('value', $._caught), kw($, 'catch'), $.arms),

    undo_expression: ($) => seq(field('value', $._caught), kw($, 'undo'), $.block),

    _pipe: ($) => choice($._coalesce, $.pipe_expression),

    pipe_expression: ($) => binary($._pipe, '|>', $._coalesce),

    _coalesce: ($) => choice($._or, alias($._coalesce_tail, $.binary_expression)),

    _coalesce_tail: ($) =>
      binary($._or, '??', choice($._coalesce, alias($._fail_operand, $.fail_expression))),

    _fail_operand: ($) => seq(kw($, 'fail'), $._or),

    _or: ($) => choice($._and, alias($._or_tail, $.binary_expression)),
    _or_tail: ($) => binary($._or, kw($, 'or'), $._and),

    _and: ($) => choice($._not, alias($._and_tail, $.binary_expression)),
    _and_tail: ($) => binary($._and, kw($, 'and'), $._not),

    _not: ($) => choice($._comparison, alias($._not_tail, $.unary_expression)),
    _not_tail: ($) => seq(field('operator', kw($, 'not')), field('operand', $._not)),

    _comparison: ($) =>
      choice($._sum, alias($._comparison_tail, $.binary_expression), $.is_expression),
    _comparison_tail: ($) =>
      binary($._sum, choice('==', '!=', '<=', '>=', '<', '>', kw($, 'in')), $._sum),

    is_expression: ($) => seq(field('value', $._sum), kw($, 'is'), field('pattern', $.pattern)),

    _sum: ($) => choice($._product, alias($._sum_tail, $.binary_expression)),
    _sum_tail: ($) => binary($._sum, choice('+', '-'), $._product),

    _product: ($) => choice($._unary, alias($._product_tail, $.binary_expression)),
    _product_tail: ($) => binary($._product, choice('*', '/', '%'), $._unary),

    _unary: ($) => choice($._postfix, alias($._negation, $.unary_expression), $.try_expression),
    _negation: ($) => seq(field('operator', '-'), field('operand', $._unary)),

    try_expression: ($) => seq(kw($, 'try'), $._unary),

    _postfix: ($) =>
      choice(
        $._atom,
        $.field_expression,
        $.call_expression,
        $.index_expression,
        $.policy_expression,
      ),

    field_expression: ($) =>
      seq(
        field('value', $._postfix),
        choice(
          seq('.', field('field', choice($._member_name, $.type_identifier))),
          seq('?.', field('field', $._member_name)),
        ),
      ),

    call_expression: ($) =>
      seq(field('function', $._postfix), field('arguments', $.arguments)),

    index_expression: ($) =>
      seq(field('value', $._postfix), '[', field('index', $.expression), ']'),

    policy_expression: ($) => seq(field('value', $._postfix), $.policies),

    _atom: ($) =>
      choice(
        $.number,
        $._text,
        $._literal,
        $._lid,
        $.type_identifier,
        $.list,
        $.map,
        $.parenthesized,
        $.if_expression,
        $.match_expression,
        $.for_expression,
        $.loop_expression,
        $.race_expression,
      ),

    parenthesized: ($) => seq('(', $.expression, ')'),

    list: ($) => seq('[', list($._elem), ']'),

    _elem: ($) => choice($.expression, $.selector, $.spread),

    map: ($) => seq('[', choice(':', list1($.entry)), ']'),

    entry: ($) => seq(field('key', $.expression), ':', field('value', $.expression)),

    spread: ($) => seq('..', $.expression),

    selector: ($) => seq('.', field('field', $._member_name)),

    arguments: ($) => seq('(', list(choice($.argument, $._elem)), ')'),

    argument: ($) =>
      seq(field('name', $._word), ':', field('value', choice($.expression, $.selector))),

    if_expression: ($) =>
      seq(
        kw($, 'if'),
        field('condition', $.expression),
        field('then', $.block),
        optional(seq(kw($, 'else'), field('else', choice($.block, $.if_expression)))),
      ),

    match_expression: ($) => seq(kw($, 'match'), field('value', $.expression), $.arms),

    // Only here a line that starts with - and a number is a new arm.
    arms: ($) =>
      seq('{', $.arm, repeat(seq(choice(',', $._arm_newline), $.arm)), optional(','), '}'),

    arm: ($) =>
      seq(
        field('pattern', $.pattern),
        optional(seq(kw($, 'if'), field('guard', $.expression))),
        '=>',
        field('body', $._body),
      ),

    for_expression: ($) =>
      seq(
        kw($, 'for'),
        field('pattern', $.pattern),
        kw($, 'in'),
        field('items', $.expression),
        optional(seq(kw($, 'if'), field('guard', $.expression))),
        optional(seq(kw($, 'max'), field('max', $.expression))),
        optional(seq(kw($, 'parallel'), field('parallel', $.expression))),
        field('body', $.block),
      ),

    loop_expression: ($) =>
      seq(
        kw($, 'loop'),
        $.loop_variable,
        repeat(seq(',', $.loop_variable)),
        kw($, 'max'),
        field('max', $.expression),
        field('body', $.block),
        kw($, 'else'),
        field('else', $.block),
      ),

    loop_variable: ($) =>
      seq(
        field('name', $.identifier),
        optional(seq(':', field('type', $.type))),
        '=',
        field('value', $.expression),
      ),

    race_expression: ($) =>
      seq(kw($, 'race'), optional(field('wins', $.number)), '{', lines($, $._body), '}'),

    // Patterns -----------------------------------------------------------------------------

    pattern: ($) => choice($.alternatives, $._pattern),

    alternatives: ($) => seq($._pattern, repeat1(seq('|', $._pattern))),

    _pattern: ($) =>
      choice(
        $.wildcard,
        $.number_pattern,
        $._text,
        $._literal,
        $.variant_pattern,
        $.list_pattern,
        $._lid,
      ),

    wildcard: () => '_',

    number_pattern: ($) =>
      seq(optional('-'), $.number, optional(seq('..', optional('-'), $.number))),

    variant_pattern: ($) => seq($.tag, optional($.pattern_arguments)),

    list_pattern: ($) =>
      seq(
        '[',
        optional(
          choice(
            $.rest_pattern,
            seq($.pattern, repeat(seq(',', $.pattern)), optional(seq(',', $.rest_pattern))),
          ),
        ),
        ']',
      ),

    rest_pattern: ($) => seq('..', optional($._lid)),

    tag: ($) =>
      choice(
        seq($.type_identifier, optional(seq('.', $.type_identifier))),
        seq($._lid, '.', $.type_identifier, optional(seq('.', $.type_identifier))),
      ),

    pattern_arguments: ($) => seq('(', list(choice($.pattern_argument, $.pattern)), ')'),

    pattern_argument: ($) => seq(field('name', $._word), ':', field('pattern', $.pattern)),

    // Names --------------------------------------------------------------------------------

    // Before a colon every word is a name.
    _word: ($) =>
      choice(
        $.identifier,
        alias($._label, $.identifier),
        alias($._literal_label, $.identifier),
      ),

    // Elsewhere no reserved word is one, unless a colon follows.
    _lid: ($) => choice($.identifier, alias($._label, $.identifier)),

    // After a dot every word is a name.
    _member_name: ($) => choice($.identifier, alias($._member, $.identifier)),

    type_identifier: () => /[A-Z][A-Za-z0-9]*/,

    // Numbers and texts --------------------------------------------------------------------

    number: () => /[0-9][0-9_]*(\.[0-9][0-9_]*)?(ms|kb|mb|gb|[smhd]|[a-z]{3})?/,

    _literal: ($) => choice($.boolean, $.none),
    boolean: ($) => choice(kw($, 'true'), kw($, 'false')),
    none: ($) => kw($, 'none'),

    _text: ($) => choice($.string, $.raw_string),

    string: ($) =>
      choice(
        seq(
          '"',
          repeat(choice(alias($._line_content, $.content), $.escape, $.interpolation)),
          token.immediate('"'),
        ),
        seq(
          '"""',
          repeat(choice(alias($._block_content, $.content), $.escape, $.interpolation)),
          token.immediate('"""'),
        ),
      ),

    raw_string: ($) =>
      choice(
        seq(
          'r"',
          optional(alias(token.immediate(prec(1, /[^"\n]+/)), $.content)),
          token.immediate('"'),
        ),
        seq(
          'r"""',
          optional(alias(token.immediate(prec(1, /("{0,2}[^"])+/)), $.content)),
          token.immediate('"""'),
        ),
      ),

    escape: () => token.immediate(/\\([nt"\\$]|u\{[0-9a-fA-F]{1,6}\})/),

    interpolation: ($) => seq(token.immediate('${'), $.expression, '}'),

    // Comments -----------------------------------------------------------------------------

    comment: () => token(choice('//', /\/\/[^\/!\n][^\n]*/, /\/\/\/\/[^\n]*/)),

    // `///` documents what follows, `//!` at the top the file.
    doc_comment: () => token(choice('///', /\/\/\/[^\/\n][^\n]*/, /\/\/![^\n]*/)),
  },
});
