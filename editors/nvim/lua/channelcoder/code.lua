--- The code of answers: inserted below what was asked about, put in its place, or copied.
local client_of = require('channelcoder.client')
local text = require('channelcoder.text')

local M = {}

--- The fenced code blocks of an answer, in order, as the server counts them.
---@param markdown string
---@return string[]
function M.blocks(markdown)
  local blocks, fence, lines = {}, nil, {}
  local function close()
    table.insert(blocks, table.concat(lines, '\n'))
    fence, lines = nil, {}
  end
  for _, line in ipairs(vim.split(markdown, '\n', { plain = true })) do
    local indent, marks, rest = line:match('^([%s>]*)([`~]+)(.*)$')
    local is_fence = marks and #marks >= 3 and (marks:match('^`+$') or marks:match('^~+$'))
    if fence and is_fence and vim.startswith(marks, fence.marks) and rest:match('^%s*$') then
      close()
    elseif fence then
      local before = line:sub(1, fence.indent):match('^[%s>]*')
      table.insert(lines, line:sub(#before + 1))
    elseif is_fence and not (marks:match('`') and rest:match('`')) then
      fence = { indent = #indent, marks = marks }
    end
  end
  if fence then
    close() -- an answer that ended within it
  end
  return blocks
end

--- Choose a code block of the newest answer of a thread that has one.
---@param client vim.lsp.Client
---@param thread_id string
---@param number string counted from 1; empty to be asked, where there are several
---@param use fun(turn_id: string, block: integer, code: string) the block counted from 0
local function choose(client, thread_id, number, use)
  client_of.execute(client, 'channelcoder.thread.read', { threadId = thread_id }, function(thread)
    ---@cast thread channelcoder.ThreadContent
    local turn, blocks = nil, {}
    for index = #thread.turns, 1, -1 do
      turn = thread.turns[index]
      blocks = M.blocks(turn.answer)
      if #blocks > 0 then
        break
      end
    end
    local function take(index)
      if not blocks[index] then
        return text.say(('the answer has %s.'):format(text.count(#blocks, 'code block')), vim.log.levels.WARN)
      end
      use(turn.turnId, index - 1, blocks[index])
    end
    if #blocks < 2 or number ~= '' then
      return take(number == '' and 1 or tonumber(number))
    end
    vim.ui.select(blocks, { prompt = 'Code', kind = 'channelcoder.code', format_item = text.line }, function(_, index)
      if index then
        take(index)
      end
    end)
  end)
end

--- Something that the server does with a code block.
---@param command channelcoder.Command
---@return fun(client: vim.lsp.Client, thread_id: string, number: string)
local function to_block(command)
  return function(client, thread_id, number)
    choose(client, thread_id, number, function(turn_id, block)
      client_of.execute(client, command, { turnId = turn_id, block = block }, function(result)
        ---@cast result channelcoder.Applied
        text.say(result.reason or (result.applied and 'done; u takes it back.' or 'the code was not taken.'))
      end)
    end)
  end
end

M.insert = to_block('channelcoder.answer.insert')
M.replace = to_block('channelcoder.answer.replace')

--- Copy a code block, as `y` would copy its lines.
---@param client vim.lsp.Client
---@param thread_id string
---@param number string
function M.copy(client, thread_id, number)
  local register = vim.v.register
  choose(client, thread_id, number, function(_, _, code)
    vim.fn.setreg(register, code, 'l')
    text.say(('%s copied.'):format(text.count(#vim.split(code, '\n', { plain = true }), 'line')))
  end)
end

return M
