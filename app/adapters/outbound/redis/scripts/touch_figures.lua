return redis.call('HSET', KEYS[1], 'looked_at', redis.call('TIME')[1] .. '000')
