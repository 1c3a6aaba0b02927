; Names
(identifier) @variable
(type_identifier) @type

(path (identifier) @namespace)
(use_declaration alias: (identifier) @namespace)
(named_type (path . (identifier) @type.builtin .))
(named_type (path (identifier) . (type_identifier) @type))

(parameter name: (identifier) @variable.parameter)
(argument name: (identifier) @variable.parameter)
(pattern_argument name: (identifier) @variable.parameter)
(field name: (identifier) @variable.other.member)
(field_expression field: (identifier) @variable.other.member)
(selector field: (identifier) @variable.other.member)

(let_declaration binder: (identifier) @constant)
(model_declaration name: (identifier) @constant)
(model_item model: (identifier) @constant)
(secret_declaration name: (identifier) @constant)
(extern_declaration needs: (identifier) @constant)
(extern_declaration kind: (identifier) @constant)
(effect kind: (identifier) @attribute)
(effect region: (path (identifier) @attribute))

(variant name: (type_identifier) @type.enum.variant)
(call_expression function: (type_identifier) @constructor)
(call_expression function: (field_expression field: (type_identifier) @constructor))
(tag (type_identifier) @constructor)

(call_expression function: (identifier) @function)
(call_expression
  function: (field_expression value: (identifier) @namespace field: (identifier) @function))
(pipe_expression right: (identifier) @function)
(tool (path (identifier) @function .))
(stub callee: (path (identifier) @function .))
(trigger_declaration source: (path (identifier) @function .))

(fn_declaration name: (identifier) @function)
(graph_declaration name: (identifier) @function)
(prompt_declaration name: (identifier) @function)
(agent_declaration name: (identifier) @function)
(extern_declaration name: (identifier) @function)
(trigger_declaration name: (identifier) @function)

(policies (arguments (argument name: (identifier) @attribute)))
(refined_type (arguments (argument name: (identifier) @attribute)))

; Literals
(number) @constant.numeric
(boolean) @constant.builtin.boolean
(none) @constant.builtin
(wildcard) @variable.builtin
(string) @string
(raw_string) @string
(escape) @constant.character.escape
(interpolation ["${" "}"] @punctuation.special)

(comment) @comment.line
(doc_comment) @comment.line.documentation

; Keywords
[
  "let" "as" "in" "done" "next" "undo" "stub" "approve" "expect" "then" "after" "system" "user"
  "assistant" "messages" "tools" "model" "needs" "from" "on" "does" "where" "max" "parallel"
  "stream" "with"
] @keyword

"use" @keyword.control.import
["record" "enum" "type" "session" "secret"] @keyword.storage.type
["fn" "graph" "prompt" "agent" "extern" "trigger" "test"] @keyword.function
["if" "else" "match" "race"] @keyword.control.conditional
["for" "loop"] @keyword.control.repeat
(for_expression "in" @keyword.control.repeat)
["try" "catch" "fail"] @keyword.control.exception
["and" "or" "not" "is"] @keyword.operator
"pub" @keyword.storage.modifier
(qualifier) @keyword.storage.modifier

[
  "+" "-" "*" "/" "%" "==" "!=" "<=" ">=" "<" ">" "=" "|>" "??" "?." "->" "=>" ".." "|" "?"
] @operator
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," ":" "."] @punctuation.delimiter
