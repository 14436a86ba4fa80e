-- Replaces the reserved tokens of a request by those that it has used.
local ticket, reserved, spent, answered, decay = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])

remove_tokens(in_flight, 'reserved', ticket .. ' ' .. reserved)
if answered == '0' then
  redis.call('ZREM', requests, ticket)
end
if spent > 0 then
  add_tokens(used, 'spent', ticket .. ' ' .. spent, now)
  local largest = tonumber(redis.call('HGET', sums, 'largest') or '0')
  redis.call('HSET', sums, 'largest', math.max(spent, math.floor(largest * decay)))
end
keep()
