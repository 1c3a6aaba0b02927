[
  (block)
  (arms)
  (field_list)
  (variant_list)
  (prompt_body)
  (test_body)
  (race_expression)
  (parameters)
  (arguments)
  (pattern_arguments)
  (list)
  (map)
  (tools_item)
  (parenthesized)
] @indent

["}" ")" "]"] @outdent
