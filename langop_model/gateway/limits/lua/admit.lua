-- Lets a call in, if there is room and no other process waits longer. Returns {"in", tokens set aside}; {"wait", limit,
-- milliseconds, whether that is certain, whether the call is in line now}; or {"unknown"} when redis has lost what this process
-- had told it.
local process, ticket = ARGV[1], ARGV[2]
local requests_per_minute, tokens_per_minute, concurrent = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]) -- 0: no limit
local asked, left = tonumber(ARGV[6]), tonumber(ARGV[7]) -- asked: -1 when unknown
local window, lease, patience = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])

if not redis.call('ZSCORE', processes, process) then
  return {'unknown'}
end
forget_old(window)

local function until_oldest_leaves(key)
  local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return oldest[2] and oldest[2] + window - now or window
end

-- As langop_model/gateway/limits/ledger.py has it: requests, then tokens, then places.
local aside = 0
local function in_the_way()
  if requests_per_minute > 0 and redis.call('ZCARD', requests) >= requests_per_minute then
    return 'requests', until_oldest_leaves(requests), 1
  end
  local calls = redis.call('ZCARD', under_way)
  if tokens_per_minute > 0 then
    local largest = tonumber(redis.call('HGET', sums, 'largest') or '-1')
    local guess = asked
    if guess < 0 or (largest >= 0 and largest < guess) then
      guess = largest
    end
    aside = math.max(guess, 0)
    local spent = sum_of('spent', used)
    local alone = calls == 0 and spent < tokens_per_minute
    if not alone and (guess < 0 or spent + sum_of('aside', under_way) + guess > tokens_per_minute) then
      return 'tokens', until_oldest_leaves(used), calls == 0 and 1 or 0
    end
  end
  if concurrent > 0 and calls >= concurrent then
    return 'places', 0, 0
  end
end

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', now)) do
  redis.call('ZREM', line, gone)
  redis.call('ZREM', seen, gone)
end
local first = redis.call('ZRANGE', line, 0, 0)[1]
local limit, wait, certain = in_the_way()
if first and first ~= ticket then
  if not limit then -- room, but for the one before
    limit, wait, certain = redis.call('HGET', sums, 'waits_for') or 'places', 0, 0
  end
elseif limit then
  redis.call('HSET', sums, 'waits_for', limit)
end

if not limit then
  if requests_per_minute > 0 then
    redis.call('ZADD', requests, now, ticket)
  end
  if tokens_per_minute > 0 or concurrent > 0 then
    weigh(under_way, 'aside', ticket .. ' ' .. aside, now + lease)
  end
end
local queued = 0
if not limit or left <= 0 or (certain == 1 and wait > left) then
  redis.call('ZREM', line, ticket)
  redis.call('ZREM', seen, ticket)
else
  redis.call('ZADD', line, 'NX', now, ticket)
  redis.call('ZADD', seen, now + patience, ticket)
  queued = 1
end
keep()
if limit then
  return {'wait', limit, math.max(wait, 0), certain, queued}
end
return {'in', aside}
