; Later patterns win where editors let one win; so the general ones come first.

; Names
(identifier) @variable
(type_identifier) @type

(path (identifier) @module)
(use_declaration alias: (identifier) @module)
(named_type (path . (identifier) @type.builtin .))
(named_type (path (identifier) . (type_identifier) @type))

(parameter name: (identifier) @variable.parameter)
(argument name: (identifier) @variable.parameter)
(pattern_argument name: (identifier) @variable.parameter)
(field name: (identifier) @property)
(field_expression field: (identifier) @property)
(selector field: (identifier) @property)

(let_declaration binder: (identifier) @constant)
(model_declaration name: (identifier) @constant)
(model_item model: (identifier) @constant)
(secret_declaration name: (identifier) @constant)
(extern_declaration needs: (identifier) @constant)
(extern_declaration kind: (identifier) @constant)
(effect kind: (identifier) @attribute)
(effect region: (path (identifier) @attribute))

; Variants and records that are built or matched
(variant name: (type_identifier) @constructor)
(call_expression function: (type_identifier) @constructor)
(call_expression function: (field_expression field: (type_identifier) @constructor))
(tag (type_identifier) @constructor)

; Calls: `a.b(...)` is a call of a module's graph
(call_expression function: (identifier) @function.call)
(call_expression
  function: (field_expression value: (identifier) @module field: (identifier) @function.call))
(pipe_expression right: (identifier) @function.call)
(tool (path (identifier) @function.call .))
(stub callee: (path (identifier) @function.call .))
(trigger_declaration source: (path (identifier) @function.call .))

; Declared
(fn_declaration name: (identifier) @function)
(graph_declaration name: (identifier) @function)
(prompt_declaration name: (identifier) @function)
(agent_declaration name: (identifier) @function)
(extern_declaration name: (identifier) @function)
(trigger_declaration name: (identifier) @function)

; Policies: with (retry: 3)
(policies "with" @keyword (arguments (argument name: (identifier) @attribute)))
(refined_type (arguments (argument name: (identifier) @attribute)))

; Literals
(number) @number
(boolean) @boolean
(none) @constant.builtin
(wildcard) @variable.builtin
(string) @string
(raw_string) @string
(escape) @string.escape
(interpolation ["${" "}"] @punctuation.special)
(interpolation) @none

(comment) @comment
(doc_comment) @comment.documentation

; Keywords
[
  "let" "use" "as" "in" "done" "next" "undo" "stub" "approve" "expect" "then" "after"
  "system" "user" "assistant" "messages" "tools" "model" "needs" "from" "on" "does" "where"
  "max" "parallel" "stream" "with"
] @keyword

["record" "enum" "type" "session" "secret"] @keyword.type
["fn" "graph" "prompt" "agent" "extern" "trigger" "test"] @keyword.function
["if" "else" "match" "race"] @keyword.conditional
["for" "loop"] @keyword.repeat
["try" "catch" "fail"] @keyword.exception
["and" "or" "not" "is"] @keyword.operator
"pub" @keyword.modifier
(qualifier) @keyword.modifier
(for_expression "in" @keyword.repeat)

; Signs
[
  "+" "-" "*" "/" "%" "==" "!=" "<=" ">=" "<" ">" "=" "|>" "??" "?." "->" "=>" ".." "|" "?"
] @operator
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," ":" "."] @punctuation.delimiter
