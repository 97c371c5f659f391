--- Text from elsewhere, as it may be shown.
local M = {}

-- C1 controls, then what turns the direction of text around or can't be seen; all as UTF-8.
local UNSEEN = { '\194[\128-\159]', '\226\128[\139-\143\168-\174]', '\226\129[\160-\175]', '\216\156', '\239\187\191' }

--- Text without characters that do something to a screen: escapes, controls, changes of direction.
---@param text string
---@return string
function M.clean(text)
  text = text:gsub('[%z\1-\8\11-\31\127]', '')
  for _, unseen in ipairs(UNSEEN) do
    text = text:gsub(unseen, '')
  end
  return text
end

--- Text in one line, cut to a number of cells.
---@param text string
---@param cells? integer
---@return string
function M.line(text, cells)
  local line = vim.trim((M.clean(text):gsub('%s+', ' ')))
  if not cells or vim.fn.strdisplaywidth(line) <= cells then
    return line
  end
  local kept = math.min(vim.fn.strchars(line), cells - 1)
  while kept > 0 and vim.fn.strdisplaywidth(vim.fn.strcharpart(line, 0, kept)) > cells - 1 do
    kept = kept - 1
  end
  return vim.trim(vim.fn.strcharpart(line, 0, kept)) .. '…'
end

---@param number integer
---@param noun string
---@return string
function M.count(number, noun)
  return ('%d %s%s'):format(number, noun, number == 1 and '' or 's')
end

--- An amount of US dollars.
---@param amount number
---@return string
function M.usd(amount)
  return ((amount < 1 and '$%.4f' or '$%.2f'):format(amount))
end

local UNITS = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'min' } }

--- How long ago a moment is.
---@param moment string as ISO 8601 in UTC
---@return string
function M.age(moment)
  local year, month, day, hour, minute, second = moment:match('^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)')
  if not year then
    return moment
  end
  local utc = os.time({ year = year, month = month, day = day, hour = hour, min = minute, sec = second, isdst = false })
  local now = os.date('!*t') --[[@as osdate]]
  now.isdst = false
  local seconds = os.time(now --[[@as osdateparam]]) - utc
  for _, unit in ipairs(UNITS) do
    if seconds >= unit[1] then
      return ('%d %s ago'):format(math.floor(seconds / unit[1]), unit[2])
    end
  end
  return 'just now'
end

--- Say something in a sentence.
---@param sentence string
---@param level? integer
function M.say(sentence, level)
  vim.notify('channelcoder: ' .. M.clean(sentence), level or vim.log.levels.INFO)
end

return M
