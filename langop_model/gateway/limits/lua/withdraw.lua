-- Takes a call out of the line.
redis.call('ZREM', line, ARGV[1])
redis.call('ZREM', seen, ARGV[1])
