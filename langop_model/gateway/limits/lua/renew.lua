-- Renews the leases of the requests that a process has in flight, and adds what redis has lost or never been told. After the
-- process and four numbers, ARGV holds requests with an age in milliseconds, "request tokens" with an age (used), and
-- "request tokens" (in flight). Returns whether redis had known the process.
local process, lease, window, largest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local last_request = 6 + tonumber(ARGV[5]) * 2
local last_used = last_request + tonumber(ARGV[6]) * 2

local known = redis.call('ZSCORE', processes, process)
redis.call('ZREMRANGEBYSCORE', processes, '-inf', now)
redis.call('ZADD', processes, now + STATE_TTL, process)
for at = 7, last_request, 2 do
  redis.call('ZADD', requests, 'NX', now - ARGV[at + 1], ARGV[at])
end
for at = last_request + 1, last_used, 2 do
  if not redis.call('ZSCORE', used, ARGV[at]) then
    add_tokens(used, 'spent', ARGV[at], now - ARGV[at + 1])
  end
end
for at = last_used + 1, #ARGV do
  add_tokens(in_flight, 'reserved', ARGV[at], now + lease)
end
if largest >= 0 and not redis.call('HGET', sums, 'largest') then
  redis.call('HSET', sums, 'largest', largest)
end
forget_old(window)
keep()
return known and 1 or 0
