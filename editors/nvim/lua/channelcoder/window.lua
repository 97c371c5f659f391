--- Markdown in a floating window or a split: an answer that streams, a thread, a transcript, a diff.
local text = require('channelcoder.text')

local M = {}

---@class channelcoder.Key
---@field key string
---@field does string in a word or two
---@field run fun()

---@class channelcoder.Window
---@field buffer integer
---@field keys channelcoder.Key[]
---@field title string
---@field from integer the window that one came from
local Window = {}
Window.__index = Window

---@param part number
---@param whole integer
---@return integer
local function size(part, whole)
  return math.max(1, math.min(whole, part < 1 and math.floor(whole * part) or math.floor(part)))
end

---@param keys channelcoder.Key[]
---@return string
local function footer(keys)
  local parts = {}
  for _, key in ipairs(keys) do
    table.insert(parts, ('%s %s'):format(key.key, key.does))
  end
  return table.concat(parts, ' · ')
end

--- A title or footer on the background of the window, not of what is behind it.
---@param words string
---@param highlight string
---@return [string, string[]][]
local function on_border(words, highlight)
  return { { (' %s '):format(words), { 'NormalFloat', highlight } } }
end

---@param self channelcoder.Window
---@return vim.api.keyset.win_config
local function float(self)
  local options = require('channelcoder.config').get().window or {}
  local width, height = size(options.width, vim.o.columns - 2), size(options.height, vim.o.lines - 4)
  return {
    relative = 'editor',
    width = width,
    height = height,
    row = math.max(0, math.floor((vim.o.lines - height) / 2) - 1),
    col = math.max(0, math.floor((vim.o.columns - width) / 2) - 1),
    border = options.border --[[@as any]],
    title = on_border(text.line(self.title, width - 4), 'FloatTitle'),
    footer = options.border ~= 'none' and on_border(footer(self.keys), 'FloatFooter') or nil,
  }
end

---@param window integer
local function plain(window)
  local options = vim.wo[window][0]
  options.wrap, options.linebreak, options.breakindent = true, true, true
  options.number, options.relativenumber, options.signcolumn = false, false, 'no'
  options.spell, options.list, options.foldenable, options.cursorline = false, false, false, false
  options.fillchars = 'eob: '
  -- What a link leads to stays visible.
  options.conceallevel = 0
end

--- Close what was opened before and is not kept.
local function give_way()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    local buffer = vim.api.nvim_win_get_buf(window)
    if vim.b[buffer].channelcoder_client and vim.bo[buffer].bufhidden == 'wipe' then
      pcall(vim.api.nvim_win_close, window, true)
    end
  end
end

--- Open a window; one that was opened before and is not kept gives way.
---@param title string
---@param client_id? integer whose server it is about
---@param keys? channelcoder.Key[] more keys than those that every window has
---@return channelcoder.Window
function M.open(title, client_id, keys)
  give_way()
  local buffer = vim.api.nvim_create_buf(false, true)
  local self =
    setmetatable({ buffer = buffer, title = title, keys = keys or {}, from = vim.api.nvim_get_current_win() }, Window)
  vim.bo[buffer].bufhidden = 'wipe'
  vim.bo[buffer].modeline = false
  vim.b[buffer].channelcoder_client = client_id
  local function own(key, name)
    local function run()
      self[name](self)
    end
    table.insert(self.keys, { key = key, does = name, run = run })
  end
  own('K', 'keep')
  own('q', 'close')
  for _, key in ipairs(self.keys) do
    vim.keymap.set('n', key.key, key.run, { buffer = buffer, nowait = true, desc = key.does })
  end
  local options = require('channelcoder.config').get().window or {}
  local how = options.kind == 'float' and float(self) or { split = options.kind == 'vsplit' and 'right' or 'below' }
  local window = vim.api.nvim_open_win(buffer, options.focus ~= false, how)
  vim.bo[buffer].filetype = 'markdown'
  pcall(vim.treesitter.start, buffer, 'markdown')
  vim.bo[buffer].modifiable = false
  plain(window)
  self:name(title)
  return self
end

--- Whether it is still there.
---@return boolean
function Window:open()
  return vim.api.nvim_buf_is_valid(self.buffer)
end

--- The window that shows it, if one does.
---@return integer?
function Window:shown()
  return self:open() and vim.fn.win_findbuf(self.buffer)[1] or nil
end

---@param window integer
---@return boolean
local function floats(window)
  return vim.api.nvim_win_get_config(window).relative ~= ''
end

--- Change its title.
---@param title string
function Window:name(title)
  self.title = title
  local window = self:shown()
  if not window then
    return
  elseif floats(window) then
    if require('channelcoder.config').get().window.border ~= 'none' then
      local width = vim.api.nvim_win_get_width(window)
      vim.api.nvim_win_set_config(window, { title = on_border(text.line(title, width - 4), 'FloatTitle') })
    end
  else
    vim.wo[window][0].winbar = (text.line(title):gsub('%%', '%%%%'))
  end
end

---@param from integer the line to begin at, from 0
---@param lines string[]
function Window:put(from, lines)
  if not self:open() then
    return
  end
  local window = self:shown()
  local last = vim.api.nvim_buf_line_count(self.buffer)
  -- A cursor in the last line follows an answer; one that was taken elsewhere stays there.
  local follows = window and last > 1 and vim.api.nvim_win_get_cursor(window)[1] >= last
  vim.bo[self.buffer].modifiable = true
  vim.api.nvim_buf_set_lines(self.buffer, from, -1, false, lines)
  vim.bo[self.buffer].modifiable = false
  if window and follows then
    vim.api.nvim_win_set_cursor(window, { vim.api.nvim_buf_line_count(self.buffer), 0 })
  end
end

--- Show this and nothing else.
---@param markdown string
function Window:set(markdown)
  self:put(0, vim.split(text.clean(markdown), '\n', { plain = true }))
end

--- Show more of it.
---@param markdown string
function Window:append(markdown)
  if not self:open() then
    return
  end
  local last = vim.api.nvim_buf_line_count(self.buffer) - 1
  local line = vim.api.nvim_buf_get_lines(self.buffer, last, -1, false)[1] or ''
  self:put(last, vim.split(line .. text.clean(markdown), '\n', { plain = true }))
end

--- Say something below what is shown.
---@param markdown string
function Window:remark(markdown)
  if not self:open() then
    return
  end
  local last = vim.api.nvim_buf_line_count(self.buffer)
  while last > 1 and vim.api.nvim_buf_get_lines(self.buffer, last - 1, last, false)[1]:match('^%s*$') do
    last = last - 1
  end
  local line = vim.trim(vim.api.nvim_buf_get_lines(self.buffer, last - 1, last, false)[1])
  self:put(last - 1, vim.list_extend({ line, '' }, vim.split(text.clean(markdown), '\n', { plain = true })))
end

--- Put the cursor where a text is, whatever its case.
---@param wanted string
function Window:go_to(wanted)
  local window = self:shown()
  if window then
    vim.api.nvim_win_call(window, function()
      vim.fn.search('\\c\\V' .. vim.fn.escape(wanted, '\\'), 'cw')
    end)
  end
end

function Window:close()
  local window = self:shown()
  local here = window == vim.api.nvim_get_current_win()
  if window and not pcall(vim.api.nvim_win_close, window, true) then
    vim.cmd.enew() -- it was the last one
  elseif here and vim.api.nvim_win_is_valid(self.from) then
    vim.api.nvim_set_current_win(self.from)
  end
end

--- Make a split of a floating window; its text stays until the buffer is wiped out.
function Window:keep()
  local window = self:shown()
  if not window then
    return
  end
  vim.bo[self.buffer].bufhidden = 'hide'
  vim.bo[self.buffer].buflisted = true
  if floats(window) then
    vim.api.nvim_win_close(window, true)
    plain(vim.api.nvim_open_win(self.buffer, true, { split = 'below', win = -1 }))
    self:name(self.title)
  end
end

return M
