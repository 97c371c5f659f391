--- The language client: its configuration, and what happens when its server ends.
local M = {}

local LOOK_MS, LOOKS = 50, 60

--- Make something of a message, in a place that isn't loaded before there is one.
---@param module string
---@param name string
---@return lsp.Handler
local function handed_to(module, name)
  return function(_, params, context)
    return require('channelcoder.' .. module)[name](params, context.client_id)
  end
end

--- Start the server; when it ends on its own, say so once.
---@param dispatchers vim.lsp.rpc.Dispatchers
---@param config vim.lsp.ClientConfig
---@return vim.lsp.rpc.PublicClient
local function start(dispatchers, config)
  local server = require('channelcoder.server')
  local found = server.find(config.root_dir)
  if not found.path then
    error('channelcoder: ' .. server.missing(found), 0)
  end
  local heard = vim.tbl_extend('force', {}, dispatchers)
  function heard.on_exit(code, signal)
    -- Neovim would say it too, without a word on what to do.
    if code ~= 0 or (signal ~= 0 and signal ~= 15) then
      vim.schedule(function()
        M.ended(code, signal)
      end)
    end
    dispatchers.on_exit(0, 0)
  end
  return vim.lsp.rpc.start({ found.path }, heard)
end

--- Say that a server ended on its own.
---@param code integer
---@param signal integer
function M.ended(code, signal)
  local how = signal ~= 0 and ('signal %d'):format(signal) or ('exit code %d'):format(code)
  require('channelcoder.text').say(
    ('the server ended (%s); :ChannelCoder restart starts it again, :ChannelCoder log has what it said.'):format(how),
    vim.log.levels.ERROR
  )
end

--- What `vim.lsp.enable('channelcoder')` starts.
---@return vim.lsp.Config
function M.config()
  local options = require('channelcoder.config').get()
  return {
    cmd = start,
    -- A folder is found only when there is a server for it: what is missing is said once, and not for each buffer.
    root_dir = function(buffer, found)
      local root = vim.fs.root(buffer, options.root_markers --[[@as string[] ]])
      local server = require('channelcoder.server')
      local program = server.find(root)
      if program.path then
        found(root)
      else
        vim.notify_once('channelcoder: ' .. server.missing(program), vim.log.levels.WARN)
      end
    end,
    capabilities = {
      experimental = { channelcoder = { input = true, turns = true, changes = true } },
      -- Documents that the server makes are shown here, in the plugin's own windows.
      window = { showDocument = { support = false } },
      -- What Neovim can do, though it does not say so.
      workspace = { workspaceEdit = { documentChanges = true } },
    },
    settings = { channelcoder = options.settings },
    handlers = {
      ['channelcoder/turn'] = handed_to('turns', 'heard'),
      ['window/showMessageRequest'] = handed_to('questions', 'asked'),
      ['$/cancelRequest'] = handed_to('questions', 'withdrawn'),
      ['channelcoder/changed'] = function(_, params, context)
        require('channelcoder.marks').changed(params, context.client_id)
        require('channelcoder.status').changed(params, context.client_id)
      end,
    },
    on_attach = function(client, buffer)
      require('channelcoder.marks').attach(client, buffer)
    end,
    on_exit = vim.schedule_wrap(function(_, _, client_id)
      require('channelcoder.turns').forget(client_id)
      require('channelcoder.status').forget(client_id)
      require('channelcoder.questions').forget(client_id)
    end),
    -- One server for each project; a file outside of all goes to one that runs.
    reuse_client = function(client, config)
      local same = not config.root_dir or client.root_dir == config.root_dir
      return client.name == config.name and same and not client:is_stopped()
    end,
  }
end

--- End the servers that run, and start one for each project that is open.
function M.restart()
  local clients = vim.lsp.get_clients({ name = 'channelcoder', _uninitialized = true })
  for _, client in ipairs(clients) do
    client:stop()
  end
  local looks = 0
  local function look()
    looks = looks + 1
    local left = vim.tbl_filter(function(client)
      return vim.lsp.get_client_by_id(client.id) ~= nil
    end, clients)
    if #left == 0 then
      return vim.lsp.enable('channelcoder')
    elseif looks == LOOKS then -- it was asked kindly
      for _, client in ipairs(left) do
        client:stop(true)
      end
    end
    vim.defer_fn(look, LOOK_MS)
  end
  look()
end

return M
