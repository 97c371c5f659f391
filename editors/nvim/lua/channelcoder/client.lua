--- The client of a buffer's project, and commands sent to it.
local text = require('channelcoder.text')

local M = {}

local NAME = 'channelcoder'
local START_MS = 10000
local COMPLETION_MS = 1000

--- The client that runs and is the likeliest for a buffer that no server looks after.
---@param buffer integer
---@return vim.lsp.Client?
local function likely(buffer)
  local shown_by = vim.b[buffer].channelcoder_client
  if shown_by then
    return vim.lsp.get_client_by_id(shown_by)
  end
  local where = vim.bo[buffer].buftype == '' and vim.api.nvim_buf_get_name(buffer) or ''
  where = where ~= '' and where or vim.uv.cwd() or ''
  local clients = vim.lsp.get_clients({ name = NAME })
  for _, client in ipairs(clients) do
    if client.root_dir and vim.fs.relpath(client.root_dir, where) then
      return client
    end
  end
  return clients[1]
end

--- The client that is meant in a buffer, if there is one.
---@param buffer integer
---@return vim.lsp.Client?
function M.of(buffer)
  return vim.lsp.get_clients({ bufnr = buffer, name = NAME })[1] or likely(buffer)
end

--- The client for the current buffer. Where there is none, that is said, with what to do.
---@return vim.lsp.Client?
function M.here()
  local buffer = vim.api.nvim_get_current_buf()
  local starting = vim.lsp.get_clients({ bufnr = buffer, name = NAME, _uninitialized = true })[1]
  if starting then
    vim.wait(START_MS, function()
      return starting.initialized or starting:is_stopped()
    end, 10)
  end
  local client = vim.lsp.get_clients({ bufnr = buffer, name = NAME })[1]
  if client then
    return client
  end
  client = likely(buffer)
  if client then
    -- A file whose type Neovim doesn't know is looked after by nobody yet.
    if vim.bo[buffer].buftype == '' and vim.api.nvim_buf_get_name(buffer) ~= '' then
      vim.lsp.buf_attach_client(buffer, client.id)
    end
    return client
  end
  local server = require('channelcoder.server')
  local found = server.find()
  if found.path then
    text.say('the server does not run; open a file of the project, or :ChannelCoder restart.', vim.log.levels.WARN)
  else
    text.say(server.missing(found), vim.log.levels.ERROR)
  end
end

--- One argument, an object also when there is nothing in it: an empty table would be an array in JSON.
---@param command channelcoder.Command
---@param argument? table
---@return lsp.ExecuteCommandParams
local function call(command, argument)
  return { command = command, arguments = { next(argument or {}) and argument or vim.empty_dict() } }
end

--- Run one of the server's commands. A refusal is shown, and `done` is not called then.
---@generic T
---@param client vim.lsp.Client
---@param command channelcoder.Command
---@param argument? table
---@param done? fun(result: T)
---@param failed? fun(message: string) instead of showing a refusal
---@param buffer? integer the one that it is about, whose text the server is told first; the current one
function M.execute(client, command, argument, done, failed, buffer)
  local params = call(command, argument)
  client:request('workspace/executeCommand', params, function(problem, result)
    if problem then
      local refused = failed or function(message)
        text.say(message, vim.log.levels.ERROR)
      end
      refused(problem.message)
    elseif done then
      done(result)
    end
  end, buffer)
end

--- What one of the server's commands returns, waited for; nil when it does not come soon.
---@param client vim.lsp.Client
---@param command channelcoder.Command
---@param argument? table
---@param milliseconds? integer
---@return any?
function M.wait_for(client, command, argument, milliseconds)
  local params = call(command, argument)
  local answer = client:request_sync('workspace/executeCommand', params, milliseconds or COMPLETION_MS)
  return answer and answer.result
end

--- The range of lines, or of the selection that they came from.
---@param client vim.lsp.Client
---@param given channelcoder.Given
---@return channelcoder.ClientRange
function M.range(client, given)
  local encoding = client.offset_encoding
  local first, last = vim.fn.getpos("'<")[2], vim.fn.getpos("'>")[2]
  if given.range > 0 and first == given.line1 and last == given.line2 and vim.fn.visualmode() == 'v' then
    return vim.lsp.util.make_given_range_params(nil, nil, 0, encoding).range
  end
  local line = vim.api.nvim_buf_get_lines(0, given.line2 - 1, given.line2, false)[1] or ''
  return {
    start = { line = given.line1 - 1, character = 0 },
    ['end'] = { line = given.line2 - 1, character = vim.str_utfindex(line, encoding) },
  }
end

return M
