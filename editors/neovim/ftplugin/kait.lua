-- What holds in every buffer of KAIT.
if vim.b.did_ftplugin then
  return
end
vim.b.did_ftplugin = 1

vim.bo.commentstring = '// %s'
vim.bo.comments = '://!,:///,://'
vim.bo.expandtab = true
vim.bo.shiftwidth = 2
vim.bo.softtabstop = 2
vim.bo.suffixesadd = '.kait'
vim.cmd('setlocal formatoptions-=t formatoptions+=croql')
vim.b.match_words = '\\<if\\>:\\<else\\>,\\<loop\\>:\\<else\\>'
vim.b.undo_ftplugin = 'setlocal commentstring< comments< expandtab< shiftwidth< softtabstop< suffixesadd< formatoptions<'

-- The parser of tree-sitter, where it was built (:KaitBuildParser); else syntax/kait.vim colours.
if vim.fn.has('nvim-0.9') == 1 and pcall(vim.treesitter.start, 0, 'kait') then
  vim.b.undo_ftplugin = vim.b.undo_ftplugin .. ' | lua vim.treesitter.stop()'
end
