-- The language server for Neovim from 0.11 on: vim.lsp.enable('kait'), which plugin/kait.lua does.
return require('kait').config()
