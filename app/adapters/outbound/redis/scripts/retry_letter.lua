-- Deduplication knows these ids already; it must not see them again.
local letter = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not letter then return 0 end
local fields = by_name(letter[2])
if not fields.d then return 0 end
redis.call('XADD', KEYS[2], '*', 'n', fields.n, 'b', fields.b, 'd', fields.d)
redis.call('HINCRBY', KEYS[3], 'accepted', fields.n)
redis.call('HINCRBY', KEYS[3], 'accepted_bytes', fields.b)
redis.call('HINCRBY', KEYS[3], 'retried', fields.n)
return redis.call('XDEL', KEYS[1], ARGV[1])
