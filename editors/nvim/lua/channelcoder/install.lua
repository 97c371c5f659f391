--- `:ChannelCoder install`: the server in an environment of its own, in Neovim's data folder.
local server = require('channelcoder.server')
local text = require('channelcoder.text')

local M = {}

local NEEDS = 'import sys; sys.exit(sys.version_info < (3, 10))'

--- Run commands one after the other, each isolated from the folder that is open.
---@param commands string[][]
---@param done fun(problem?: string)
local function run(commands, done)
  local command, rest = commands[1], vim.list_slice(commands, 2)
  if not command then
    return done()
  end
  local options = {
    text = true,
    cwd = vim.fn.stdpath('data') --[[@as string]],
  }
  local ok, problem = pcall(
    vim.system,
    command,
    options,
    vim.schedule_wrap(function(result)
      if result.code == 0 then
        return run(rest, done)
      end
      local said = vim.split(vim.trim(result.stderr ~= '' and result.stderr or result.stdout), '\n')
      done(('%s: %s'):format(table.concat(command, ' '), said[#said]))
    end)
  )
  if not ok then
    done(tostring(problem))
  end
end

--- Install the server, or bring it up to date, and start it.
function M.run()
  local python = server.on_path({ 'python3', 'python' }).path
  if not python then
    return text.say('Python 3.10 or newer is needed, and there is no python3 on PATH.', vim.log.levels.ERROR)
  end
  vim.fn.mkdir(vim.fn.stdpath('data') --[[@as string]], 'p')
  local package = require('channelcoder.config').get().package
  text.say('installing the server…')
  -- `-I`: no module of the working directory, no PYTHONPATH.
  run({ { python, '-I', '-c', NEEDS } }, function(too_old)
    if too_old then
      return text.say(('Python 3.10 or newer is needed, and %s is older.'):format(python), vim.log.levels.ERROR)
    end
    run({
      { python, '-I', '-m', 'venv', server.environment() },
      { server.in_environment('python'), '-I', '-m', 'pip', 'install', '--upgrade', package },
    }, function(problem)
      if problem then
        return text.say('the server could not be installed: ' .. problem, vim.log.levels.ERROR)
      end
      text.say('the server is installed.')
      require('channelcoder.lsp').restart()
    end)
  end)
end

return M
