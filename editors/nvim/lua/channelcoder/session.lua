--- The project's session: its name, what it may cost, what is kept of it; with which model, and how a folder is trusted.
local client_of = require('channelcoder.client')
local text = require('channelcoder.text')

local M = {}

--- Run one of the server's commands for the project, and show how it stands then.
---@param client vim.lsp.Client
---@param command channelcoder.Command
---@param argument table
---@param done fun(result: any)
local function execute(client, command, argument, done)
  argument.folder = client.root_dir
  client_of.execute(client, command, argument, function(result)
    done(result)
    require('channelcoder.status').refresh(client)
  end)
end

---@param named { session: string }
function M.say_active(named)
  text.say(('the session is %s now.'):format(named.session))
end

--- A word that was given, or else is asked for with `vim.ui.input`.
---@param options { prompt: string, default?: string }
---@param given string
---@param run fun(word: string)
function M.typed(options, given, run)
  if given ~= '' then
    return run(given)
  end
  vim.ui.input(options, function(word)
    word = vim.trim(word or '')
    if word ~= '' then
      run(word)
    end
  end)
end

--- Ask whether something is to be done that can't be undone.
---@param question string
---@param yes string
---@param run fun()
function M.confirm(question, yes, run)
  vim.ui.select({ 'Cancel', yes }, { prompt = question, kind = 'channelcoder.confirm' }, function(answer)
    if answer == yes then
      run()
    end
  end)
end

--- The name of the project's session; without one that is said.
---@param client vim.lsp.Client
---@param run fun(name: string)
local function with_active(client, run)
  client_of.execute(client, 'channelcoder.session.list', { folder = client.root_dir }, function(rows)
    ---@cast rows channelcoder.SessionRows
    for _, session in ipairs(rows.sessions) do
      if session.active then
        return run(session.name)
      end
    end
    text.say('no session yet; :ChannelCoder ask begins one.')
  end)
end

--- Begin a new session.
---@param client vim.lsp.Client
---@param name string
function M.new(client, name)
  execute(client, 'channelcoder.session.new', { name = name ~= '' and name or nil }, M.say_active)
end

--- Give the session another name.
---@param client vim.lsp.Client
---@param rest string
function M.rename(client, rest)
  with_active(client, function(old)
    M.typed({ prompt = 'Rename session: ', default = old }, rest, function(new)
      local argument = { name = old, newName = new }
      client_of.execute(client, 'channelcoder.session.rename', argument, M.say_active)
    end)
  end)
end

--- Go on in a copy of the session.
---@param client vim.lsp.Client
---@param rest string
function M.fork(client, rest)
  M.typed({ prompt = 'Name of the copy: ' }, rest, function(new)
    execute(client, 'channelcoder.session.fork', { newName = new }, M.say_active)
  end)
end

--- Drop the history and the threads of the session.
---@param client vim.lsp.Client
function M.clear(client)
  with_active(client, function(name)
    M.confirm(('Drop all questions and threads of %s?'):format(name), 'Drop', function()
      execute(client, 'channelcoder.session.clear', {}, function()
        text.say(('%s is empty now.'):format(name))
      end)
    end)
  end)
end

--- Have the session summarised: Claude goes on from the summary.
---@param client vim.lsp.Client
function M.compact(client)
  client_of.execute(client, 'channelcoder.session.compact', { folder = client.root_dir }, function(asked)
    ---@cast asked channelcoder.Asked
    text.say(('compacting %s.'):format(asked.session))
    require('channelcoder.turns').listen(asked.turnId, function(heard)
      if heard.state == 'done' then
        text.say(('%s is compacted.'):format(asked.session))
      elseif heard.state == 'failed' or heard.state == 'cancelled' then -- the server says why
        text.say(('%s was not compacted.'):format(asked.session), vim.log.levels.WARN)
      end
    end)
  end)
end

--- Say what the session may cost; `none` takes the limit away. Without an amount, say what it cost and may cost.
---@param client vim.lsp.Client
---@param rest string
function M.limit(client, rest)
  if rest == '' then
    return client_of.execute(client, 'channelcoder.status', { folder = client.root_dir }, function(status)
      text.say(('%s.'):format(table.concat(require('channelcoder.status').facts(status), ', ')))
    end)
  end
  local amount = tonumber((rest:gsub('^%$', '')))
  if not amount and rest ~= 'none' then
    return text.say('a limit is an amount of US dollars, or none.', vim.log.levels.ERROR)
  end
  execute(client, 'channelcoder.session.limit', { usd = amount or vim.NIL }, function(limit)
    ---@cast limit channelcoder.SpendingLimit
    local may = limit.usd and ('may cost %s'):format(text.usd(limit.usd)) or 'has no limit'
    text.say(('%s %s; it cost %s so far.'):format(limit.session, may, text.usd(limit.spentUsd)))
  end)
end

--- Open the session as a text, in a new buffer that can be written anywhere.
---@param client vim.lsp.Client
---@param form string `markdown`, `json` or `guide`
function M.export(client, form)
  local argument = { folder = client.root_dir, form = form ~= '' and form or nil }
  client_of.execute(client, 'channelcoder.session.export', argument, function(exported)
    ---@cast exported channelcoder.Exported
    vim.cmd.new()
    vim.bo.modeline = false
    vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(vim.trim(exported.text), '\n', { plain = true }))
    vim.bo.filetype = (form == '' or form == 'markdown') and 'markdown' or 'json'
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
  execute(client, 'channelcoder.model', { model = model ~= 'default' and model or nil }, say)
end

--- Trust the folder's Claude settings, or no more.
---@param client vim.lsp.Client
---@param trusted boolean
function M.trust(client, trusted)
  execute(client, 'channelcoder.trust', { trusted = trusted }, function(result)
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
