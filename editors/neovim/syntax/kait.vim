" Colours without tree-sitter. Tested: every keyword of the compiler is here.
if exists('b:current_syntax')
  finish
endif

syntax case match

syntax keyword kaitConditional if else match race
syntax keyword kaitRepeat for loop in done next
syntax keyword kaitException try catch undo fail
syntax keyword kaitOperatorWord and or not is
syntax keyword kaitKeyword let with
syntax keyword kaitStructure fn graph
syntax keyword kaitBoolean true false
syntax keyword kaitConstant none

" Contextual words, in their places only.
syntax match kaitModifier /\<\%(trusted\|untrusted\|public\|private\|secret\)\>\ze\s\+[A-Za-z\[]/
syntax match kaitStructure /\%(^\s*\|^pub\s\+\)\@<=\%(use\|record\|enum\|type\|model\|prompt\|agent\|extern\|session\|trigger\|test\|secret\)\>\ze\s\+["A-Za-z_]/
syntax match kaitModifier /^\s*\zspub\>\ze\s/
syntax match kaitKeyword /^\s*\zs\%(system\|user\|assistant\|messages\|tools\|stub\|expect\)\>\ze\s*["\[(A-Za-z_]/
syntax match kaitKeyword /\%(\<stub\s\+\)\@<=approve\>\ze\s\+\a/
syntax match kaitKeyword /\%(\S\s\+\|^\s*\)\zs\%(does\|needs\|from\|on\|as\|where\|max\|parallel\|then\|after\)\>\ze\%(\s\+[^:=)\],]\|\s*(\)/
syntax match kaitModifier /[(,]\s*\zsstream\>\ze\s\+\l/

syntax match kaitType /\<[A-Z][A-Za-z0-9]*\>/
syntax match kaitPrimitive /\%(:\s*\|->\s*\|\[\|\%(trusted\|untrusted\|public\|private\|secret\)\s\+\)\@<=\%(text\|int\|float\|bool\|bytes\|json\|time\|duration\|money\|size\|image\|audio\|file\)\>\ze\s*\%([?,)\]}=]\|where\|{\|in\>\|does\>\|with\>\|needs\>\|from\>\|as\>\|$\)/
syntax match kaitFunction /\<[a-z_][a-z0-9_]*\ze(/
syntax match kaitFunction /\%(\<\%(fn\|graph\|prompt\|agent\|extern\|trigger\)\s\+\)\@<=[a-z_][a-z0-9_]*/
" Before a colon and after a dot every word is a name.
syntax match kaitLabel /\<[a-z_][a-z0-9_]*\ze\s*:/
syntax match kaitMember /\.\@<=[a-z_][a-z0-9_]*\>\ze\%($\|[^(a-z0-9_]\)/
syntax match kaitNumber /\<[0-9][0-9_]*\%(\.[0-9][0-9_]*\)\?\%(ms\|kb\|mb\|gb\|[smhd]\|[a-z]\{3}\)\?\>/
syntax match kaitOperator /|>\|??\|?\.\|->\|=>\|[=!<>]=\|\.\.\|[-+*%<>=|?]\|\/\ze[^/]/

syntax match kaitEscape contained /\\\%([nt"\\$]\|u{\x\{1,6}}\)/
syntax region kaitInterpolation contained matchgroup=kaitSpecial start=/\${/ end=/}/ contains=TOP
syntax region kaitBraces transparent start=/{/ end=/}/ contains=TOP
syntax region kaitString start=/"\%(""\)\@!/ skip=/\\./ end=/"/ end=/$/ extend oneline contains=kaitEscape,kaitInterpolation
syntax region kaitString start=/"""/ skip=/\\./ end=/"""/ extend contains=kaitEscape,kaitInterpolation
syntax region kaitRawString start=/\<r"\%(""\)\@!/ end=/"/ end=/$/ oneline
syntax region kaitRawString start=/\<r"""/ end=/"""/
syntax match kaitComment /\/\/.*$/ contains=@Spell,kaitTodo
syntax match kaitDocComment /\/\/\/\%(\/\)\@!.*$/ contains=@Spell
syntax match kaitDocComment /\/\/!.*$/ contains=@Spell
syntax keyword kaitTodo contained TODO FIXME

" Texts of several lines can begin anywhere above.
syntax sync fromstart

highlight default link kaitConditional Conditional
highlight default link kaitRepeat Repeat
highlight default link kaitException Exception
highlight default link kaitOperatorWord Operator
highlight default link kaitKeyword Keyword
highlight default link kaitStructure Structure
highlight default link kaitModifier StorageClass
highlight default link kaitBoolean Boolean
highlight default link kaitConstant Constant
highlight default link kaitType Type
highlight default link kaitPrimitive Type
highlight default link kaitFunction Function
highlight default link kaitLabel Identifier
highlight default link kaitMember Identifier
highlight default link kaitNumber Number
highlight default link kaitOperator Operator
highlight default link kaitString String
highlight default link kaitRawString String
highlight default link kaitEscape SpecialChar
highlight default link kaitSpecial Special
highlight default link kaitComment Comment
highlight default link kaitDocComment SpecialComment
highlight default link kaitTodo Todo

let b:current_syntax = 'kait'
