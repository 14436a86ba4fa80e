-- Notes what a call has used in place of what was set aside for it.
local ticket, aside, spent, answered, decay = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])

unweigh(under_way, 'aside', ticket .. ' ' .. aside)
if answered == '0' then
  redis.call('ZREM', requests, ticket)
end
if spent > 0 then
  weigh(used, 'spent', ticket .. ' ' .. spent, now)
  local largest = tonumber(redis.call('HGET', sums, 'largest') or '0')
  redis.call('HSET', sums, 'largest', math.max(spent, math.floor(largest * decay)))
end
keep()
