--- Answers in windows, as they come, and documents that the server makes.
local client_of = require('channelcoder.client')
local text = require('channelcoder.text')
local turns = require('channelcoder.turns')

local M = {}

--- What to say of a turn besides its answer.
---@param turn channelcoder.TurnContent
---@return string
local function remarks(turn)
  local parts = { turn.error and text.line(turn.error) }
  for _, note in ipairs(turn.notes) do
    table.insert(parts, ('*%s*'):format(text.line(note)))
  end
  local facts = {}
  if turn.model then
    table.insert(facts, turn.model)
  end
  if turn.costUsd > 0 then
    table.insert(facts, text.usd(turn.costUsd))
  end
  if #facts > 0 then
    table.insert(parts, ('*%s*'):format(text.line(table.concat(facts, ' · '))))
  end
  return table.concat(parts, '\n\n')
end

--- Finish a window with what the thread says of the turn: what went wrong, notes, cost, an edit to look at.
---@param client vim.lsp.Client
---@param window channelcoder.Window
---@param asked channelcoder.Asked
local function finish(client, window, asked)
  client_of.execute(client, 'channelcoder.thread.read', { threadId = asked.threadId }, function(thread)
    ---@cast thread channelcoder.ThreadContent
    if not window:open() then
      return
    end
    for _, turn in ipairs(thread.turns) do
      local remark = turn.turnId == asked.turnId and remarks(turn) or ''
      if remark ~= '' then
        window:remark(remark)
      end
    end
    local proposal = thread.proposalIds[#thread.proposalIds]
    if proposal then
      window:remark('**An edit is proposed:** `a` looks at it.')
      vim.keymap.set('n', 'a', function()
        window:close()
        require('channelcoder.proposal').look(client, { proposalId = proposal })
      end, { buffer = window.buffer, nowait = true, desc = 'look at the edit' })
    end
  end, function() end) -- the thread was removed meanwhile
end

---@param client vim.lsp.Client
---@param asked channelcoder.Asked
---@return channelcoder.Key[]
local function keys(client, asked)
  return {
    {
      key = 'r',
      does = 'reply',
      run = function()
        require('channelcoder.ask').go_on(client, asked)
      end,
    },
    {
      key = 'x',
      does = 'cancel',
      run = function()
        if turns.under_way(asked.turnId) then
          client_of.execute(client, 'channelcoder.cancel', { turnId = asked.turnId })
        end
      end,
    },
  }
end

--- Show the answer of a turn while it streams.
---@param client vim.lsp.Client
---@param question string
---@param asked channelcoder.Asked
function M.stream(client, question, asked)
  local head = ('> %s\n\n'):format(text.line(question))
  local window = require('channelcoder.window').open('Claude: waiting', client.id, keys(client, asked))
  vim.b[window.buffer].channelcoder_thread = asked.threadId
  vim.b[window.buffer].channelcoder_turn = asked.turnId
  vim.b[window.buffer].channelcoder_question = question
  window:set(head .. '*waiting…*')
  local begun = false
  turns.listen(asked.turnId, function(heard, turn)
    if turn.text and begun and not turn.replace then
      window:append(turn.text)
    elseif turn.text then
      window:set(head .. heard.text)
      begun = true
    elseif turn.state == 'done' or turn.state == 'cancelled' or turn.state == 'failed' then
      if not begun then
        window:set(head:sub(1, -3))
      end
      window:name('Claude: ' .. (turn.state == 'done' and 'answered' or turn.state))
      if turn.state ~= 'done' then
        window:remark(vim.trim(('**%s** %s'):format(turn.state, text.line(turn.message or ''))))
        window:remark('`:ChannelCoder retry` asks it again.')
      end
      if asked.threadId and not client:is_stopped() then
        finish(client, window, asked)
      end
      return
    elseif not begun then
      window:set(('%s*%s…*'):format(head, text.line(turn.message or heard.state)))
    end
    window:name('Claude: ' .. (begun and 'answering' or heard.state == 'queued' and 'waiting' or 'thinking'))
  end)
end

--- Show a document that the server makes.
---@param client vim.lsp.Client
---@param title string
---@param command channelcoder.Command
---@param argument table
---@param more? channelcoder.Key[]
---@param at? string what to go to in it
function M.document(client, title, command, argument, more, at)
  client_of.execute(client, command, argument, function(shown)
    ---@cast shown channelcoder.Shown
    local window = require('channelcoder.window').open(title, client.id, more)
    window:set(shown.markdown)
    if at then
      window:go_to(at)
    end
  end)
end

return M
