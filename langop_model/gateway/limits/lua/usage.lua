-- Returns for each model what is used: requests of the window, tokens spent and reserved, requests in flight; all of it as one text,
-- which takes the gateway a tenth of the time of as many numbers. KEYS are requests, used, in_flight and sums of one model after the
-- other (common.lua says what they hold), ARGV[1] is the window. Nothing changes.
local window = tonumber(ARGV[1])
-- The kept sum, without what has passed since. One that redis has evicted is added up.
local function tokens_since(time, key, kept)
  if kept then
    return tonumber(kept) - tokens_of(redis.call('ZRANGEBYSCORE', key, '-inf', time))
  end
  return tokens_of(redis.call('ZRANGEBYSCORE', key, '(' .. time, '+inf'))
end

local found = {}
for first = 1, #KEYS, 4 do
  local requests, used, in_flight, sums = KEYS[first], KEYS[first + 1], KEYS[first + 2], KEYS[first + 3]
  local usage = '0 0 0'
  if redis.call('EXISTS', requests, used, in_flight) > 0 then
    local kept = redis.call('HMGET', sums, 'spent', 'reserved')
    usage = string.format(
      '%d %d %d',
      redis.call('ZCOUNT', requests, '(' .. (now - window), '+inf'),
      tokens_since(now - window, used, kept[1]) + tokens_since(now, in_flight, kept[2]),
      redis.call('ZCOUNT', in_flight, '(' .. now, '+inf')
    )
  end
  found[#found + 1] = usage
end
return table.concat(found, ' ')
