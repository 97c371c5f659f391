--- What can be done to threads.
local client_of = require('channelcoder.client')
local marks = require('channelcoder.marks')
local text = require('channelcoder.text')

local M = {}

--- The thread of an item of the quickfix or location list under the cursor.
---@return string?
local function of_list()
  local line, window = vim.api.nvim_win_get_cursor(0)[1], vim.api.nvim_get_current_win()
  local is_location = vim.fn.getwininfo(window)[1].loclist == 1
  local items = is_location and vim.fn.getloclist(window) or vim.fn.getqflist()
  local data = items[line] and items[line].user_data
  return type(data) == 'table' and data.channelcoder or nil
end

--- Choose among threads, if there is more than one.
---@param threads channelcoder.ThreadRow[]
---@param run fun(thread_id: string)
local function choose(threads, run)
  if #threads == 1 then
    return run(threads[1].threadId)
  end
  vim.ui.select(
    threads,
    { prompt = 'Thread', kind = 'channelcoder.thread', format_item = marks.label },
    function(thread)
      if thread then
        run(thread.threadId)
      end
    end
  )
end

--- Do something to the thread that is meant: the one that a window shows or a list has under the cursor, else the one
--- on this line. A thread that is only a moment old may not be shown yet: the server is asked before there is said to
--- be none.
---@param client vim.lsp.Client
---@param run fun(thread_id: string)
function M.with(client, run)
  local id = vim.b.channelcoder_thread or (vim.bo.buftype == 'quickfix' and of_list())
  if id then
    return run(id)
  end
  local buffer, line = vim.api.nvim_get_current_buf(), vim.api.nvim_win_get_cursor(0)[1]
  local function on_line()
    return vim
      .iter(marks.on(buffer, line))
      :map(function(mark)
        return mark.thread
      end)
      :totable()
  end
  local found = on_line()
  if #found > 0 then
    return choose(found, run)
  end
  marks.refresh(client, buffer, function()
    found = on_line()
    if #found == 0 then
      return text.say('no open thread on this line; :ChannelCoder next goes to one, :ChannelCoder threads lists all.')
    end
    choose(found, run)
  end)
end

--- Show a thread with all its answers.
---@param client vim.lsp.Client
---@param thread_id string
function M.show(client, thread_id)
  local function run(name)
    return function()
      M[name](client, thread_id)
    end
  end
  client_of.execute(client, 'channelcoder.thread.show', { threadId = thread_id }, function(shown)
    ---@cast shown channelcoder.Shown
    local window = require('channelcoder.window').open('Claude: thread', client.id, {
      { key = 'r', does = 'reply', run = run('reply') },
      { key = 'R', does = 'resolve', run = run('resolve') },
      { key = 'a', does = 'edit', run = run('look') },
    })
    vim.b[window.buffer].channelcoder_thread = thread_id
    window:set(shown.markdown)
  end)
end

---@param client vim.lsp.Client
---@param thread_id string
---@param rest? string
---@param quietly? boolean
function M.reply(client, thread_id, rest, quietly)
  require('channelcoder.ask').reply(client, thread_id, rest or '', quietly)
end

--- Ask the question of a window again, else the newest of the thread that is meant.
---@param client vim.lsp.Client
---@param quietly? boolean
function M.retry(client, quietly)
  local function retry(turn_id, question)
    require('channelcoder.ask').send(client, 'channelcoder.retry', { turnId = turn_id }, question, quietly)
  end
  if vim.b.channelcoder_turn then
    return retry(vim.b.channelcoder_turn, vim.b.channelcoder_question)
  end
  M.with(client, function(thread_id)
    client_of.execute(client, 'channelcoder.thread.read', { threadId = thread_id }, function(thread)
      ---@cast thread channelcoder.ThreadContent
      local turn = thread.turns[#thread.turns]
      retry(turn.turnId, turn.question)
    end)
  end)
end

---@param client vim.lsp.Client
---@param thread_id string
function M.resolve(client, thread_id)
  client_of.execute(client, 'channelcoder.thread.resolve', { threadId = thread_id }, function()
    text.say('resolved; :ChannelCoder! resolve opens it again.')
  end)
end

--- Open a resolved thread again: of a list or a window, else one of this file.
---@param client vim.lsp.Client
function M.reopen(client)
  local function reopen(id)
    client_of.execute(client, 'channelcoder.thread.reopen', { threadId = id })
  end
  local id = vim.b.channelcoder_thread or (vim.bo.buftype == 'quickfix' and of_list())
  if id then
    return reopen(id)
  end
  client_of.execute(client, 'channelcoder.thread.list', { uri = vim.uri_from_bufnr(0) }, function(rows)
    ---@cast rows channelcoder.ThreadRows
    local resolved = vim.tbl_filter(function(thread)
      return thread.status == 'resolved'
    end, rows.threads)
    if #resolved == 0 then
      return text.say('no resolved thread in this file.')
    end
    choose(resolved, reopen)
  end)
end

--- Do something to the newest edit that waits in a thread.
---@param name string a function of the module `proposal`
---@return fun(client: vim.lsp.Client, thread_id: string)
local function to_proposal(name)
  return function(client, thread_id)
    client_of.execute(client, 'channelcoder.thread.read', { threadId = thread_id }, function(thread)
      ---@cast thread channelcoder.ThreadContent
      local id = thread.proposalIds[#thread.proposalIds]
      if not id then
        return text.say('no edit waits in this thread.')
      end
      require('channelcoder.proposal')[name](client, { proposalId = id })
    end)
  end
end

M.look = to_proposal('look')
M.apply = to_proposal('apply')

---@param thread channelcoder.ThreadRow
---@return vim.quickfix.entry
local function item(thread)
  local gone = thread.state == 'orphaned'
  local first, last = marks.lines(thread.range)
  local status = gone and 'the code is gone: ' or thread.status == 'resolved' and 'resolved: ' or ''
  local severities = { error = 'E', warning = 'W', information = 'I', hint = 'N' }
  return {
    filename = vim.uri_to_fname(thread.uri),
    lnum = gone and 0 or first + 1,
    end_lnum = gone and 0 or last + 1,
    type = severities[thread.severity],
    text = status .. marks.label(thread),
    user_data = { channelcoder = thread.threadId },
  }
end

--- Put the project's threads into the quickfix list, or those of this buffer into the location list.
---@param client vim.lsp.Client
---@param only_here boolean
function M.list(client, only_here)
  local which = only_here and { uri = vim.uri_from_bufnr(0) } or { folder = client.root_dir }
  client_of.execute(client, 'channelcoder.thread.list', which, function(rows)
    ---@cast rows channelcoder.ThreadRows
    if #rows.threads == 0 then
      return text.say('no threads yet; select code and :ChannelCoder ask.')
    end
    -- Open ones first, then those whose code is gone, then the resolved.
    local ranked = { {}, {}, {} }
    for _, thread in ipairs(rows.threads) do
      local rank = thread.status == 'resolved' and 3 or thread.state == 'orphaned' and 2 or 1
      table.insert(ranked[rank], item(thread))
    end
    local what = { title = 'Claude: threads', items = vim.iter(ranked):flatten():totable() }
    if only_here then
      vim.fn.setloclist(0, {}, ' ', what)
      vim.cmd.lopen()
    else
      vim.fn.setqflist({}, ' ', what)
      vim.cmd('botright copen')
    end
  end)
end

return M
