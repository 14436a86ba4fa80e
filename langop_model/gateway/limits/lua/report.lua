-- Exchanges the reports of processes. KEYS[1] holds "process entry" -> until when it holds (the server's milliseconds). ARGV:
-- the process, how many entries of it follow, each with the milliseconds that it holds, and the entries that it takes back.
-- Returns what holds now, each with the milliseconds left.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local last = 2 + tonumber(ARGV[2]) * 2

for at = last + 1, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[1] .. ' ' .. ARGV[at])
end
for at = 3, last, 2 do
  redis.call('ZADD', KEYS[1], now + ARGV[at + 1], ARGV[1] .. ' ' .. ARGV[at])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local entries = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for at = 2, #entries, 2 do
  entries[at] = math.floor(entries[at] - now)
end
redis.call('PEXPIRE', KEYS[1], 600000)
return entries
