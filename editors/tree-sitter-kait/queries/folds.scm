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
  (list)
  (map)
  (tools_item)
  (string)
  (raw_string)
] @fold

((doc_comment)+ @fold)
((comment)+ @fold)
