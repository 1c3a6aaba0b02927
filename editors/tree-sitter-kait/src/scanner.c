// The tokens of KAIT that a regular expression cannot find: words, newlines that separate, and the
// contents of texts. It keeps no state: what may stand at a place (`valid`, given by the parser)
// says in which bracket, clause or text the place is.
//
// It must stay in step with `externals` in grammar.js and with grammar/kait.pest, sections 7 to 10.

#include "tree_sitter/parser.h"

#include <string.h>

// Word, and whether it begins a declaration ('d'), continues the line above ('c'), does so where its
// clause is unfinished ('l'), or none of these. The order is that of grammar.js.
#define RESERVED_WORDS(W)                                                                          \
  W(let, 'd') W(if, 0) W(else, 'c') W(match, 0) W(for, 0) W(in, 'c') W(loop, 0) W(race, 0)         \
  W(try, 0) W(catch, 'c') W(undo, 'c') W(fail, 0) W(done, 0) W(next, 0) W(with, 'c') W(and, 'c')   \
  W(or, 'c') W(not, 0) W(is, 'c') W(true, 0) W(false, 0) W(none, 0) W(fn, 'd') W(graph, 'd')

#define CONTEXTUAL_WORDS(W)                                                                        \
  W(use, 'd') W(pub, 'd') W(record, 'd') W(enum, 'd') W(type, 'd') W(model, 'd') W(prompt, 'd')    \
  W(agent, 'd') W(extern, 'd') W(session, 'd') W(trigger, 'd') W(test, 'd') W(needs, 'l')          \
  W(from, 'l') W(on, 'l') W(as, 'l') W(does, 'l') W(where, 'l') W(max, 'l') W(parallel, 'l')       \
  W(then, 'l') W(after, 'l') W(stub, 0) W(approve, 0) W(expect, 0) W(tools, 0) W(stream, 0)        \
  W(system, 0) W(user, 0) W(assistant, 0) W(messages, 0) W(secret, 'd') W(trusted, 0)              \
  W(untrusted, 0) W(public, 0) W(private, 0)

enum Token {
  NEWLINE,        // separates declarations, statements, items
  ARM_NEWLINE,    // separates the arms of match and catch
  LINE_BREAK,     // separates nothing: a word that continues the line follows
  IDENTIFIER,     // a word that is no reserved one
  LABEL,          // a reserved word before a colon
  LITERAL_LABEL,  // true, false or none before a colon
  MEMBER,         // a reserved word after a dot
  LINE_CONTENT,   // of "..."
  BLOCK_CONTENT,  // of """..."""
  ERROR_SENTINEL, // in no rule: valid only while the parser recovers, when everything is
#define W(word, role) KW_##word,
  RESERVED_WORDS(W) CONTEXTUAL_WORDS(W)
#undef W
};

static const struct {
  const char *text;
  char role;
} WORDS[] = {
#define W(word, role) {#word, role},
    RESERVED_WORDS(W) CONTEXTUAL_WORDS(W)
#undef W
};

enum {
  FIRST_WORD = KW_let,
  WORD_COUNT = sizeof WORDS / sizeof WORDS[0],
  RESERVED_COUNT = KW_use - KW_let,
  LONGEST_WORD = 16, // room for a keyword and its NUL; longer words are none
  // Characters of comments and white space that are looked over for the next token. Behind more of
  // them nothing continues a line here, though it does for the compiler: the scanner is asked again
  // behind each comment, and must not look over all of them each time.
  LOOKAHEAD = 1 << 14,
};

static bool is_lower(int32_t c) { return (c >= 'a' && c <= 'z') || c == '_'; }
static bool is_upper(int32_t c) { return c >= 'A' && c <= 'Z'; }
static bool is_digit(int32_t c) { return c >= '0' && c <= '9'; }
static bool is_blank(int32_t c) { return c == ' ' || c == '\t' || c == '\r'; }

static void advance(TSLexer *lexer) { lexer->advance(lexer, false); }
static void skip(TSLexer *lexer) { lexer->advance(lexer, true); }

// What comes behind white space, newlines and comments.
typedef enum { CODE, DIVISION, TOO_FAR } Ahead;

// Passes them; for looking ahead. Of a division the slash is passed too.
static Ahead pass_trivia(TSLexer *lexer) {
  for (unsigned length = 0; length < LOOKAHEAD;) {
    if (is_blank(lexer->lookahead) || lexer->lookahead == '\n') {
      advance(lexer);
      length++;
      continue;
    }
    if (lexer->lookahead != '/') {
      return CODE;
    }
    advance(lexer);
    if (lexer->lookahead != '/') {
      return DIVISION;
    }
    while (lexer->lookahead != '\n' && !lexer->eof(lexer)) {
      advance(lexer);
      length++;
    }
  }
  return TOO_FAR;
}

// Reads a word. The index of its keyword, or -1.
static int read_word(TSLexer *lexer, char *text) {
  unsigned length = 0;
  while (is_lower(lexer->lookahead) || is_digit(lexer->lookahead)) {
    if (length < LONGEST_WORD - 1) {
      text[length] = (char)lexer->lookahead;
    }
    length++;
    advance(lexer);
  }
  text[length < LONGEST_WORD ? length : 0] = '\0';
  for (int i = 0; i < WORD_COUNT; i++) {
    if (strcmp(text, WORDS[i].text) == 0) {
      return i;
    }
  }
  return -1;
}

// At a dot that is no part of `..`? Before one a word of a clause or of a test is a name.
static bool passes_dot(TSLexer *lexer) {
  if (lexer->lookahead != '.') {
    return false;
  }
  advance(lexer);
  return lexer->lookahead != '.';
}

static bool emit(TSLexer *lexer, int token) {
  lexer->result_symbol = (TSSymbol)token;
  return true;
}

// At a word: a keyword where one may stand, else a name.
static bool scan_word(TSLexer *lexer, const bool *valid, bool after_blanks) {
  bool recovering = valid[ERROR_SENTINEL];
  // While recovering only a word in the first column begins a declaration. To ask for the column
  // costs time in the length of the line, so not behind blanks.
  bool first_column = recovering && !after_blanks && lexer->get_column(lexer) == 0;
  char text[LONGEST_WORD];
  int word = read_word(lexer, text);
  // `_` is a pattern, `r` before quotes belongs to them, aB is no word.
  if (strcmp(text, "_") == 0 || is_upper(lexer->lookahead) ||
      (lexer->lookahead == '"' && strcmp(text, "r") == 0)) {
    return false;
  }
  lexer->mark_end(lexer);
  if (word < 0) {
    return valid[IDENTIFIER] && emit(lexer, IDENTIFIER);
  }
  int keyword = FIRST_WORD + word;
  bool reserved = word < RESERVED_COUNT;
  if (reserved && valid[MEMBER] && !recovering) {
    return emit(lexer, MEMBER);
  }
  bool code = pass_trivia(lexer) == CODE;
  bool labels = code && lexer->lookahead == ':';
  if (reserved) {
    bool literal = keyword == KW_true || keyword == KW_false || keyword == KW_none;
    int label = literal ? LITERAL_LABEL : LABEL;
    if (labels && valid[label]) {
      return emit(lexer, label);
    }
    return valid[keyword] && (!labels || literal) && emit(lexer, keyword);
  }
  if (recovering) {
    bool declares = first_column && !labels && WORDS[word].role == 'd';
    return emit(lexer, declares ? keyword : IDENTIFIER);
  }
  bool item = keyword == KW_stub || keyword == KW_expect;
  bool named = labels || (code && (item || WORDS[word].role == 'l') && passes_dot(lexer));
  bool is_keyword = valid[keyword] && !named;
  if (is_keyword) {
    return emit(lexer, keyword);
  }
  return valid[IDENTIFIER] && emit(lexer, IDENTIFIER);
}

// At the end of a line, where a newline may separate: does it? It does not where the next token
// continues the line. Where that is a word, the newline is passed as LINE_BREAK, so that the word
// is a token of its own.
static bool scan_newline(TSLexer *lexer, const bool *valid) {
  int separator = valid[NEWLINE] ? NEWLINE : ARM_NEWLINE;
  // The newline, and empty lines behind it, are the token. A comment is one of its own.
  while (is_blank(lexer->lookahead) || lexer->lookahead == '\n') {
    advance(lexer);
  }
  lexer->mark_end(lexer);
  switch (pass_trivia(lexer)) {
    case TOO_FAR:
      return emit(lexer, separator);
    case DIVISION:
      return false;
    case CODE:
      break;
  }
  if (lexer->eof(lexer)) {
    return false;
  }
  char text[LONGEST_WORD];
  int word;
  switch (lexer->lookahead) {
    case '|': case '+': case '*': case '%': case ',': case ')': case ']': case '}':
    case '=': case '<': case '>':
      return false;
    case '-':
      if (separator == NEWLINE) {
        return false;
      }
      advance(lexer);
      return pass_trivia(lexer) == CODE && is_digit(lexer->lookahead) &&
             emit(lexer, separator);
    case '.':
      advance(lexer);
      return lexer->lookahead == '.' && emit(lexer, separator);
    case '!':
      advance(lexer);
      return lexer->lookahead != '=' && emit(lexer, separator);
    case '?':
      advance(lexer);
      return lexer->lookahead != '?' && lexer->lookahead != '.' && emit(lexer, separator);
    default:
      if (!is_lower(lexer->lookahead)) {
        return emit(lexer, separator);
      }
      word = read_word(lexer, text);
  }
  bool continues = word >= 0 && (WORDS[word].role == 'c' ||
                                 (WORDS[word].role == 'l' && valid[FIRST_WORD + word]));
  if (!continues || is_upper(lexer->lookahead)) {
    return emit(lexer, separator);
  }
  bool code = pass_trivia(lexer) == CODE;
  bool named = code && (lexer->lookahead == ':' ||
                        (FIRST_WORD + word == KW_after && !is_digit(lexer->lookahead)) ||
                        (WORDS[word].role == 'l' && passes_dot(lexer)));
  return emit(lexer, named ? separator : LINE_BREAK);
}

// Up to the end of the text, an escape or an interpolation; `quotes` of them end it.
static bool scan_content(TSLexer *lexer, int token, int quotes) {
  bool some = false;
  while (!lexer->eof(lexer)) {
    int32_t c = lexer->lookahead;
    lexer->mark_end(lexer);
    if (c == '\\' || (c == '\n' && quotes == 1)) {
      break;
    }
    if (c == '"') {
      int count = 0;
      while (lexer->lookahead == '"' && count < quotes) {
        advance(lexer);
        count++;
      }
      if (count == quotes) {
        return some && emit(lexer, token);
      }
    } else {
      advance(lexer);
      if (c == '$' && lexer->lookahead == '{') {
        return some && emit(lexer, token);
      }
    }
    some = true;
  }
  lexer->mark_end(lexer);
  return some && emit(lexer, token);
}

void *tree_sitter_kait_external_scanner_create(void) { return NULL; }
void tree_sitter_kait_external_scanner_destroy(void *payload) { (void)payload; }
unsigned tree_sitter_kait_external_scanner_serialize(void *payload, char *buffer) {
  (void)payload;
  (void)buffer;
  return 0;
}
void tree_sitter_kait_external_scanner_deserialize(void *payload, const char *buffer,
                                                   unsigned length) {
  (void)payload;
  (void)buffer;
  (void)length;
}

bool tree_sitter_kait_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  (void)payload;
  if (!valid[ERROR_SENTINEL]) {
    if (valid[LINE_CONTENT]) {
      return scan_content(lexer, LINE_CONTENT, 1);
    }
    if (valid[BLOCK_CONTENT]) {
      return scan_content(lexer, BLOCK_CONTENT, 3);
    }
  }
  bool separates = valid[NEWLINE] || valid[ARM_NEWLINE];
  bool after_blanks = false;
  while (is_blank(lexer->lookahead) || (lexer->lookahead == '\n' && !separates)) {
    after_blanks = true;
    skip(lexer);
  }
  if (lexer->lookahead == '\n') {
    return scan_newline(lexer, valid);
  }
  return is_lower(lexer->lookahead) && scan_word(lexer, valid, after_blanks);
}
