--- What can be set.
local M = {}

---@class channelcoder.Options
---@field enable? boolean whether the server starts by itself; only in `vim.g.channelcoder`
---@field server? string the path of `channelcoder-lsp`; without one: on PATH, else what `:ChannelCoder install` made
---@field package? string what `:ChannelCoder install` installs: a requirement, or the path of a wheel
---@field settings? table<string, any> the server's settings: docs/settings.md
---@field root_markers? (string|string[])[] what marks the folder that a session belongs to
---@field window? channelcoder.WindowOptions
---@field threads? channelcoder.ThreadOptions
---@field code_lens? boolean whether the server's code lenses are shown and kept fresh

---@class channelcoder.WindowOptions
---@field kind? 'float'|'split'|'vsplit' where answers are shown
---@field width? number of a float: columns, or below 1 a part of the screen
---@field height? number of a float: lines, or below 1 a part of the screen
---@field border? string|string[] of a float
---@field focus? boolean whether the cursor goes there

---@class channelcoder.ThreadOptions
---@field virtual_text? boolean whether a thread's question stands behind its first line
---@field signs? boolean whether a thread's first line has a sign
---@field sign? string the sign, at most two cells wide

---@type channelcoder.Options
local DEFAULTS = {
  enable = true,
  package = 'channelcoder-lsp',
  settings = {},
  root_markers = { '.git' },
  window = { kind = 'float', width = 0.7, height = 0.6, border = 'rounded', focus = true },
  threads = { virtual_text = true, signs = true, sign = '◆' },
  code_lens = false,
}
local TYPES = {
  enable = 'boolean',
  server = 'string',
  package = 'string',
  settings = 'table',
  root_markers = 'table',
  window = 'table',
  threads = 'table',
  code_lens = 'boolean',
}
local KINDS = { float = true, split = true, vsplit = true }

---@type channelcoder.Options
local given = {}

--- What is wrong with options, one sentence each.
---@param options channelcoder.Options
---@return string[]
function M.problems(options)
  local problems = {}
  for key, value in vim.spairs(options) do
    if not TYPES[key] then
      table.insert(problems, ("there is no option '%s'; see :help channelcoder-options"):format(key))
    elseif type(value) ~= TYPES[key] then
      table.insert(problems, ("the option '%s' is to be a %s, not a %s"):format(key, TYPES[key], type(value)))
    elseif
      type(value) == 'table'
      and type(DEFAULTS[key]) == 'table'
      and key ~= 'settings'
      and not vim.islist(value)
    then
      for inner in vim.spairs(value) do
        if DEFAULTS[key][inner] == nil then
          table.insert(problems, ("there is no option '%s.%s'; see :help channelcoder-options"):format(key, inner))
        end
      end
    end
  end
  local kind = type(options.window) == 'table' and options.window.kind
  if kind and not KINDS[kind] then
    table.insert(problems, ("the option 'window.kind' is to be float, split or vsplit, not '%s'"):format(kind))
  end
  return problems
end

--- What is in force: what `setup()` was given, over `vim.g.channelcoder`, over the defaults.
---@return channelcoder.Options
function M.get()
  return vim.tbl_deep_extend('force', DEFAULTS, vim.g.channelcoder or {}, given)
end

--- Take what `setup()` was given. What is wrong is said, and nothing of it is taken.
---@param options channelcoder.Options
function M.set(options)
  local problems = M.problems(options)
  for _, problem in ipairs(problems) do
    vim.notify('channelcoder: ' .. problem .. '.', vim.log.levels.ERROR)
  end
  if #problems == 0 then
    given = options
  end
end

return M
