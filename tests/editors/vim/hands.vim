" What a person does in Vim with ALE, and what they see.

let s:seconds = 90
let s:chosen = ''
let g:offered = []

" ALE asks for the number of a code action: the person reads the list and types it, or nothing.
runtime! autoload/ale/util.vim
function! ale#util#Input(message, value, ...) abort
    let l:offered = map(split(a:message, "\n")[1:-2], {_, line -> substitute(line, '^\d\+) ', '', '')})
    let l:number = index(l:offered, s:chosen) + 1
    if l:number == 0
        return ''
    endif
    let g:offered = l:offered
    let s:chosen = ''
    return string(l:number)
endfunction

function! Wait(what, condition) abort
    let l:start = reltime()
    while !a:condition()
        if reltimefloat(reltime(l:start)) > s:seconds
            throw 'Never: ' . a:what . ', in ' . join(getline(1, '$'), "\n")
        endif
        sleep 50m
    endwhile
endfunction

" Take the code action with this title at the cursor, once it is offered, and return what else was.
function! Choose(title) abort
    let s:chosen = a:title
    call Wait('the code action ' . a:title, function('s:Chosen'))
    return g:offered
endfunction

function! s:Chosen() abort
    ALECodeAction
    sleep 300m
    return empty(s:chosen)
endfunction

" What hovering at the cursor shows, once it has this part in it.
function! Hover(part) abort
    let s:part = a:part
    call Wait('a hover with ' . a:part, function('s:Hovered'))
    return s:Preview()
endfunction

function! s:Hovered() abort
    ALEHover
    sleep 300m
    return stridx(s:Preview(), s:part) >= 0
endfunction

function! s:Preview() abort
    for l:window in range(1, winnr('$'))
        if getwinvar(l:window, '&previewwindow')
            return join(getbufline(winbufnr(l:window), 1, '$'), "\n")
        endif
    endfor
    return ''
endfunction

" What ALE lists for the buffer, once there is something.
function! Listed() abort
    call Wait('something in the list', {-> !empty(getloclist(0))})
    return map(getloclist(0), {_, item -> {'line': item.lnum, 'text': item.text, 'type': item.type}})
endfunction

function! End(seen) abort
    call writefile([json_encode(a:seen)], $SEEN)
    qall!
endfunction
