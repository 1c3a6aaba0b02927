(fn_declaration name: (identifier) @name) @definition.function
(graph_declaration name: (identifier) @name) @definition.function
(prompt_declaration name: (identifier) @name) @definition.function
(agent_declaration name: (identifier) @name) @definition.function
(extern_declaration name: (identifier) @name) @definition.function
(trigger_declaration name: (identifier) @name) @definition.function
(let_declaration binder: (identifier) @name) @definition.constant
(model_declaration name: (identifier) @name) @definition.constant
(secret_declaration name: (identifier) @name) @definition.constant
(record_declaration name: (type_identifier) @name) @definition.class
(session_declaration name: (type_identifier) @name) @definition.class
(enum_declaration name: (type_identifier) @name) @definition.enum
(type_declaration name: (type_identifier) @name) @definition.type
(variant name: (type_identifier) @name) @definition.constant

(call_expression function: (identifier) @name) @reference.call
(call_expression function: (field_expression field: (identifier) @name)) @reference.call
(call_expression function: (type_identifier) @name) @reference.class
(named_type (path (type_identifier) @name)) @reference.type
