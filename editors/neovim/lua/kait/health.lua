-- :checkhealth kait
local M = {}

function M.check()
  local health = vim.health or require('health')
  local ok = health.ok or health.report_ok
  local warn = health.warn or health.report_warn
  local binary = require('kait').binary()
  if vim.fn.executable(binary) == 1 then
    ok('language server: ' .. binary .. ' lsp')
  else
    warn('`' .. binary .. '` cannot be run: no language server', { 'put kait on the PATH, or set g:kait_path' })
  end
  if #vim.api.nvim_get_runtime_file('parser/kait.so', false) > 0 then
    ok('tree-sitter: the parser is there')
  else
    warn('tree-sitter: no parser; syntax/kait.vim colours', { ':KaitBuildParser compiles it' })
  end
end

return M
