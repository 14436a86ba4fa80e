-- What every script that reads limits starts with: the server's time in milliseconds, and the tokens of entries "request tokens".
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function tokens_of(entries)
  local sum = 0
  for _, entry in ipairs(entries) do
    sum = sum + tonumber(string.match(entry, ' (%d+)$'))
  end
  return sum
end
