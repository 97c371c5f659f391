--- `:ChannelCoder` and its subcommands.
local M = {}

---@class channelcoder.Given what the command line has, as nvim_create_user_command() tells it
---@field fargs string[]
---@field range integer
---@field line1 integer
---@field line2 integer
---@field count integer
---@field bang boolean

---@class channelcoder.Subcommand
---@field run fun(client: vim.lsp.Client, rest: string, given: channelcoder.Given)
---@field alone? boolean whether it works without the server
---@field complete? fun(client: vim.lsp.Client?): string[]

--- A function of a module that is loaded when it is called.
---@param module string
---@param name string
---@return fun(client: vim.lsp.Client, rest: string, given: channelcoder.Given)
local function of(module, name)
  return function(...)
    require('channelcoder.' .. module)[name](...)
  end
end

--- Something to do to the thread that is meant.
---@param name string a function of the module `threads`
---@return fun(client: vim.lsp.Client, rest: string, given: channelcoder.Given)
local function to_thread(name)
  return function(client, rest, given)
    local threads = require('channelcoder.threads')
    threads.with(client, function(thread_id)
      threads[name](client, thread_id, rest, given.bang)
    end)
  end
end

---@param words string[]
---@return fun(): string[]
local function among(words)
  return function()
    return words
  end
end

---@param direction 1|-1
local function go(direction)
  return function(_, rest)
    require('channelcoder.marks').go(direction, tonumber(rest) or 1)
  end
end

---@param client vim.lsp.Client?
---@return string[]
local function session_names(client)
  return client and require('channelcoder.sessions').names(client) or {}
end

---@param client vim.lsp.Client?
---@return string[]
local function prompt_names(client)
  return client and require('channelcoder.ask').prompt_names(client) or {}
end

local function scopes()
  return require('channelcoder.review').SCOPES
end

---@type table<string, channelcoder.Subcommand>
M.subcommands = {
  ask = { run = of('ask', 'ask') },
  continue = { run = of('ask', 'continue') },
  prompts = { run = of('ask', 'prompt'), complete = prompt_names },
  review = { run = of('review', 'run'), complete = scopes },
  cancel = { run = of('sessions', 'cancel') },

  threads = {
    run = function(client, _, given)
      require('channelcoder.threads').list(client, given.bang)
    end,
  },
  next = { run = go(1) },
  prev = { run = go(-1) },
  show = { run = to_thread('show') },
  reply = { run = to_thread('reply') },
  apply = {
    run = function(client, _, given)
      to_thread(given.bang and 'apply' or 'look')(client, '', given)
    end,
  },
  resolve = {
    run = function(client, rest, given)
      if given.bang then
        return require('channelcoder.threads').reopen(client)
      end
      to_thread('resolve')(client, rest, given)
    end,
  },

  new = { run = of('sessions', 'new') },
  sessions = { run = of('sessions', 'browse') },
  switch = { run = of('sessions', 'switch'), complete = session_names },
  transcript = { run = of('sessions', 'transcript'), complete = session_names },
  model = { run = of('sessions', 'model'), complete = among({ 'default', 'haiku', 'opus', 'sonnet' }) },
  trust = {
    run = function(client, _, given)
      require('channelcoder.sessions').trust(client, not given.bang)
    end,
  },

  doctor = {
    alone = true,
    run = function()
      vim.cmd.checkhealth('channelcoder')
    end,
  },
  install = { alone = true, run = of('install', 'run') },
  restart = { alone = true, run = of('lsp', 'restart') },
  log = {
    alone = true,
    run = function()
      vim.cmd.split(vim.fn.fnameescape(vim.lsp.log.get_filename()))
    end,
  },
}

---@param given channelcoder.Given
function M.run(given)
  local name = given.fargs[1] or 'ask'
  local subcommand = M.subcommands[name]
  if not subcommand then
    local sentence = ('there is no :ChannelCoder %s; see :help :ChannelCoder.'):format(name)
    return require('channelcoder.text').say(sentence, vim.log.levels.ERROR)
  end
  local client
  if not subcommand.alone then
    client = require('channelcoder.client').here()
    if not client then
      return
    end
  end
  subcommand.run(client, table.concat(given.fargs, ' ', 2), given)
end

---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local words
  local name, rest = line:match('ChannelCoder!?%s+(%S+)%s+(.*)$')
  if not name then
    words = vim.tbl_keys(M.subcommands)
    table.sort(words)
  elseif rest == lead and M.subcommands[name] and M.subcommands[name].complete then
    words = M.subcommands[name].complete(vim.lsp.get_clients({ bufnr = 0, name = 'channelcoder' })[1])
  end
  return vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, words or {})
end

return M
