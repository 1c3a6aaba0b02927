[
  (fn_declaration)
  (graph_declaration)
  (prompt_declaration)
  (agent_declaration)
  (extern_declaration)
  (trigger_declaration)
  (test_declaration)
  (block)
  (arm)
  (for_expression)
  (loop_expression)
] @local.scope

(parameter name: (identifier) @local.definition.variable.parameter)
(identifier) @local.reference
