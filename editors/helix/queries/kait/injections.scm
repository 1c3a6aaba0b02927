((argument
   name: (identifier) @_name
   value: (raw_string (content) @injection.content))
 (#any-of? @_name "pattern" "matching")
 (#set! injection.language "regex"))

((doc_comment) @injection.content
 (#set! injection.language "markdown.inline"))

((comment) @injection.content
 (#set! injection.language "comment"))
