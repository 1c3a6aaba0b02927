(fn_declaration body: (_) @function.inside) @function.around
(graph_declaration body: (_) @function.inside) @function.around
(prompt_declaration body: (_) @function.inside) @function.around
(agent_declaration body: (_) @function.inside) @function.around
(extern_declaration) @function.around
(trigger_declaration body: (_) @function.inside) @function.around
(test_declaration body: (_) @test.inside) @test.around
(record_declaration body: (_) @class.inside) @class.around
(enum_declaration body: (_) @class.inside) @class.around
(session_declaration body: (_) @class.inside) @class.around
(parameters ((_) @parameter.inside . ","? @parameter.around) @parameter.around)
(arguments ((_) @parameter.inside . ","? @parameter.around) @parameter.around)
(comment) @comment.inside
(comment)+ @comment.around
(doc_comment)+ @comment.around
(map (entry) @entry.around)
