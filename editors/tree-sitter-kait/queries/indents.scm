; For editors that follow nvim-treesitter.
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
] @indent.begin

["}" ")" "]"] @indent.end @indent.branch

; A clause or an operator on a line of its own continues the line above.
[
  (pipe_expression)
  (binary_expression)
] @indent.begin

[(string) (raw_string) (comment) (doc_comment)] @indent.ignore
