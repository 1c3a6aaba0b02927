; The pattern of a type:  where (pattern: r"^ord_[a-z0-9]{12}$")
((argument
   name: (identifier) @_name
   value: (raw_string (content) @injection.content))
 (#any-of? @_name "pattern" "matching")
 (#set! injection.language "regex"))

((doc_comment) @injection.content
 (#set! injection.language "markdown_inline"))

((comment) @injection.content
 (#set! injection.language "comment"))
