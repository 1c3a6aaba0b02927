" A line stands two columns right of the line that holds the innermost open bracket; a clause or an
" operator that continues the line above two more.
if exists('b:did_indent')
  finish
endif
let b:did_indent = 1

setlocal indentexpr=KaitIndent()
setlocal indentkeys=0},0),0],!^F,o,O,0.,0=\|>,0=catch,0=with,0=where
let b:undo_indent = 'setlocal indentexpr< indentkeys<'

if exists('*KaitIndent')
  finish
endif

let s:words = 'and\|or\|in\|is\|with\|catch\|undo\|else\|does\|needs\|from\|where\|then\|after'
let s:continues = '^\s*\%(|>\|??\|?\=\.\a\|[-+*%=<>|]\|/[^/]\|\%(' .. s:words .. '\)\>\s*[^: \t]\)'

function! s:Group(line, column)
  return synIDattr(synID(a:line, a:column, 1), 'name')
endfunction

function! s:InText(line, column)
  return s:Group(a:line, a:column) =~# 'String$\|Comment$\|Escape$\|Special$'
endfunction

function! KaitIndent()
  if v:lnum > 1 && s:Group(v:lnum, 1) =~# 'String$'
    return -1 " in a text of several lines: as it is
  endif
  call cursor(v:lnum, 1)
  let l:open = searchpair('[([{]', '', '[)\]}]', 'bnW', 's:InText(line("."), col("."))', max([1, v:lnum - 1000]))
  let l:indent = l:open > 0 ? indent(l:open) + shiftwidth() : 0
  let l:here = getline(v:lnum)
  if l:here =~# '^\s*[)\]}]'
    return l:indent - shiftwidth()
  endif
  " In arms, a minus and a number begin a new one.
  if l:here =~# s:continues && l:here !~# '^\s*-\s*\d'
    return l:indent + shiftwidth()
  endif
  let l:above = prevnonblank(v:lnum - 1)
  if l:above > 0 && getline(l:above) =~# '\%(=\|=>\|??\||>\|->\)\s*$' && !s:InText(l:above, len(getline(l:above)))
    return l:indent + shiftwidth()
  endif
  return l:indent
endfunction
