-- Sets the key of a process (KEYS[1]) for ARGV[1] seconds; returns whether it was still there.
local present = redis.call('EXISTS', KEYS[1])
redis.call('SETEX', KEYS[1], ARGV[1], '')
return present
