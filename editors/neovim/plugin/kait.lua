-- Starts the language server with the first file of KAIT. g:kait_no_lsp = 1 leaves that to you.
if vim.g.loaded_kait then
  return
end
vim.g.loaded_kait = 1

vim.cmd("command! KaitBuildParser lua if require('kait').build_parser() then print('built; reopen the file') end")

if vim.g.kait_no_lsp == 1 then
  return
end
if vim.lsp.config and vim.lsp.enable then
  if vim.fn.executable(require('kait').binary()) == 1 then
    vim.lsp.enable('kait')
  end
else
  vim.cmd([[
    augroup kait
      autocmd!
      autocmd FileType kait lua require('kait').start(tonumber(vim.fn.expand('<abuf>')))
    augroup END
  ]])
end
