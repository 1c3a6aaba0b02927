-- The language server `kait lsp`, and the parser for tree-sitter. Nothing here is done before a file
-- of KAIT is opened or a command is given.
local M = {}

-- The binary: g:kait_path, else the one on the PATH.
function M.binary()
  return vim.g.kait_path or 'kait'
end

function M.config()
  return {
    name = 'kait',
    cmd = { M.binary(), 'lsp' },
    filetypes = { 'kait' },
    root_markers = { 'kait.toml', '.git' },
  }
end

local function root(file)
  local dir = vim.fn.fnamemodify(file, ':p:h')
  for _, marker in ipairs({ 'kait.toml', '.git' }) do
    local path = dir .. ';'
    local found = vim.fn.findfile(marker, path)
    if found == '' then
      found = vim.fn.finddir(marker, path)
    end
    if found ~= '' then
      return vim.fn.fnamemodify(found, ':p:gs?/$??:h')
    end
  end
  return dir
end

local clients = {} -- root -> id, where Neovim does not keep account itself (0.7)

-- Starts the server for a buffer, or uses the one that runs for its root. For Neovim before 0.11.
function M.start(buffer)
  local config = M.config()
  if vim.fn.executable(config.cmd[1]) == 0 then
    return -- colours need no server; :checkhealth kait says what is missing
  end
  config.root_dir = root(vim.api.nvim_buf_get_name(buffer))
  if vim.lsp.start then
    return vim.lsp.start(config, { bufnr = buffer })
  end
  local id = clients[config.root_dir]
  if not id or not vim.lsp.get_client_by_id(id) then
    id = vim.lsp.start_client(config)
    clients[config.root_dir] = id
  end
  if id then
    vim.lsp.buf_attach_client(buffer, id)
  end
  return id
end

-- Compiles the parser of tree-sitter into Neovim's data folder.
function M.build_parser()
  local here = vim.fn.resolve(vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p'))
  local source = vim.fn.fnamemodify(here, ':h:h:h:h') .. '/tree-sitter-kait/src'
  local target = vim.fn.stdpath('data') .. '/site/parser'
  vim.fn.mkdir(target, 'p')
  local out = vim.fn.system({
    vim.env.CC or 'cc', '-O2', '-shared', '-fPIC', '-I', source,
    source .. '/parser.c', source .. '/scanner.c', '-o', target .. '/kait.so',
  })
  if vim.v.shell_error ~= 0 then
    vim.notify('kait: the parser could not be compiled\n' .. out, vim.log.levels.ERROR)
    return false
  end
  return true
end

return M
