-- Opens the given files and reports what is wrong, a line each; for tests/suite/editors.rs:
-- nvim --headless -u NONE --cmd 'set rtp^=editors/neovim' -c 'luafile editors/neovim/test/check.lua' FILE...
vim.cmd('filetype plugin indent on')
vim.cmd('syntax on')
local wrong, tokens = {}, 0

local function say(...)
  table.insert(wrong, string.format(...))
end

local function group(row, column)
  return vim.fn.synIDattr(vim.fn.synID(row, column, 1), 'name')
end

for _, file in ipairs(vim.fn.argv()) do
  vim.cmd('edit ' .. vim.fn.fnameescape(file))
  if vim.bo.filetype ~= 'kait' then
    say('%s: filetype %q', file, vim.bo.filetype)
  end
  if vim.bo.commentstring ~= '// %s' then
    say('%s: commentstring %q', file, vim.bo.commentstring)
  end
  if vim.bo.syntax ~= 'kait' then
    say('%s: syntax %q', file, vim.bo.syntax)
  end
  local lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  for row, line in ipairs(lines) do
    local comment = line:match('^%s*()//')
    if comment then
      for column = comment, #line do
        if not group(row, column):match('Comment$') and line:sub(column, column) ~= ' ' then
          say('%s:%d:%d: %s in a comment', file, row, column, group(row, column))
          break
        end
      end
    end
    local word = line:match('^pub (%l+) ') or line:match('^(%l+) ')
    if word and not comment then
      tokens = tokens + 1
      local found = group(row, line:find(word, 1, true))
      if found ~= 'kaitStructure' and found ~= 'kaitKeyword' and not found:match('String$') then
        say('%s:%d: `%s` is %q', file, row, word, found)
      end
    end
  end
  -- Files in the standard form are indented as they are.
  vim.cmd('silent normal! gg=G')
  local indented = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  for row, line in ipairs(lines) do
    local found = group(row, 1)
    if indented[row] ~= line and not found:match('String$') then
      say('%s:%d: indented as %q', file, row, indented[row])
    end
  end
  vim.cmd('edit!')
end

for _, line in ipairs(wrong) do
  print(line)
end
print(string.format('%d declarations, %d wrong', tokens, #wrong))
vim.cmd('qall!')
