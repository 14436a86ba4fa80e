-- Admits a request if every limit allows it and no other process waits longer. Returns {"admitted", reserved tokens}; {"wait",
-- limit, milliseconds, whether that is certain, whether the request is in the queue now}; {"unknown"} when redis has lost what
-- this process had told it; or {"hit", answer} where KEYS[8] is the key of a cached answer that is there.
local process, ticket = ARGV[1], ARGV[2]
local requests_per_minute, tokens_per_minute, concurrent = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]) -- 0: no limit
local asked, left = tonumber(ARGV[6]), tonumber(ARGV[7]) -- asked: -1 when unknown
local window, lease, turn_timeout = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])

if KEYS[8] then
  local answer = redis.call('GET', KEYS[8])
  if answer then
    return {'hit', answer}
  end
end
if not redis.call('ZSCORE', processes, process) then
  return {'unknown'}
end
forget_old(window)

local function until_oldest_leaves(key)
  local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return oldest[2] and oldest[2] + window - now or window
end

-- As langop_model/gateway/limits/sliding_window.py has it: requests, then tokens, then concurrent requests.
local reserved = 0
local function blocked_by()
  if requests_per_minute > 0 and redis.call('ZCARD', requests) >= requests_per_minute then
    return 'requests', until_oldest_leaves(requests), 1
  end
  local others = redis.call('ZCARD', in_flight)
  if tokens_per_minute > 0 then
    local largest = tonumber(redis.call('HGET', sums, 'largest') or '-1')
    local estimate = asked
    if estimate < 0 or (largest >= 0 and largest < estimate) then
      estimate = largest
    end
    reserved = math.max(estimate, 0)
    local spent = sum_of('spent', used)
    local alone = others == 0 and spent < tokens_per_minute
    if not alone and (estimate < 0 or spent + sum_of('reserved', in_flight) + estimate > tokens_per_minute) then
      return 'tokens', until_oldest_leaves(used), others == 0 and 1 or 0
    end
  end
  if concurrent > 0 and others >= concurrent then
    return 'concurrent', 0, 0
  end
end

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', now)) do
  redis.call('ZREM', queue, gone)
  redis.call('ZREM', seen, gone)
end
local first = redis.call('ZRANGE', queue, 0, 0)[1]
local limit, wait, certain = blocked_by()
if first and first ~= ticket then
  if not limit then -- capacity, but another process comes first
    limit, wait, certain = redis.call('HGET', sums, 'waits_for') or 'concurrent', 0, 0
  end
elseif limit then
  redis.call('HSET', sums, 'waits_for', limit)
end

if not limit then
  if requests_per_minute > 0 then
    redis.call('ZADD', requests, now, ticket)
  end
  if tokens_per_minute > 0 or concurrent > 0 then
    add_tokens(in_flight, 'reserved', ticket .. ' ' .. reserved, now + lease)
  end
end
local queued = 0
if not limit or left <= 0 or (certain == 1 and wait > left) then
  redis.call('ZREM', queue, ticket)
  redis.call('ZREM', seen, ticket)
else
  redis.call('ZADD', queue, 'NX', now, ticket)
  redis.call('ZADD', seen, now + turn_timeout, ticket)
  queued = 1
end
keep()
if limit then
  return {'wait', limit, math.max(wait, 0), certain, queued}
end
return {'admitted', reserved}
