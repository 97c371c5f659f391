--- ChannelCoder: ask Claude about code, in a session of the project folder.
---
--- Nothing has to be set up: with the plugin on the runtime path `:ChannelCoder` works.
local M = {}

--- Change what |channelcoder-options| lists. Servers that run keep what they were started with.
---@param options? channelcoder.Options
function M.setup(options)
  require('channelcoder.config').set(options or {})
  vim.lsp.config('channelcoder', require('channelcoder.lsp').config())
end

--- For a statusline: `%{v:lua.require'channelcoder'.statusline()}`. Empty until something was asked.
---@return string
function M.statusline()
  return require('channelcoder.status').statusline()
end

return M
