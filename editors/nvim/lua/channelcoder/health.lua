--- `:checkhealth channelcoder`
local server = require('channelcoder.server')

local M = {}

local WAIT_MS = 10000
local DOCTOR_WAIT_MS = 30000

---@class channelcoder.Finding what `channelcoder doctor --json` says of one thing
---@field what string
---@field state 'ok'|'note'|'broken'
---@field detail string
---@field fix string

--- The settings as the command takes them: from the environment.
---@return table<string, string>
local function environment()
  local found = {}
  for name, value in pairs(require('channelcoder.config').get().settings) do
    if type(value) == 'boolean' then
      value = value and '1' or '0'
    end
    if type(value) ~= 'table' then
      found['CHANNELCODER_' .. name:gsub('%u', '_%0'):upper()] = tostring(value)
    end
  end
  return found
end

--- Claude's command line, the login, the folders that are written: what `channelcoder doctor` finds.
---@param path string the server; the command is beside it
local function check_machine(path)
  local health = vim.health
  local program = path:gsub('channelcoder%-lsp(%.?%w*)$', 'channelcoder%1')
  if program == path or vim.fn.executable(program) ~= 1 then
    return health.info('`channelcoder doctor` is not beside the server: the login and the folders are not looked at')
  end
  local done = vim.system({ program, 'doctor', '--json' }, { text = true, env = environment() }):wait(DOCTOR_WAIT_MS)
  local read, findings = pcall(vim.json.decode, done.stdout or '')
  if not read then
    return health.warn(('%s doctor does not say what it finds: %s'):format(program, vim.trim(done.stderr or '')))
  end
  ---@cast findings channelcoder.Finding[]
  for _, finding in ipairs(findings) do
    local said = finding.what .. ': ' .. finding.detail
    if finding.state == 'broken' then
      health.error(said, { finding.fix })
    elseif finding.state == 'note' then
      health.info(said .. ' ' .. finding.fix)
    else
      health.ok(said)
    end
  end
end

---@param client vim.lsp.Client
local function check_client(client)
  local health = vim.health
  health.ok(('a server runs for %s'):format(client.root_dir or 'files outside of projects'))
  local wait_for, argument = require('channelcoder.client').wait_for, { folder = client.root_dir }
  local status = wait_for(client, 'channelcoder.status', argument, WAIT_MS)
  if not status then
    return health.warn('it does not say how it stands with the folder', { 'see :ChannelCoder log' })
  end
  ---@cast status channelcoder.Status
  local facts = table.concat(require('channelcoder.status').facts(status), ', ')
  health.info(('session: %s, %d messages, %s'):format(status.session or 'none yet', status.messages, facts))
  local away = require('channelcoder.status').away(status)
  if away then
    health.warn('the place where sessions are kept is away: ' .. away, {
      'nothing is lost: what is said waits on this machine, and is delivered once it is back',
    })
  end
  health.info(
    'model: ' .. (status.offline and 'the offline model; no Claude is asked' or status.model or 'the default')
  )
  health.info(
    status.trusted and 'the folder is trusted' or 'the folder is not trusted: nothing of its Claude settings is used'
  )
end

function M.check()
  local health = vim.health
  health.start('channelcoder')
  if vim.fn.has('nvim-0.11') == 1 then
    health.ok('Neovim ' .. tostring(vim.version()))
  else
    health.error('Neovim 0.11 or newer is needed')
  end
  for _, problem in ipairs(require('channelcoder.config').problems(vim.g.channelcoder or {})) do
    health.error('vim.g.channelcoder: ' .. problem)
  end
  local found = server.find()
  for _, path in ipairs(found.passed_over) do
    health.warn(('%s is in the opened folder and is not run'):format(path))
  end
  if not found.path then
    return health.error(server.missing(found), { 'run :ChannelCoder install', 'or install channelcoder-lsp on PATH' })
  end
  local version = vim.system({ found.path, '--version' }, { text = true }):wait(WAIT_MS)
  if version.code ~= 0 then
    return health.error(('%s does not run: %s'):format(found.path, vim.trim(version.stderr or '')))
  end
  health.ok(('%s: %s'):format(found.path, vim.trim(version.stdout)))
  check_machine(found.path)
  local clients = vim.lsp.get_clients({ name = 'channelcoder' })
  if #clients == 0 then
    health.info('no server runs yet: one starts with the first file that is opened')
  end
  for _, client in ipairs(clients) do
    check_client(client)
  end
end

return M
