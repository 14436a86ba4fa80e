-- Exchanges which endpoints are down. KEYS[1] holds "process endpoint" -> until when (the server's milliseconds). ARGV: the
-- process, how many of its verdicts follow, pairs of an endpoint and the milliseconds that it stays down, and the endpoints that
-- the process had found down before and no longer does. Returns what holds, as pairs of an entry and the milliseconds left.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local last = 2 + tonumber(ARGV[2]) * 2

for at = 3, last, 2 do
  redis.call('ZADD', KEYS[1], now + ARGV[at + 1], ARGV[1] .. ' ' .. ARGV[at])
end
for at = last + 1, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[1] .. ' ' .. ARGV[at])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local down = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for at = 2, #down, 2 do
  down[at] = math.floor(down[at] - now)
end
redis.call('PEXPIRE', KEYS[1], 600000)
return down
