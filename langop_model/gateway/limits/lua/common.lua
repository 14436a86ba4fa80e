-- What the scripts of one model's limits share, after base.lua; each of them starts with both. KEYS are of one slot in a cluster.
--   requests   request -> when it was admitted              in_flight  "request tokens" -> when its lease ends
--   used       "request tokens" -> when it was answered     sums       spent and reserved: the tokens of both; largest: an answer's
--   queue      request -> since when it waits               seen       request -> until when it counts as waiting
--   processes  process -> until when this state is complete for it
-- Times are the server's, in milliseconds. "request tokens" is a ticket, a space, and its tokens.
local requests, used, in_flight, sums = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local queue, seen, processes = KEYS[5], KEYS[6], KEYS[7]
local STATE_TTL = 600000 -- after the last sign of life, everything is forgotten

-- A sum that redis has evicted is computed again.
local function sum_of(name, key)
  local sum = redis.call('HGET', sums, name)
  if not sum then
    sum = tokens_of(redis.call('ZRANGE', key, 0, -1))
    redis.call('HSET', sums, name, sum)
  end
  return tonumber(sum)
end

local function forget_until(key, name, time)
  local old = redis.call('ZRANGEBYSCORE', key, '-inf', time)
  if #old > 0 then
    sum_of(name, key)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', time)
    redis.call('HINCRBY', sums, name, 0 - tokens_of(old))
  end
end

local function forget_old(window)
  redis.call('ZREMRANGEBYSCORE', requests, '-inf', now - window)
  forget_until(used, 'spent', now - window)
  forget_until(in_flight, 'reserved', now)
end

local function add_tokens(key, name, entry, time)
  sum_of(name, key)
  local new = redis.call('ZADD', key, time, entry)
  if new == 1 then
    redis.call('HINCRBY', sums, name, tokens_of({entry}))
  end
end

local function remove_tokens(key, name, entry)
  sum_of(name, key)
  if redis.call('ZREM', key, entry) == 1 then
    redis.call('HINCRBY', sums, name, 0 - tokens_of({entry}))
  end
end

local function keep()
  for at = 1, 7 do
    redis.call('PEXPIRE', KEYS[at], STATE_TTL)
  end
end

