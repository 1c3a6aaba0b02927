//! Source text to a lossless syntax tree: lexer, resilient parser, typed views.
