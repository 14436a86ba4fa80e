-- Returns what is used: requests of the window, tokens spent and reserved, requests in flight. ARGV[1] is the window.
if redis.call('EXISTS', requests, used, in_flight) == 0 then
  return {0, 0, 0}
end
forget_old(tonumber(ARGV[1]))
local tokens = sum_of('spent', used) + sum_of('reserved', in_flight)
keep()
return {redis.call('ZCARD', requests), tokens, redis.call('ZCARD', in_flight)}
