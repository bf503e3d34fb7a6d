for i = 2, #ARGV, 4 do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*',
    'id', ARGV[i], 'type', ARGV[i + 1], 'subject', ARGV[i + 2], 'body', ARGV[i + 3])
end
return 1
