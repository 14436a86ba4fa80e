-- What the scripts of one model's limits share; each of them starts with it. KEYS are of one slot in a cluster.
--   requests   call -> when it was let in                  under_way  "call tokens" -> until when its process answers for it
--   used       "call tokens" -> when it was answered       sums       spent and aside: the tokens of both; largest: an answer's
--   line       call -> since when it waits for room        seen       call -> until when it counts as waiting
--   processes  process -> until when this account is complete for it
-- Times are the server's, in milliseconds. "call tokens" is a ticket, a space, and what it weighs.
local requests, used, under_way, sums = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local line, seen, processes = KEYS[5], KEYS[6], KEYS[7]
local REMEMBERED = 600000 -- after the last sign of life, everything is forgotten

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function weight(entries)
  local sum = 0
  for _, entry in ipairs(entries) do
    sum = sum + tonumber(string.match(entry, ' (%d+)$'))
  end
  return sum
end

-- A sum that is not there, because redis was full and threw it away, is made anew.
local function sum_of(name, key)
  local sum = redis.call('HGET', sums, name)
  if not sum then
    sum = weight(redis.call('ZRANGE', key, 0, -1))
    redis.call('HSET', sums, name, sum)
  end
  return tonumber(sum)
end

local function forget_until(key, name, time)
  local old = redis.call('ZRANGEBYSCORE', key, '-inf', time)
  if #old > 0 then
    sum_of(name, key)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', time)
    redis.call('HINCRBY', sums, name, 0 - weight(old))
  end
end

local function forget_old(window)
  redis.call('ZREMRANGEBYSCORE', requests, '-inf', now - window)
  forget_until(used, 'spent', now - window)
  forget_until(under_way, 'aside', now)
end

local function weigh(key, name, entry, time)
  sum_of(name, key)
  local new = redis.call('ZADD', key, time, entry)
  if new == 1 then
    redis.call('HINCRBY', sums, name, weight({entry}))
  end
end

local function unweigh(key, name, entry)
  sum_of(name, key)
  if redis.call('ZREM', key, entry) == 1 then
    redis.call('HINCRBY', sums, name, 0 - weight({entry}))
  end
end

local function keep()
  for _, key in ipairs(KEYS) do
    redis.call('PEXPIRE', key, REMEMBERED)
  end
end

