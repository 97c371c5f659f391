--- Where the server is. Never a program that an opened folder holds.
local M = {}

local NAME = 'channelcoder-lsp'
local WINDOWS = vim.fn.has('win32') == 1

--- Where `:ChannelCoder install` makes an environment of our own.
---@return string folder
function M.environment()
  return vim.fs.joinpath(vim.fn.stdpath('data'), 'channelcoder')
end

--- A program of that environment.
---@param name string
---@return string path
function M.in_environment(name)
  return vim.fs.joinpath(M.environment(), WINDOWS and 'Scripts' or 'bin', WINDOWS and name .. '.exe' or name)
end

--- The folders that are open: the working directory, and the projects of the buffers.
---@param root? string another one
---@return string[]
local function opened(root)
  local folders = {}
  local function add(folder)
    if folder and not vim.list_contains(folders, folder) then
      table.insert(folders, folder)
    end
  end
  add(root)
  add(vim.uv.cwd())
  local markers = require('channelcoder.config').get().root_markers --[[@as string[] ]]
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.bo[buffer].buftype == '' then
      add(vim.fs.root(buffer, markers))
    end
  end
  return folders
end

--- Whether a path is in one of the folders, also when a link leads there. The home folder is nobody's project.
---@param path string
---@param folders string[]
---@return boolean
local function within(path, folders)
  local home = vim.uv.fs_realpath(vim.uv.os_homedir() or '/')
  for _, folder in ipairs(folders) do
    local real = vim.uv.fs_realpath(folder)
    if real and real ~= home and real ~= '/' then
      for _, candidate in ipairs({ vim.fs.normalize(path), vim.uv.fs_realpath(path) }) do
        if vim.fs.relpath(real, candidate) or vim.fs.relpath(folder, candidate) then
          return true
        end
      end
    end
  end
  return false
end

---@class channelcoder.Found
---@field path? string
---@field passed_over string[] programs of an opened folder, which are not run

--- A program on PATH, from where no opened folder can put one.
---@param names string[]
---@param root? string
---@return channelcoder.Found
function M.on_path(names, root)
  local passed_over, folders = {}, opened(root)
  for _, folder in ipairs(vim.split(vim.env.PATH or '', WINDOWS and ';' or ':', { plain = true })) do
    for _, name in ipairs(names) do
      local path = vim.fs.joinpath(folder, WINDOWS and name .. '.exe' or name)
      if folder ~= '' and vim.fn.executable(path) == 1 then
        if vim.fn.isabsolutepath(folder) == 1 and not within(path, folders) then
          return { path = path, passed_over = passed_over }
        end
        table.insert(passed_over, path)
      end
    end
  end
  return { passed_over = passed_over }
end

--- The server: what the option names, else the one on PATH, else the one in the environment of our own.
---@param root? string the project it is for
---@return channelcoder.Found
function M.find(root)
  local set = require('channelcoder.config').get().server
  if set then
    local path = vim.fs.normalize(set)
    local usable = vim.fn.isabsolutepath(path) == 1 and vim.fn.executable(path) == 1
    return { path = usable and path or nil, passed_over = {} }
  end
  local found = M.on_path({ NAME }, root)
  local own = M.in_environment(NAME)
  if not found.path and vim.fn.executable(own) == 1 then
    found.path = own
  end
  return found
end

--- What to do when the server isn't there, in one sentence.
---@param found channelcoder.Found
---@return string
function M.missing(found)
  local set = require('channelcoder.config').get().server
  if set then
    return ("the option 'server' is to be the absolute path of a program, and '%s' is none."):format(set)
  elseif found.passed_over[1] then
    return ('%s is in the opened folder and is not run; :ChannelCoder install makes one outside.'):format(
      found.passed_over[1]
    )
  end
  return 'channelcoder-lsp is not on PATH; :ChannelCoder install installs it.'
end

return M
