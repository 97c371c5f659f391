--- `:ChannelCoder` and its subcommands.
local M = {}

---@class channelcoder.Given what the command line has, as nvim_create_user_command() tells it
---@field args string
---@field range integer
---@field line1 integer
---@field line2 integer
---@field count integer
---@field bang boolean

---@class channelcoder.Subcommand
---@field run fun(client: vim.lsp.Client, rest: string, given: channelcoder.Given)
---@field alone? boolean whether it works without the server
---@field complete? fun(client: vim.lsp.Client?, lead: string): string[]

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
---@param module string
---@param name string
---@return fun(client: vim.lsp.Client, rest: string, given: channelcoder.Given)
local function to_thread(module, name)
  return function(client, rest, given)
    require('channelcoder.threads').with(client, function(thread_id)
      require('channelcoder.' .. module)[name](client, thread_id, rest, given.bang)
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
  return function(client, rest)
    require('channelcoder.marks').go(client, direction, tonumber(rest) or 1)
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

---@param lead string
---@return string[]
local function context(_, lead)
  return require('channelcoder.context').complete(lead)
end

--- What goes along with a question, after an `@`; before that, other names.
---@param others? fun(client: vim.lsp.Client?): string[]
---@return fun(client: vim.lsp.Client?, lead: string): string[]
local function question(others)
  return function(client, lead)
    if not vim.startswith(lead, '@') then
      return others and others(client) or {}
    end
    return vim.tbl_map(function(name)
      return '@' .. name
    end, context(nil, lead:sub(2)))
  end
end

---@type table<string, channelcoder.Subcommand>
M.subcommands = {
  ask = { run = of('ask', 'ask'), complete = question() },
  continue = { run = of('ask', 'continue'), complete = question() },
  prompts = { run = of('ask', 'prompt'), complete = question(prompt_names) },
  add = { run = of('context', 'add'), complete = context },
  review = { run = of('review', 'run'), complete = scopes },
  answer = {
    run = of('questions', 'run'),
    complete = function(client)
      return require('channelcoder.questions').choices(client)
    end,
  },
  cancel = { run = of('session', 'cancel') },
  retry = {
    run = function(client, _, given)
      require('channelcoder.threads').retry(client, given.bang)
    end,
  },

  threads = {
    run = function(client, _, given)
      require('channelcoder.threads').list(client, given.bang)
    end,
  },
  next = { run = go(1) },
  prev = { run = go(-1) },
  show = { run = to_thread('threads', 'show') },
  reply = { run = to_thread('threads', 'reply'), complete = question() },
  apply = {
    run = function(client, _, given)
      to_thread('threads', given.bang and 'apply' or 'look')(client, '', given)
    end,
  },
  insert = { run = to_thread('code', 'insert') },
  replace = { run = to_thread('code', 'replace') },
  copy = { run = to_thread('code', 'copy') },
  resolve = {
    run = function(client, rest, given)
      if given.bang then
        return require('channelcoder.threads').reopen(client)
      end
      to_thread('threads', 'resolve')(client, rest, given)
    end,
  },

  new = { run = of('session', 'new') },
  rename = { run = of('session', 'rename'), complete = session_names },
  fork = { run = of('session', 'fork') },
  clear = { run = of('session', 'clear') },
  compact = { run = of('session', 'compact') },
  limit = { run = of('session', 'limit'), complete = among({ 'none' }) },
  export = { run = of('session', 'export'), complete = among({ 'markdown', 'json', 'guide' }) },
  sessions = { run = of('sessions', 'browse') },
  switch = { run = of('sessions', 'switch'), complete = session_names },
  transcript = {
    run = function(client, name)
      require('channelcoder.sessions').transcript(client, name)
    end,
    complete = session_names,
  },
  search = { run = of('sessions', 'search') },
  remove = { run = of('sessions', 'remove'), complete = session_names },
  model = { run = of('session', 'model'), complete = among({ 'default', 'haiku', 'opus', 'sonnet' }) },
  trust = {
    run = function(client, _, given)
      require('channelcoder.session').trust(client, not given.bang)
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
  local name, rest = vim.trim(given.args):match('^(%S*)%s*(.*)$')
  name = name ~= '' and name or 'ask'
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
  subcommand.run(client, rest, given)
end

---@param lead string
---@param line string up to the cursor
---@return string[]
function M.complete(lead, line)
  local words
  local name, rest = line:match('ChannelCoder!?%s+(%S+)%s+(.*)$')
  if not name then
    words = vim.tbl_keys(M.subcommands)
    table.sort(words)
  elseif M.subcommands[name] and M.subcommands[name].complete then
    local client = require('channelcoder.client').of(vim.api.nvim_get_current_buf())
    words = M.subcommands[name].complete(client, lead)
  end
  -- Names may have blanks in them; words that complete a question stand anywhere before it.
  local before = name and not vim.startswith(lead, '@') and name ~= 'add' and rest or lead
  local completed = {}
  for _, word in ipairs(words or {}) do
    if vim.startswith(word, before) then
      table.insert(completed, word:sub(#before - #lead + 1))
    end
  end
  return completed
end

return M
