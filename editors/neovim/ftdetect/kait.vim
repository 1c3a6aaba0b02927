" Files of KAIT.
autocmd BufRead,BufNewFile *.kait setfiletype kait
