; For editors that show an outline of the file (Zed).
(fn_declaration "fn" @context name: (identifier) @name) @item
(graph_declaration "graph" @context name: (identifier) @name) @item
(prompt_declaration "prompt" @context name: (identifier) @name) @item
(agent_declaration "agent" @context name: (identifier) @name) @item
(extern_declaration "extern" @context name: (identifier) @name) @item
(trigger_declaration "trigger" @context name: (identifier) @name) @item
(test_declaration "test" @context name: (_) @name) @item
(let_declaration "let" @context binder: (identifier) @name) @item
(model_declaration "model" @context name: (identifier) @name) @item
(secret_declaration "secret" @context name: (identifier) @name) @item
(record_declaration "record" @context name: (type_identifier) @name) @item
(session_declaration "session" @context name: (type_identifier) @name) @item
(enum_declaration "enum" @context name: (type_identifier) @name) @item
(type_declaration "type" @context name: (type_identifier) @name) @item
(variant name: (type_identifier) @name) @item
(field name: (identifier) @name) @item
