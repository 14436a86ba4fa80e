-- Takes a request out of the queue.
redis.call('ZREM', queue, ARGV[1])
redis.call('ZREM', seen, ARGV[1])
