for i = 2, #ARGV, 3 do finish(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
note_wait()
trim()
return 1
