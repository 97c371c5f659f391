--- Where threads are in the open buffers: signs and virtual text that go with the code.
local client_of = require('channelcoder.client')
local text = require('channelcoder.text')

local M = {}

local NAMESPACE = vim.api.nvim_create_namespace('channelcoder')
local AFTER_EDIT_MS, AFTER_CHANGE_MS = 300, 30
local QUESTION_CELLS = 48
local HIGHLIGHTS = {
  error = 'DiagnosticSignError',
  warning = 'DiagnosticSignWarn',
  information = 'DiagnosticSignInfo',
  hint = 'DiagnosticSignHint',
}

---@type table<integer, table<integer, channelcoder.ThreadRow>> by buffer, by extmark
local shown = {}
---@type table<integer, uv.uv_timer_t> by buffer
local timers = {}

vim.api.nvim_set_hl(0, 'ChannelCoderSign', { link = 'DiagnosticSignInfo', default = true })
vim.api.nvim_set_hl(0, 'ChannelCoderText', { link = 'Comment', default = true })

--- What stands behind a thread's first line, and in lists.
---@param thread channelcoder.ThreadRow
---@param cells? integer how much of the question
---@return string
function M.label(thread, cells)
  local parts = { text.line(thread.question, cells) }
  if thread.waiting then
    table.insert(parts, 'answering…')
  elseif thread.answers > 0 then
    table.insert(parts, text.count(thread.answers, 'answer'))
  elseif not thread.severity then
    table.insert(parts, 'no answer')
  end
  if thread.state == 'edited' then
    table.insert(parts, 'the code changed')
  end
  if #thread.proposalIds > 0 then
    table.insert(parts, 'edit to apply')
  end
  return table.concat(parts, ' · ')
end

--- The lines of a range, the last one included.
---@param range channelcoder.ClientRange
---@return integer first, integer last from 0
function M.lines(range)
  local first, last = range.start.line, range['end'].line
  if last > first and range['end'].character == 0 then
    last = last - 1
  end
  return first, last
end

---@param client vim.lsp.Client
---@param buffer integer
---@param position channelcoder.ClientPosition
---@return integer line, integer column from 0, as Neovim counts, within the text
local function place(client, buffer, position)
  local line = math.min(position.line, vim.api.nvim_buf_line_count(buffer) - 1)
  local content = vim.api.nvim_buf_get_lines(buffer, line, line + 1, false)[1] or ''
  return line, vim.str_byteindex(content, client.offset_encoding, position.character, false)
end

---@param client vim.lsp.Client
---@param buffer integer
---@param threads channelcoder.ThreadRow[]
local function draw(client, buffer, threads)
  local options = require('channelcoder.config').get().threads or {}
  vim.api.nvim_buf_clear_namespace(buffer, NAMESPACE, 0, -1)
  shown[buffer] = {}
  for _, thread in ipairs(threads) do
    if thread.status == 'open' and thread.state ~= 'orphaned' then
      local row, column = place(client, buffer, thread.range.start)
      local end_row, end_column = place(client, buffer, thread.range['end'])
      -- Code that is taken away takes its marks along, and undo brings both back.
      local mark = vim.api.nvim_buf_set_extmark(buffer, NAMESPACE, row, column, {
        end_row = end_row,
        end_col = end_column,
        invalidate = end_row > row or end_column > column,
        undo_restore = true,
        strict = false,
      })
      -- A sign stands at each line of its mark: at the first one only, it needs one of its own.
      local highlight = HIGHLIGHTS[thread.severity] or 'ChannelCoderSign'
      local question = M.label(thread, QUESTION_CELLS)
      local behind = { { ('  %s '):format(options.sign), highlight }, { question, 'ChannelCoderText' } }
      vim.api.nvim_buf_set_extmark(buffer, NAMESPACE, row, column, {
        end_col = end_row > row and #vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or end_column,
        sign_text = options.signs and options.sign or nil,
        sign_hl_group = highlight,
        virt_text = options.virtual_text and behind or nil,
        virt_text_pos = 'eol',
        invalidate = end_row > row or end_column > column,
        undo_restore = true,
        priority = 20,
        strict = false,
      })
      shown[buffer][mark] = thread
    end
  end
end

--- Ask the server where the threads of a buffer are, and show that.
---@param client vim.lsp.Client
---@param buffer integer
---@param done? fun() once they are shown, or can't be
function M.refresh(client, buffer, done)
  done = done or function() end
  if client:is_stopped() or not vim.api.nvim_buf_is_loaded(buffer) or vim.bo[buffer].buftype ~= '' then
    return done()
  end
  local asked_at = vim.api.nvim_buf_get_changedtick(buffer)
  client_of.execute(client, 'channelcoder.thread.list', { uri = vim.uri_from_bufnr(buffer) }, function(rows)
    ---@cast rows channelcoder.ThreadRows
    if not vim.api.nvim_buf_is_loaded(buffer) then
      return
    end
    if vim.api.nvim_buf_get_changedtick(buffer) ~= asked_at then
      M.soon(client, buffer, AFTER_EDIT_MS) -- the places are those of another text
      return done()
    end
    draw(client, buffer, rows.threads)
    done()
    if require('channelcoder.config').get().code_lens then
      vim.lsp.codelens.refresh({ bufnr = buffer })
    end
  end, function(message)
    vim.lsp.log.warn('channelcoder: threads are not shown', message)
    done()
  end, buffer)
end

--- Ask soon, once for all that happens meanwhile.
---@param client vim.lsp.Client
---@param buffer integer
---@param milliseconds integer
function M.soon(client, buffer, milliseconds)
  local timer = timers[buffer] or assert(vim.uv.new_timer())
  timers[buffer] = timer
  timer:start(
    milliseconds,
    0,
    vim.schedule_wrap(function()
      M.refresh(client, buffer)
    end)
  )
end

---@param buffer integer
local function forget(buffer)
  shown[buffer] = nil
  if timers[buffer] then
    timers[buffer]:close()
    timers[buffer] = nil
  end
  if vim.api.nvim_buf_is_valid(buffer) then
    vim.api.nvim_buf_clear_namespace(buffer, NAMESPACE, 0, -1)
  end
end

--- Show a buffer's threads from now on, until its client leaves it.
---@param client vim.lsp.Client
---@param buffer integer
function M.attach(client, buffer)
  local there = true
  local function edited()
    if not there then
      return true -- which ends it
    end
    M.soon(client, buffer, AFTER_EDIT_MS)
  end
  vim.api.nvim_buf_attach(buffer, false, { on_lines = edited, on_reload = edited })
  vim.api.nvim_create_autocmd('LspDetach', {
    buffer = buffer,
    callback = function(event)
      if event.data.client_id == client.id then
        there = false
        forget(buffer)
        return true -- which deletes it
      end
    end,
  })
  M.refresh(client, buffer, function()
    require('channelcoder.status').refresh(client)
  end)
end

--- `channelcoder/changed`.
---@param _ channelcoder.ChangedNotification
---@param client_id integer
function M.changed(_, client_id)
  local client = vim.lsp.get_client_by_id(client_id)
  for buffer in pairs(client and client.attached_buffers or {}) do
    ---@cast client vim.lsp.Client
    M.soon(client, buffer, AFTER_CHANGE_MS)
    -- Neovim asks for diagnostics when the text changes; findings come without.
    if client:supports_method('textDocument/diagnostic', buffer) then
      local params = { textDocument = { uri = vim.uri_from_bufnr(buffer) } }
      client:request('textDocument/diagnostic', params, nil, buffer)
    end
  end
end

---@class channelcoder.Mark
---@field thread channelcoder.ThreadRow
---@field first integer line, from 1
---@field last integer line, from 1

--- Where the threads of a buffer are now, in order.
---@param buffer integer
---@return channelcoder.Mark[]
function M.all(buffer)
  local found = {}
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(buffer, NAMESPACE, 0, -1, { details = true })) do
    local thread = (shown[buffer] or {})[mark[1]]
    local details = mark[4] --[[@as vim.api.keyset.extmark_details]]
    if thread and not details.invalid then
      local last = details.end_row or mark[2]
      if last > mark[2] and details.end_col == 0 then
        last = last - 1
      end
      table.insert(found, { thread = thread, first = mark[2] + 1, last = last + 1 })
    end
  end
  return found
end

--- Those on a line, the innermost first.
---@param buffer integer
---@param line integer from 1
---@return channelcoder.Mark[]
function M.on(buffer, line)
  local found = vim.tbl_filter(function(mark)
    return mark.first <= line and line <= mark.last
  end, M.all(buffer))
  table.sort(found, function(one, other)
    return one.last - one.first < other.last - other.first
  end)
  return found
end

--- Go from one mark to another.
---@param marks channelcoder.Mark[] in order, at least one
---@param direction 1|-1
---@param count integer
local function jump(marks, direction, count)
  local line = vim.api.nvim_win_get_cursor(0)[1]
  local lines, before = {}, 0
  for _, mark in ipairs(marks) do
    if mark.first ~= lines[#lines] then
      table.insert(lines, mark.first)
      before = before + (mark.first < line and 1 or 0)
    end
  end
  local on_one = vim.list_contains(lines, line)
  local index = direction == 1 and before + (on_one and 1 or 0) + count or before + 1 - count
  vim.cmd("normal! m'")
  vim.api.nvim_win_set_cursor(0, { lines[(index - 1) % #lines + 1], 0 })
end

--- Go to the next thread, or with -1 to the one before; around the end of the buffer. Where none is shown the server
--- is asked before there are said to be none.
---@param client vim.lsp.Client
---@param direction 1|-1
---@param count integer how many times
function M.go(client, direction, count)
  local buffer = vim.api.nvim_get_current_buf()
  local marks = M.all(buffer)
  if #marks > 0 then
    return jump(marks, direction, count)
  end
  M.refresh(client, buffer, function()
    marks = M.all(buffer)
    if #marks > 0 and vim.api.nvim_get_current_buf() == buffer then
      jump(marks, direction, count)
    elseif #marks == 0 then
      text.say('no threads in this buffer.')
    end
  end)
end

return M
