--- Sessions: list, switch, begin, show; what is asked with which model, and how a folder is trusted.
local client_of = require('channelcoder.client')
local text = require('channelcoder.text')

local M = {}

---@param session channelcoder.SessionRow
---@return string
local function row(session)
  local question = session.firstQuestion
  local parts = {
    (session.active and '● ' or '  ') .. text.line(session.name, 32),
    text.age(session.lastActive),
    text.count(session.messageCount, 'message'),
    ('$%.4f'):format(session.costUsd),
    question and text.line(question, 48) or 'no question yet',
  }
  return table.concat(parts, ' · ')
end

---@param client vim.lsp.Client
---@param prompt string
---@param picked fun(session: channelcoder.SessionRow)
local function pick(client, prompt, picked)
  client_of.execute(client, 'channelcoder.session.list', { folder = client.root_dir }, function(rows)
    ---@cast rows channelcoder.SessionRows
    if #rows.sessions == 0 then
      return text.say('no sessions yet; :ChannelCoder ask begins one.')
    end
    vim.ui.select(
      rows.sessions,
      { prompt = prompt, kind = 'channelcoder.session', format_item = row },
      function(session)
        if session then
          picked(session)
        end
      end
    )
  end)
end

---@param named channelcoder.SessionNamed
local function say_active(named)
  text.say(('the session is %s now.'):format(named.session))
end

--- The names of all sessions.
---@param client vim.lsp.Client
---@return string[]
function M.names(client)
  local rows = client_of.wait_for(client, 'channelcoder.session.list', { folder = client.root_dir })
  local names = {}
  for _, session in ipairs(rows and rows.sessions or {}) do
    table.insert(names, session.name)
  end
  return names
end

--- Show the transcript of a session; without a name that of the active one.
---@param client vim.lsp.Client
---@param name string
function M.transcript(client, name)
  local argument = { name = name ~= '' and name or nil, folder = client.root_dir }
  require('channelcoder.answer').document(client, 'Claude: session', 'channelcoder.session.show', argument, {
    {
      key = 'r',
      does = 'continue',
      run = function()
        require('channelcoder.ask').continue(client, '')
      end,
    },
  })
end

--- Pick a session, and show its transcript.
---@param client vim.lsp.Client
function M.browse(client)
  pick(client, 'Show session', function(session)
    M.transcript(client, session.name)
  end)
end

---@param client vim.lsp.Client
---@param name string
function M.new(client, name)
  local argument = { folder = client.root_dir, name = name ~= '' and name or nil }
  client_of.execute(client, 'channelcoder.session.new', argument, say_active)
end

---@param client vim.lsp.Client
---@param name string
function M.switch(client, name)
  local function switch(to)
    local argument = { name = to, folder = client.root_dir }
    client_of.execute(client, 'channelcoder.session.switch', argument, say_active)
  end
  if name ~= '' then
    return switch(name)
  end
  pick(client, 'Switch to session', function(session)
    switch(session.name)
  end)
end

--- Choose the model; `default` is the CLI's own. Without a name the one in use is said.
---@param client vim.lsp.Client
---@param model string
function M.model(client, model)
  local function say(in_use)
    local name = in_use.model
    text.say(('the next question goes to %s.'):format(name or 'the default model'))
  end
  if model == '' then
    return client_of.execute(client, 'channelcoder.status', { folder = client.root_dir }, say)
  end
  local argument = { folder = client.root_dir, model = model ~= 'default' and model or nil }
  client_of.execute(client, 'channelcoder.model', argument, say)
end

--- Trust the folder's Claude settings, or no more.
---@param client vim.lsp.Client
---@param trusted boolean
function M.trust(client, trusted)
  local argument = { folder = client.root_dir, trusted = trusted }
  client_of.execute(client, 'channelcoder.trust', argument, function(result)
    ---@cast result channelcoder.Trusted
    text.say(('%s is %s.'):format(result.folder, result.trusted and 'trusted' or 'not trusted'))
  end)
end

---@param client vim.lsp.Client
function M.cancel(client)
  client_of.execute(client, 'channelcoder.cancel', nil, function(result)
    ---@cast result channelcoder.Cancelled
    local count = #result.turnIds
    text.say(count == 0 and 'nothing is being asked.' or text.count(count, 'question') .. ' cancelled.')
  end)
end

return M
