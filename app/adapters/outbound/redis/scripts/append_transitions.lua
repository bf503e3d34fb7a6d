for i = 3, #ARGV do redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'provider', ARGV[2], 'said', ARGV[i]) end
return 1
